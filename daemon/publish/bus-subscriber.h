/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client of the bus with subscriptions, and the pace at which it is told.
 *
 * Signals are sent without waiting, and a message bus takes all that is sent: what a client does not read piles up in the
 * bus, which counts it against the sender, too, and at its limit no longer reads from landlockd at all, or ends other
 * connections of the same user. So each batch of signals is followed by a call of org.freedesktop.DBus.Peer.Ping, which
 * every D-Bus library answers by itself, and the next batch waits for the answer: that came after all signals before it.
 * A client that does not read has no more than one batch on its way, in landlockd, in the bus and in its socket together,
 * and gets the next one when it reads again. */
#pragma once

#include <sys/queue.h>
#include <systemd/sd-bus.h>

#include "model/change.h"
#include "publish/bus-domain-news.h"
#include "publish/bus-filter.h"
#include "publish/bus-queue.h"
#include "publish/bus-view.h"

#define BUS_SUBSCRIPTIONS_MAX 8 /* of one client */

/* What the denials of a batch take at most in messages, and what it tells of domains likewise. No more denials than that
 * are queued, in all queues of the client together. All clients' batches stay below the 127 MiB that dbus-daemon takes from
 * one sender. */
#define BUS_BATCH_BYTES_MAX ((size_t) 768 * 1024)

typedef struct BusSubscriber BusSubscriber;
typedef TAILQ_HEAD(BusSubscriberList, BusSubscriber) BusSubscriberList;

typedef struct BusSubscription {
        uint64_t cookie;
        BusFilter filter;
        BusQueue queue;
        TAILQ_ENTRY(BusSubscription) entry;
} BusSubscription;

typedef TAILQ_HEAD(BusSubscriptionList, BusSubscription) BusSubscriptionList;

/* What all have in common. */
typedef struct BusSubscriberSet {
        sd_bus *bus;           /* borrowed */
        const BusModel *model; /* borrowed */
        Counters *counters;    /* borrowed */
        BusSubscriberList subscribers;
        size_t n_subscribers;
} BusSubscriberSet;

struct BusSubscriber {
        BusSubscriberSet *set;
        char *name;              /* unique: never given to another client */
        uid_t uid;
        sd_bus_track *track;     /* ends the subscriber with the client */
        sd_bus_slot *ping;       /* not answered yet; NULL: none is on its way */
        BusCaller caller;        /* as of located_usec; its pidfd is not ours */
        bool may_ask;            /* likewise */
        uint64_t located_usec;   /* monotonic */
        uint64_t not_before_usec; /* monotonic; of the next batch */
        size_t room;             /* of the denials of the next batch */
        bool waiting;            /* there are some */
        BusDomainNews news;      /* for all subscriptions to domains, whose signals have no cookie */
        BusSubscriptionList subscriptions;
        size_t n_subscriptions;
        uint64_t last_cookie;
        size_t n_domain_subscriptions;
        TAILQ_ENTRY(BusSubscriber) entry;
};

/* Takes its place in the set. */
int bus_subscriber_new(BusSubscriber **ret, BusSubscriberSet *set, const char *name, uid_t uid);

/* Leaves it; its subscriptions end. */
BusSubscriber *bus_subscriber_free(BusSubscriber *subscriber);
DEFINE_CLEANUP(BusSubscriber *, bus_subscriber_free);

/* NULL if there is none. */
BusSubscriber *bus_subscriber_find(const BusSubscriberSet *set, const char *name);

/* The cookie is the client's own: it tells nothing of how many others there are. -ENOMEM. */
int bus_subscriber_add(BusSubscriber *subscriber, const BusFilter *filter, uint64_t *ret_cookie);

/* -ENOENT if it has none with that cookie. */
int bus_subscriber_remove(BusSubscriber *subscriber, uint64_t cookie);

/* Frees it if nothing keeps it: no subscription, and no signals that it has not read, so that subscribing again does not
 * help who does not read. */
void bus_subscriber_forget_if_idle(BusSubscriber *subscriber);

/* Queues the denial for the subscriptions that it is for, if the client may see it. `domain` is the one that denied, `hash`
 * the denial's denial_access_hash(). */
void bus_subscriber_push_denial(BusSubscriber *subscriber, const Denial *denial, const Domain *domain, uint64_t hash);

/* Notes what the change tells of its domain, if the client asked for that and may see it. */
void bus_subscriber_push_domain(BusSubscriber *subscriber, const Change *change);

/* When bus_subscriber_send() may send what waits, in µs of the monotonic clock; UINT64_MAX: nothing does, or it has to be
 * answered first. */
uint64_t bus_subscriber_due(const BusSubscriber *subscriber);

/* Sends what waits. */
void bus_subscriber_send(BusSubscriber *subscriber);
