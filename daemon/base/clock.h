/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times are µs since the epoch throughout, as on D-Bus; deadlines are µs of the monotonic clock. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/text.h"

#define USEC_PER_SEC ((uint64_t) 1000000)
#define USEC_PER_MSEC ((uint64_t) 1000)

static inline uint64_t clock_usec(clockid_t clock) {
        struct timespec ts;

        clock_gettime(clock, &ts);
        return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000;
}

static inline uint64_t clock_realtime_usec(void) {
        return clock_usec(CLOCK_REALTIME);
}

static inline uint64_t clock_monotonic_usec(void) {
        return clock_usec(CLOCK_MONOTONIC);
}

static inline uint64_t clock_boottime_usec(void) {
        return clock_usec(CLOCK_BOOTTIME);
}

#define CLOCK_FORMAT_SIZE sizeof("2026-11-22T00:28:34.891000Z")

/* Writes RFC 3339 in UTC with µs, e.g. 2026-11-22T00:28:34.891000Z; returns its length. A time beyond the
 * year 9999 is written as that year's end. */
size_t clock_format_rfc3339(uint64_t usec, char buffer[static CLOCK_FORMAT_SIZE]);

/* Undoes it. -EINVAL for what it does not write. */
int clock_parse_rfc3339(Text t, uint64_t *ret_usec);
