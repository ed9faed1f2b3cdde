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

static void drop(DenialLog *log, uint64_t seq) {
        Denial **slot = &log->slots[seq % log->n_max];

        if (!*slot)
                return;
        *slot = denial_free(*slot);
        log->n--;
        log->n_evicted++;
}

static int put(DenialLog *log, const Denial *denial, uint64_t seq) {
        Denial *copy = denial_copy(denial);

        if (!copy)
                return -ENOMEM;
        copy->seq = seq;
        drop(log, seq);
        log->slots[seq % log->n_max] = copy;
        log->n++;
        return 0;
}

const Denial *denial_log_push(DenialLog *log, const Denial *denial) {
        if (put(log, denial, log->next_seq) < 0)
                return NULL;
        return denial_log_get(log, log->next_seq++);
}

void denial_log_skip(DenialLog *log, uint64_t next_seq) {
        /* Beyond n_max, each slot has been looked at. */
        for (size_t i = 0; i < log->n_max && log->next_seq < next_seq; i++)
                drop(log, log->next_seq++);
        log->next_seq = MAX(log->next_seq, next_seq);
}

int denial_log_restore(DenialLog *log, const Denial *denial) {
        denial_log_skip(log, denial->seq + 1);
        return denial->seq < denial_log_oldest(log) ? 0 : put(log, denial, denial->seq);
}

const Denial *denial_log_get(const DenialLog *log, uint64_t seq) {
        const Denial *denial = log->slots[seq % log->n_max];

        return denial && denial->seq == seq ? denial : NULL;
}

const Denial *denial_log_from(const DenialLog *log, uint64_t seq) {
        for (seq = MAX(seq, denial_log_oldest(log)); seq < log->next_seq; seq++) {
                const Denial *denial = denial_log_get(log, seq);

                if (denial)
                        return denial;
        }
        return NULL;
}
