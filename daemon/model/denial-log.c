/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/denial-log.h"

#include <assert.h>
#include <errno.h>

int denial_log_init(DenialLog *log, size_t n_max) {
        assert(n_max > 0);

        *log = (DenialLog) { .n_max = n_max, .next_seq = 1 };
        log->slots = calloc(n_max, sizeof(*log->slots));
        return log->slots ? 0 : -ENOMEM;
}

void denial_log_done(DenialLog *log) {
        for (size_t i = 0; log->slots && i < log->n_max; i++)
                denial_free(log->slots[i]);
        free(log->slots);
        *log = (DenialLog) {};
}

const Denial *denial_log_push(DenialLog *log, const Denial *denial) {
        Denial *copy, **slot = &log->slots[log->next_seq % log->n_max];

        copy = denial_copy(denial);
        if (!copy)
                return NULL;

        copy->seq = log->next_seq++;
        denial_free(*slot);
        *slot = copy;
        return copy;
}

const Denial *denial_log_from(const DenialLog *log, uint64_t seq) {
        uint64_t oldest = log->next_seq - denial_log_size(log);

        seq = MAX(seq, oldest);
        return seq < log->next_seq ? log->slots[seq % log->n_max] : NULL;
}
