/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One denial, told by two sources, made one.
 *
 * The kernel sends a denial that is logged to audit and, since 7.3, to trace events. Neither names the other's, and
 * they come at different times. Two halves belong together if what both know is the same: domain, blockers, object,
 * process; of several such, the oldest. So as many denials come out as the better source told, whatever one of them
 * lost.
 *
 * A half waits for the other until the caller's clock has gone on by DENIAL_JOIN_ROUNDS, then it goes on alone. It is
 * still remembered for a while, so that the other one, should it come late, is not taken for another denial. At the
 * cap the oldest goes first. */
#pragma once

#include <sys/queue.h>

#include "base/id-map.h"
#include "model/denial.h"

#define DENIAL_JOIN_ROUNDS 2
#define DENIAL_JOIN_MEMORY_ROUNDS 100

typedef struct DenialHalf DenialHalf;
typedef TAILQ_HEAD(DenialHalves, DenialHalf) DenialHalves;

typedef struct DenialJoin {
        IdMap by_key;         /* hash of what both know → first half; the others follow by age */
        DenialHalves waiting; /* oldest first */
        DenialHalves alone;   /* went on alone, oldest first */
        size_t n, n_max;
        unsigned round;
} DenialJoin;

void denial_join_init(DenialJoin *join, size_t n_max);
void denial_join_done(DenialJoin *join);

typedef enum DenialTwin {
        DENIAL_TWIN_NONE,
        DENIAL_TWIN_WAITING, /* *ret is it: the caller's */
        DENIAL_TWIN_ALONE,   /* it went on alone before: this is no other denial */
} DenialTwin;

/* Takes out the other half of this denial, told by none of its origins. */
DenialTwin denial_join_take(DenialJoin *join, const Denial *denial, Denial **ret);

/* A half begins to wait: a copy of it. At the cap another one is put out (see denial_join_expired()). -ENOMEM. */
int denial_join_wait(DenialJoin *join, const Denial *denial);

/* The next half that waited long enough or had to make room, which now goes on alone: the caller's. NULL if there is
 * none. */
Denial *denial_join_expired(DenialJoin *join);

/* The clock goes on. */
static inline void denial_join_next_round(DenialJoin *join) {
        join->round++;
}

/* Nothing needs the clock any more. */
static inline bool denial_join_idle(const DenialJoin *join) {
        return join->n == 0;
}

/* The one denial that both are, in the words of each that are the better ones. Borrows the texts of both. */
Denial denial_join_merge(const Denial *a, const Denial *b);
