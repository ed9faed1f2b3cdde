/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/id-map.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/macros.h"

#define SLOTS_MIN 16

void id_map_done(IdMap *map) {
        free(map->slots);
        *map = (IdMap) {};
}

/* The finaliser of splitmix64: every input bit reaches every output bit. */
static size_t slot_home(const IdMap *map, uint64_t key) {
        uint64_t h = key ^ map->seed;

        h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
        return (h ^ h >> 31) & (map->n_slots - 1);
}

/* The slot that holds the key, or the free one where it belongs. */
static IdMapSlot *slot_find(const IdMap *map, uint64_t key) {
        size_t i = slot_home(map, key);

        while (map->slots[i].value && map->slots[i].key != key)
                i = (i + 1) & (map->n_slots - 1);
        return &map->slots[i];
}

void *id_map_get(const IdMap *map, uint64_t key) {
        return map->slots ? slot_find(map, key)->value : NULL;
}

static int grow(IdMap *map) {
        IdMap bigger = { .n_slots = MAX(map->n_slots * 2, (size_t) SLOTS_MIN), .seed = map->seed };

        /* Without entropy (early boot) an unseeded table still works. */
        if (!map->slots && getrandom(&bigger.seed, sizeof(bigger.seed), GRND_NONBLOCK) < 0)
                bigger.seed = 0;
        bigger.slots = calloc(bigger.n_slots, sizeof(IdMapSlot));
        if (!bigger.slots)
                return -ENOMEM;

        for (size_t i = 0; i < map->n_slots; i++)
                if (map->slots[i].value)
                        *slot_find(&bigger, map->slots[i].key) = map->slots[i];
        bigger.n_used = map->n_used;

        free(map->slots);
        *map = bigger;
        return 0;
}

int id_map_put(IdMap *map, uint64_t key, void *value) {
        IdMapSlot *slot;
        int r;

        assert(value);

        if (id_map_get(map, key))
                return -EEXIST;
        if ((map->n_used + 1) * 4 > map->n_slots * 3) {
                r = grow(map);
                if (r < 0)
                        return r;
        }

        slot = slot_find(map, key);
        *slot = (IdMapSlot) { key, value };
        map->n_used++;
        return 0;
}

void *id_map_remove(IdMap *map, uint64_t key) {
        IdMapSlot *slot;
        void *value;
        size_t hole, mask = map->n_slots - 1;

        if (!map->slots)
                return NULL;
        slot = slot_find(map, key);
        value = slot->value;
        if (!value)
                return NULL;

        /* Close the gap: whoever was pushed past the hole by probing moves back into it. */
        hole = slot - map->slots;
        for (size_t i = (hole + 1) & mask; map->slots[i].value; i = (i + 1) & mask) {
                size_t home = slot_home(map, map->slots[i].key);

                if (((i - home) & mask) >= ((i - hole) & mask)) {
                        map->slots[hole] = map->slots[i];
                        hole = i;
                }
        }
        map->slots[hole].value = NULL;
        map->n_used--;
        return value;
}
