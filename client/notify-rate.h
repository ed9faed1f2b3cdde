/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How often a person may be disturbed: so many times within any minute. */
#pragma once

#include <stdint.h>

#include "client/notify-config.h"

/* Zero-initialised it has counted nothing. */
typedef struct NotifyRate {
        uint64_t sent[NOTIFY_PER_MINUTE_MAX]; /* µs; a ring */
        unsigned last;                        /* the newest */
} NotifyRate;

/* When the next one may be sent, in µs of the monotonic clock: not in the future if it may be now. */
uint64_t notify_rate_next(const NotifyRate *rate, unsigned max_per_minute);

void notify_rate_count(NotifyRate *rate, uint64_t now);
