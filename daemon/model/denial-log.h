/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The most recent denials by number. A denial that does not fit evicts the oldest. Numbers go on where an earlier landlockd
 * stopped, so that some may be missing. */
#pragma once

#include "model/denial.h"

typedef struct DenialLog {
        Denial **slots; /* ring; entries owned. Number n sits in slot n % n_max; NULL: missing */
        size_t n, n_max;
        uint64_t next_seq; /* of the next denial */
        uint64_t n_evicted;
} DenialLog;

int denial_log_init(DenialLog *log, size_t n_max);
void denial_log_done(DenialLog *log);

/* Keeps a copy and returns it, with its seq set; borrowed until n_max further ones came. NULL on -ENOMEM. */
const Denial *denial_log_push(DenialLog *log, const Denial *denial);

/* Keeps a copy of one that has its number from an earlier landlockd, unless n_max younger ones are known. -ENOMEM. */
int denial_log_restore(DenialLog *log, const Denial *denial);

/* The next denial has that number at least. */
void denial_log_skip(DenialLog *log, uint64_t next_seq);

/* The denial with that number; NULL if it is not kept. Borrowed until next push. */
const Denial *denial_log_get(const DenialLog *log, uint64_t seq);

/* The denial with the lowest number >= `seq` that is still kept, NULL past the end. Borrowed until next push. */
const Denial *denial_log_from(const DenialLog *log, uint64_t seq);

/* No denial with a lower number is kept. */
static inline uint64_t denial_log_oldest(const DenialLog *log) {
        return log->next_seq > log->n_max ? log->next_seq - log->n_max : 1;
}
