/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/audit-serials.h"

static uint64_t *word_of(AuditSerials *s, uint32_t serial, uint64_t *ret_bit) {
        uint32_t i = serial % AUDIT_SERIALS_WINDOW;

        *ret_bit = UINT64_C(1) << i % 64;
        return &s->seen[i / 64];
}

/* Moves on to `next`, at most one window away: returns how many of those passed were not seen. */
static uint64_t pass(AuditSerials *s, uint32_t next) {
        uint64_t missing = 0, bit;

        for (; s->next != next; s->next++) {
                uint64_t *word = word_of(s, s->next, &bit);

                missing += !(*word & bit);
                *word &= ~bit;
        }
        return missing;
}

static void pass_seen(AuditSerials *s) {
        uint64_t bit;

        while (s->next != s->end && (*word_of(s, s->next, &bit) & bit))
                pass(s, s->next + 1);
}

uint64_t audit_serials_see(AuditSerials *s, uint32_t serial) {
        uint64_t missing = 0, bit, *word;
        uint32_t ahead;

        if (!s->started) {
                s->started = true;
                s->next = s->end = s->mark = serial;
        }

        ahead = serial - s->next;
        if (ahead > UINT32_MAX / 2)
                return 0; /* behind: given up, or a further record of an event that is through */

        if (ahead >= AUDIT_SERIALS_WINDOW) {
                uint32_t behind = ahead - AUDIT_SERIALS_WINDOW + 1, awaited = s->end - s->next;

                missing = pass(s, s->next + (behind < awaited ? behind : awaited));
                if (behind > awaited) {
                        missing += behind - awaited;
                        s->next += behind - awaited;
                        s->end = s->next;
                }
        }

        word = word_of(s, serial, &bit);
        *word |= bit;
        if (serial - s->next >= s->end - s->next)
                s->end = serial + 1;
        pass_seen(s);
        return missing;
}

uint64_t audit_serials_settle(AuditSerials *s) {
        uint64_t missing = 0;

        if (s->mark - s->next <= s->end - s->next)
                missing = pass(s, s->mark);
        pass_seen(s);
        s->mark = s->end;
        return missing;
}
