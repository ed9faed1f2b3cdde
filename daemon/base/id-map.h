/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hash map from a 64-bit key (a domain ID, an audit serial) to a borrowed pointer. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct IdMapSlot {
        uint64_t key;
        void *value; /* NULL: free slot */
} IdMapSlot;

/* Linear probing without tombstones; slots are a power of two, at most three quarters used. Keys can be
 * chosen by others (a log from elsewhere), so they are mixed with a random seed. */
typedef struct IdMap {
        IdMapSlot *slots;
        size_t n_slots, n_used;
        uint64_t seed;
} IdMap;

/* A zeroed IdMap is a valid empty one. */
void id_map_done(IdMap *map);

/* NULL if there is none. */
void *id_map_get(const IdMap *map, uint64_t key);

/* value must not be NULL. -EEXIST if the key is taken, -ENOMEM. */
int id_map_put(IdMap *map, uint64_t key, void *value);

/* Returns what was removed, or NULL. */
void *id_map_remove(IdMap *map, uint64_t key);
