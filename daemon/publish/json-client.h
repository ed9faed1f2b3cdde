/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One client of the JSON socket.
 *
 * It costs a cursor into the event log, which all clients share, and a small queue of its own for answers and for what
 * is left of a line that the socket took in part. When the log overtakes a client that does not read, the client is
 * told how many events it missed and goes on from the oldest; nobody else notices. */
#pragma once

#include <event2/event.h>
#include <sys/queue.h>

#include "base/macros.h"
#include "publish/json-event.h"

typedef struct JsonClient JsonClient;
typedef TAILQ_HEAD(JsonClientList, JsonClient) JsonClientList;

/* What the clients have in common. */
typedef struct JsonFeed {
        struct event_base *base;
        const DomainTable *table;
        const Status *status;
        Counters *counters;
        const EventLog *log;
        JsonEncoder encoder;
        JsonClientList clients;
        size_t n_clients;
        bool publishing; /* the table may be ahead of what was published: no question is answered now */
} JsonFeed;

/* Greets the client, and serves it until it goes. Takes over the fd, also when this fails. */
int json_client_new(JsonFeed *feed, int fd);
JsonClient *json_client_free(JsonClient *client);

/* Passes on what was published since the last time, as far as each client's socket takes it. */
void json_client_flush_all(JsonFeed *feed);
