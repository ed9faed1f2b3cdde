/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The denials that one subscription is still to be told of.
 *
 * How many there are is up to those who are sandboxed, and how soon they can go out is up to the subscriber. So those
 * that are the same access are one entry with a count, and what does not fit is only counted: never is an entry dropped
 * for a later one, since the first denials are those that explain the rest. */
#pragma once

#include "base/macros.h"
#include "model/denial.h"

#define BUS_QUEUE_ENTRIES_MAX 128

typedef struct BusQueueEntry {
        uint64_t hash;   /* of the access */
        Denial *denial;  /* the first one; owned */
        uint64_t count;
        uint64_t first_usec, last_usec; /* realtime */
} BusQueueEntry;

/* A zeroed one is empty. */
typedef struct BusQueue {
        BusQueueEntry *entries; /* NULL as long as it was empty; oldest first */
        size_t n_entries;
        uint64_t n_missed; /* denials that did not fit */
} BusQueue;

/* Takes a copy of the denial, or counts it. `hash` is its denial_access_hash(); `*room`, in bytes of a message, is
 * lessened by what it takes. */
void bus_queue_push(BusQueue *queue, const Denial *denial, uint64_t hash, size_t *room);

/* Number of denials in the entries. */
uint64_t bus_queue_count(const BusQueue *queue);

static inline bool bus_queue_empty(const BusQueue *queue) {
        return queue->n_entries == 0 && queue->n_missed == 0;
}

void bus_queue_clear(BusQueue *queue);

/* bus_queue_clear() that gives back the memory, too. */
void bus_queue_done(BusQueue *queue);
