/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-queue.h"

#include "publish/bus-denial.h"

static BusQueueEntry *find(const BusQueue *queue, const Denial *denial, uint64_t hash) {
        for (size_t i = 0; i < queue->n_entries; i++) {
                BusQueueEntry *entry = &queue->entries[i];

                if (entry->hash == hash && denial_same_access(entry->denial, denial))
                        return entry;
        }
        return NULL;
}

static bool append(BusQueue *queue, const Denial *denial, uint64_t hash, size_t *room) {
        size_t n_bytes = bus_denial_bytes(denial);
        Denial *copy;

        if (!queue->entries)
                queue->entries = calloc(BUS_QUEUE_ENTRIES_MAX, sizeof(BusQueueEntry));
        if (!queue->entries || queue->n_entries == BUS_QUEUE_ENTRIES_MAX || *room < n_bytes)
                return false;
        copy = denial_copy(denial);
        if (!copy)
                return false;

        *room -= n_bytes;
        queue->entries[queue->n_entries++] = (BusQueueEntry) {
                .hash = hash,
                .denial = copy,
                .count = 1,
                .first_usec = denial->time_usec,
                .last_usec = denial->time_usec,
        };
        return true;
}

void bus_queue_push(BusQueue *queue, const Denial *denial, uint64_t hash, size_t *room) {
        BusQueueEntry *entry = find(queue, denial, hash);

        if (entry) {
                entry->count++;
                entry->first_usec = MIN(entry->first_usec, denial->time_usec);
                entry->last_usec = MAX(entry->last_usec, denial->time_usec);
        } else if (!append(queue, denial, hash, room))
                queue->n_missed++;
}

uint64_t bus_queue_count(const BusQueue *queue) {
        uint64_t n = 0;

        for (size_t i = 0; i < queue->n_entries; i++)
                n += queue->entries[i].count;
        return n;
}

void bus_queue_clear(BusQueue *queue) {
        for (size_t i = 0; i < queue->n_entries; i++)
                denial_free(queue->entries[i].denial);
        queue->n_entries = 0;
        queue->n_missed = 0;
}

void bus_queue_done(BusQueue *queue) {
        bus_queue_clear(queue);
        free(queue->entries);
        *queue = (BusQueue) {};
}
