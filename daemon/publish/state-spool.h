/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The event log as a file that outlives the daemon: DIR/events.spool. */
#pragma once

#include "publish/event-log.h"

#define STATE_SPOOL "events.spool"

typedef struct StateSpoolOptions {
        int directory;          /* fd; nobody else's landlockd uses it */
        size_t n_bytes, n_entries;
        const char *machine_id; /* "" if unknown */
} StateSpoolOptions;

/* Opens what an earlier landlockd left, or begins anew. All space that it will need is reserved: a full disk shows now,
 * and never as a signal later. A file of another size is copied into one of the right size, as many events as fit; if there
 * is no room for that, it stays as it is. One that is not as it should be is set aside: *ret_set_aside. -errno: it cannot
 * be kept in a file. */
int state_spool_open(const StateSpoolOptions *options, EventLog *ret_log, bool *ret_set_aside);

/* Renames DIR/NAME to DIR/NAME.bad, over what had that name, and says so, and why. Returns whether that was possible. */
bool state_set_aside(int directory, const char *name, const char *reason);
