/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/notify-rate.h"

#include <assert.h>

#include "base/clock.h"

uint64_t notify_rate_next(const NotifyRate *rate, unsigned max_per_minute) {
        uint64_t sent;

        assert(max_per_minute >= 1 && max_per_minute <= NOTIFY_PER_MINUTE_MAX);
        sent = rate->sent[(rate->last + NOTIFY_PER_MINUTE_MAX - (max_per_minute - 1)) % NOTIFY_PER_MINUTE_MAX];
        return sent == 0 ? 0 : sent + 60 * USEC_PER_SEC;
}

void notify_rate_count(NotifyRate *rate, uint64_t now) {
        rate->last = (rate->last + 1) % NOTIFY_PER_MINUTE_MAX;
        rate->sent[rate->last] = now;
}
