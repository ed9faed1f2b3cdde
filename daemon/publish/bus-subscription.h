/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subscribe(), Unsubscribe() and what they bring: signals, each sent to one client that asked for it and may see it.
 * Nothing is broadcast, since the bus would deliver a broadcast to whoever listens.
 *
 * Nothing waits, neither for the bus nor for a client. bus-subscriber has the pace. */
#pragma once

#include "publish/bus-subscriber.h"

typedef struct BusSubscriptions BusSubscriptions;

/* Offers the methods on the connection, which is borrowed, as is the rest. They end with the result, as do all
 * subscriptions. */
int bus_subscriptions_new(BusSubscriptions **ret, sd_bus *bus, const BusModel *model, Counters *counters);
BusSubscriptions *bus_subscriptions_free(BusSubscriptions *subscriptions);
DEFINE_CLEANUP(BusSubscriptions *, bus_subscriptions_free);

/* Queues what the change is for each subscription. Costs nothing if there is none. */
void bus_subscriptions_publish(BusSubscriptions *subscriptions, const Change *change);

/* When bus_subscriptions_send() has something to send, in µs of the monotonic clock; UINT64_MAX: nothing waits for time
 * to pass, but perhaps for the bus. It may change with everything that the connection does. */
uint64_t bus_subscriptions_due(const BusSubscriptions *subscriptions);

/* Sends what is due, or some of it, with the rest still due. */
void bus_subscriptions_send(BusSubscriptions *subscriptions);
