/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate: finds out who calls, and lets through whom bus-caller says may ask.
 *
 * It stands before everything that can be called: methods, properties, introspection (which lists domains)
 * and GetManagedObjects alike, because it sees every method call before sd-bus looks for who handles it. Only
 * org.freedesktop.DBus.Peer.Ping, which tells nothing, is open to all.
 *
 * A message does not say which user and which process sent it; the message bus knows, and polkit knows who may observe
 * all. They are asked without waiting: the first calls of a sender are held until they have answered, then put back
 * into the queue of incoming ones. */
#pragma once

#include <systemd/sd-bus.h>

#include "base/macros.h"
#include "model/counters.h"
#include "publish/bus-caller.h"

typedef struct BusAccess BusAccess;

typedef struct BusAccessOptions {
        sd_bus *bus;
        const DomainTable *table;
        const DomainReader *reader;
        Counters *counters;
        bool unprivileged; /* not only root and polkit's may ask */
        bool polkit;       /* on this bus nobody but polkit can have its name */
} BusAccessOptions;

/* Guards the connection, which must not outlive the result. Senders' names mean nothing on any other connection, so
 * what was learned must be forgotten with it. */
int bus_access_new(BusAccess **ret, const BusAccessOptions *options);
BusAccess *bus_access_free(BusAccess *access);
DEFINE_CLEANUP(BusAccess *, bus_access_free);

/* Who sent the call that is being handled; never NULL, since it was let through. Borrowed until the next message. */
const BusCaller *bus_access_caller(BusAccess *access, sd_bus_message *m);

/* Who has that unique name, with the place where it is now; NULL if it is not known, or may not ask any more. Borrowed
 * until the next message. It stays known, if there is room, and polkit is asked anew when its rules change, until
 * bus_access_forget(). */
const BusCaller *bus_access_find_caller(BusAccess *access, const char *unique_name);

/* That name has left the bus. */
void bus_access_forget(BusAccess *access, const char *unique_name);
