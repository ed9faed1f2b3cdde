/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The most recent denials. Pushing to a full log evicts the oldest. */
#pragma once

#include "model/denial.h"

typedef struct DenialLog {
        Denial **slots; /* ring; entries owned */
        size_t n_max;
        uint64_t next_seq; /* of the next denial; seq n sits in slot n % n_max */
} DenialLog;

int denial_log_init(DenialLog *log, size_t n_max);
void denial_log_done(DenialLog *log);

/* Keeps a copy and returns it, with its seq set; borrowed until n_max further ones came. NULL on -ENOMEM. */
const Denial *denial_log_push(DenialLog *log, const Denial *denial);

/* The denial with the lowest seq >= `seq` that is still kept, NULL past the end. Borrowed until next push. */
const Denial *denial_log_from(const DenialLog *log, uint64_t seq);

static inline size_t denial_log_size(const DenialLog *log) {
        return MIN(log->next_seq - 1, (uint64_t) log->n_max);
}

static inline uint64_t denial_log_evicted(const DenialLog *log) {
        return log->next_seq - 1 - denial_log_size(log);
}
