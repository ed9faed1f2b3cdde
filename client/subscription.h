/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A subscription to what landlockd tells: made when landlockd is there, and made anew when it comes back. Only what
 * landlockd itself sends is taken: on the system bus, anybody may send us a signal. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "base/macros.h"
#include "client/json.h"

typedef struct Subscription Subscription;

/* What to be told of; all that is left zero restricts nothing. */
typedef struct SubscriptionFilter {
        bool denials, domains;
        bool by_uid;
        uint32_t uid;                 /* of a denial's subject, of a domain's creator */
        uint64_t domain;
        const char *const *blockers;  /* of denials; borrowed */
        size_t n_blockers;
        bool start;                   /* landlockd may be started for this */
} SubscriptionFilter;

/* Those that cannot come may be NULL. */
typedef struct SubscriptionEvents {
        /* Everything that happens from now on is told. */
        void (*begun)(void *userdata);

        /* landlockd is not there, or does not want to tell. */
        void (*refused)(void *userdata, const sd_bus_error *error);

        /* landlockd has gone, and the subscription with it. */
        void (*ended)(void *userdata);

        /* What it sent is not of the form expected; -errno. */
        void (*malformed)(void *userdata, int error);

        /* An event of bus_json_denial(), borrowed; "count" tells of how many, and "last" is when the last one was. */
        void (*denial)(void *userdata, const json_t *denial);

        void (*domain_added)(void *userdata, uint64_t id);

        /* Comes after the denials that the domain had until then. */
        void (*domain_removed)(void *userdata, uint64_t id);

        /* That many denials and changes of domains were not told. */
        void (*missed)(void *userdata, uint64_t n);
} SubscriptionEvents;

/* Events come while the connection is processed, which is borrowed, like `events`. -errno if the bus fails. */
int subscription_new(
                sd_bus *bus, const SubscriptionFilter *filter, const SubscriptionEvents *events, void *userdata,
                Subscription **ret);
Subscription *subscription_free(Subscription *subscription);
DEFINE_CLEANUP(Subscription *, subscription_free);

/* After it was refused: asks again. It does so by itself when landlockd is started. -errno. */
int subscription_retry(Subscription *subscription);
