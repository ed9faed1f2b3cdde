/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager-gap.h"

#include "base/clock.h"
#include "base/macros.h"

/* A denial that waited for what another source tells of it was in no file yet when the last landlockd was killed. */
#define WAITING_USEC (100 * USEC_PER_MSEC)

static void tell(unsigned origins, const Loss *loss, FactSink sink) {
        const Fact fact = {
                .type = FACT_EVENTS_LOST,
                .origins = origins,
                .time_usec = clock_realtime_usec(),
                .lost = *loss,
        };

        sink.fn(sink.userdata, &fact);
}

void manager_gap_tell(const StateLoad *load, unsigned interrupted, FactSink sink) {
        const uint64_t now = clock_realtime_usec();
        const Loss unpublished = { LOSS_RESTART, load->n_missing, load->missing_since_usec, load->missing_until_usec };
        const Loss unheard = {
                .cause = LOSS_RESTART,
                .since_usec = MIN(load->last_usec, now) - WAITING_USEC,
                .until_usec = now,
        };

        if (load->incomplete)
                tell(0, &unpublished, sink);
        for (unsigned origin = ORIGIN_AUDIT; origin <= ORIGIN_BPF; origin <<= 1)
                if (interrupted & origin)
                        tell(origin, &unheard, sink);
}
