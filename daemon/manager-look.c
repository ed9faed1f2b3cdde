/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager-look.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

/* One loss seldom comes alone, and what was not lost is to be known first. */
#define DELAY_USEC (200 * USEC_PER_MSEC)

/* Between two looks. */
#define INTERVAL_MIN_USEC (2 * USEC_PER_SEC)

/* At most this part of the time is spent on looking. */
#define SHARE_MAX 50

struct ManagerLook {
        struct event *timer;
        void (*fn)(void *userdata);
        void *userdata;
        uint64_t not_before_usec; /* monotonic */
};

static void on_due(evutil_socket_t fd _unused_, short what _unused_, void *userdata) {
        manager_look_now(userdata);
}

int manager_look_new(ManagerLook **ret, struct event_base *base, void (*fn)(void *userdata), void *userdata) {
        _cleanup_(manager_look_freep) ManagerLook *look = calloc(1, sizeof(ManagerLook));

        if (!look)
                return -ENOMEM;
        look->fn = fn;
        look->userdata = userdata;
        look->timer = evtimer_new(base, on_due, look);
        if (!look->timer)
                return -ENOMEM;
        *ret = TAKE_PTR(look);
        return 0;
}

ManagerLook *manager_look_free(ManagerLook *look) {
        if (!look)
                return NULL;

        FREE_IF_SET(event_free, look->timer);
        free(look);
        return NULL;
}

void manager_look_request(ManagerLook *look) {
        uint64_t now_usec = clock_monotonic_usec(), delay_usec = DELAY_USEC;
        struct timeval delay;

        if (evtimer_pending(look->timer, NULL))
                return;
        if (look->not_before_usec > now_usec + delay_usec)
                delay_usec = look->not_before_usec - now_usec;
        delay = (struct timeval) { .tv_sec = delay_usec / USEC_PER_SEC, .tv_usec = delay_usec % USEC_PER_SEC };
        evtimer_add(look->timer, &delay);
}

void manager_look_now(ManagerLook *look) {
        uint64_t begun_usec = clock_monotonic_usec(), ended_usec;

        look->fn(look->userdata);
        ended_usec = clock_monotonic_usec();
        look->not_before_usec = ended_usec + MAX(INTERVAL_MIN_USEC, SHARE_MAX * (ended_usec - begun_usec));
}
