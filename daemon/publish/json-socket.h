/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Unix socket on which landlockd tells programs what happens, as NDJSON (doc/json.md).
 *
 * Each event is encoded once, into a bounded log; the clients read from there. Who may connect is decided by the
 * socket's mode and group alone. */
#pragma once

#include <event2/event.h>

#include "base/macros.h"
#include "model/change.h"
#include "model/domain-table.h"
#include "model/status.h"
#include "publish/event-log.h"

typedef struct JsonSocket JsonSocket;

typedef struct JsonSocketOptions {
        const char *path;    /* NULL: `fd` is a listening socket to take over */
        int fd;              /* of no meaning with a path */
        const char *group;   /* that may connect beside root, if there is such a group; NULL: none */
        size_t max_clients;
} JsonSocketOptions;

/* Listens at once. Log, table, status and counters are borrowed; the strings only for the call. -EADDRINUSE if someone
 * listens on the path already (what a dead one left is removed), -EEXIST if something else than a socket is there,
 * -ENAMETOOLONG, -ENOTSOCK for an fd that is no listening Unix stream socket, or -errno. */
int json_socket_new(JsonSocket **ret, struct event_base *base, const JsonSocketOptions *options,
                    EventLog *log, const DomainTable *table, const Status *status, Counters *counters);

/* Sends what clients still take at once, and removes the path. */
JsonSocket *json_socket_free(JsonSocket *s);
DEFINE_CLEANUP(JsonSocket *, json_socket_free);

/* Numbers the change and keeps it for the clients, who get it before the loop waits again. */
void json_socket_publish(JsonSocket *s, const Change *change);
