/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlockd on a message bus: its connection, kept up without ever holding up the event loop. */
#pragma once

#include "base/macros.h"
#include "model/domain-table.h"
#include "model/status.h"

struct event_base;

typedef struct Bus Bus;

/* `address` is "system", "session", "none" (*ret is NULL then) or a D-Bus address. The table, the status and the
 * counters are borrowed.
 *
 * Waits for the bus, so that what is wrong with it can end the start: -EADDRINUSE when another landlockd has the
 * name, -EACCES when the bus's policy does not let us have it, anything else when there is no connection. Later a
 * connection that is lost is made anew, with growing pauses and without waiting. */
int bus_new(
                Bus **ret, struct event_base *base, const char *address, const DomainTable *table, const Status *status,
                Counters *counters);
Bus *bus_free(Bus *bus);
DEFINE_CLEANUP(Bus *, bus_free);
