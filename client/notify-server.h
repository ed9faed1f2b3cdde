/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way to whoever shows notifications (org.freedesktop.Notifications), which may be absent, come later, go and be
 * replaced, and may have enough: one message at a time, never a queue, and after a refusal a pause that doubles. */
#pragma once

#include <systemd/sd-bus.h>

#include "base/macros.h"
#include "client/notify-message.h"

typedef struct NotifyServer NotifyServer;

typedef struct NotifyServerEvents {
        void (*ready)(void *userdata);                        /* a message can be sent, or it is worth asking again */
        void (*shown)(void *userdata, uint32_t id);           /* the one that was sent; before ready() */
        void (*failed)(void *userdata);                       /* it was not shown; ready() comes when that may change */
        void (*closed)(void *userdata, uint32_t id);          /* by whom or what ever; maybe not one of ours */
        void (*invoked)(void *userdata, uint32_t id, const char *action);
        void (*lost)(void *userdata);                         /* the server is another one: no ID is valid any more */
} NotifyServerEvents;

#define NOTIFY_ACTION_DETAILS "details"
#define NOTIFY_ACTION_IGNORE "ignore"
#define NOTIFY_ACTION_IGNORE_SESSION "ignore-session"

/* The bus is attached to an event loop. */
int notify_server_new(sd_bus *bus, const NotifyServerEvents *events, void *userdata, NotifyServer **ret);
NotifyServer *notify_server_free(NotifyServer *server);
DEFINE_CLEANUP(NotifyServer *, notify_server_free);

/* Whether a message can be sent now. If not, ready() comes when it can, and this may be what begins to find out. */
bool notify_server_can_send(NotifyServer *server);

/* Copies the message. shown() or failed() follows, not before this returns. */
int notify_server_send(NotifyServer *server, const NotifyMessage *message);

void notify_server_close(NotifyServer *server, uint32_t id);
