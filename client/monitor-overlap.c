/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/monitor-overlap.h"

#include "base/macros.h"
#include "client/memory.h"

void monitor_overlap_init(MonitorOverlap *overlap, uint64_t begin, uint64_t end) {
        *overlap = (MonitorOverlap) { .begin = begin, .end = end, .numbers = check_memory(json_object()) };
}

void monitor_overlap_done(MonitorOverlap *overlap) {
        json_decref(overlap->numbers);
        *overlap = (MonitorOverlap) {};
}

/* By what landlockd takes denials together. free() it. */
static char *access_of(const json_t *denial) {
        static const char *const members[] = { "domain", "blockers", "object" };
        _cleanup_(json_decrefp) json_t *access = check_memory(json_object());

        for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
                json_t *value = json_object_get(denial, members[i]);

                if (value)
                        json_put(access, members[i], json_incref(value));
        }
        return check_memory(json_dumps(access, JSON_COMPACT | JSON_SORT_KEYS));
}

void monitor_overlap_add(MonitorOverlap *overlap, const json_t *denial) {
        uint64_t number = json_get_number(denial, "denial");
        _cleanup_free_ char *access = NULL;

        if (number < overlap->begin || number >= overlap->end)
                return;
        access = access_of(denial);
        if (!json_object_get(overlap->numbers, access))
                json_put(overlap->numbers, access, json_array());
        json_add(json_object_get(overlap->numbers, access), json_integer((json_int_t) number));
}

uint64_t monitor_overlap_take(MonitorOverlap *overlap, const json_t *denial) {
        uint64_t first = json_get_number(denial, "denial"), count = json_get_number(denial, "count"), n = 0;
        _cleanup_free_ char *access = NULL;
        json_t *numbers;

        if (first >= overlap->end) {
                /* So is what comes after it. */
                monitor_overlap_done(overlap);
                return 0;
        }
        access = access_of(denial);
        numbers = json_object_get(overlap->numbers, access);
        for (size_t i = 0; i < json_array_size(numbers) && n < count;) {
                if ((uint64_t) json_integer_value(json_array_get(numbers, i)) < first) {
                        i++;
                        continue;
                }
                json_array_remove(numbers, i);
                n++;
        }
        return n;
}
