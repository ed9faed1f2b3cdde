/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlockd on a message bus: its connection, kept up without ever holding up the event loop. */
#pragma once

#include <stdbool.h>

#include "base/macros.h"
#include "model/change.h"
#include "model/domain-reader.h"
#include "model/domain-table.h"
#include "model/status.h"
#include "model/task-identity.h"

struct event_base;

typedef struct Bus Bus;

typedef struct BusOptions {
        struct event_base *base;
        const char *address;      /* "system", "session", "none" or a D-Bus address */
        const DomainTable *table; /* borrowed, as all of them */
        const Status *status;
        Counters *counters;
        DomainReader reader;
        TaskIdentify identify;
        bool unprivileged;        /* not only root and whom polkit allows it may ask */
} BusOptions;

/* With "none" *ret is NULL.
 *
 * Waits for the bus, so that what is wrong with it can end the start: -EADDRINUSE when another landlockd has the
 * name, -EACCES when the bus's policy does not let us have it, anything else when there is no connection. Later a
 * connection that is lost is made anew, with growing pauses and without waiting. */
int bus_new(Bus **ret, const BusOptions *options);

/* Tells those who have subscribed, soon. NULL is no bus: nobody. */
void bus_publish(Bus *bus, const Change *change);

Bus *bus_free(Bus *bus);
DEFINE_CLEANUP(Bus *, bus_free);
