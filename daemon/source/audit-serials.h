/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds audit events that never arrived, by the gaps in their serials.
 *
 * The kernel numbers events one by one, and those of two CPUs may arrive in the wrong order. So a gap counts only
 * once it fell out of a window of later serials, or has stayed open for a while (audit_serials_settle()). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define AUDIT_SERIALS_WINDOW 65536

/* Serials wrap around at 2^32: compared by their distance. A zeroed one has seen nothing. */
typedef struct AuditSerials {
        bool started;
        uint32_t next; /* the lowest serial that is still awaited */
        uint32_t end;  /* one after the highest seen */
        uint32_t mark; /* `end` at the last settlement */
        uint64_t seen[AUDIT_SERIALS_WINDOW / 64];
} AuditSerials;

/* Returns how many serials are given up as missing because this one is so far ahead of them. */
uint64_t audit_serials_see(AuditSerials *serials, uint32_t serial);

/* Gives up what was already awaited at the previous call. Returns how many. */
uint64_t audit_serials_settle(AuditSerials *serials);

/* There are gaps: settle again later. */
static inline bool audit_serials_awaited(const AuditSerials *serials) {
        return serials->next != serials->end;
}
