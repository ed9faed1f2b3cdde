/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/notify-server.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "client/bus-connection.h"
#include "client/memory.h"
#include "client/notify-text.h"

#define NAME "org.freedesktop.Notifications"
#define PATH "/org/freedesktop/Notifications"
#define INTERFACE "org.freedesktop.Notifications"

#define CALL_TIMEOUT_USEC (10 * USEC_PER_SEC)
#define PAUSE_MIN_USEC (30 * USEC_PER_SEC)
#define PAUSE_MAX_USEC (600 * USEC_PER_SEC)

typedef enum State {
        STATE_UNKNOWN, /* what it can do has to be asked, which may start it */
        STATE_ASKING,
        STATE_IDLE,
        STATE_SENDING,
        STATE_PAUSING, /* it refused */
        STATE_ABSENT,  /* and nothing would start it: until its name appears */
} State;

struct NotifyServer {
        sd_bus *bus;
        const NotifyServerEvents *events;
        void *userdata;
        State state;
        bool actions, markup; /* what it can do */
        sd_bus_slot *call, *owner_match, *invoked_match, *closed_match;
        sd_event_source *timer;
        uint64_t pause_usec;
};

static int on_pause_over(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        NotifyServer *server = userdata;

        server->timer = sd_event_source_disable_unref(server->timer);
        server->state = STATE_UNKNOWN;
        server->events->ready(server->userdata);
        return 0;
}

/* What made it refuse may be too much of us (Error.ExcessNotificationGeneration), or that it hangs, or cannot start. */
static void pause_sending(NotifyServer *server, const sd_bus_error *error) {
        uint64_t pause = server->pause_usec == 0 ? PAUSE_MIN_USEC : MIN(server->pause_usec * 2, PAUSE_MAX_USEC);
        int r;

        log_notice("The notification server refuses (%s: %s). It is left alone for %u s.", error->name, error->message,
                   (unsigned) (pause / USEC_PER_SEC));
        server->pause_usec = pause;
        server->state = STATE_PAUSING;
        server->timer = sd_event_source_disable_unref(server->timer);
        r = sd_event_add_time_relative(sd_bus_get_event(server->bus), &server->timer, CLOCK_MONOTONIC, pause,
                                       USEC_PER_SEC, on_pause_over, server);
        if (r < 0) {
                log_error(r, "Cannot set a timer: %m.");
                server->state = STATE_ABSENT;
        }
}

static void on_failure(NotifyServer *server, const sd_bus_error *error) {
        if (sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN)) {
                log_info("There is no notification server: waiting for one.");
                server->state = STATE_ABSENT;
        } else
                pause_sending(server, error);
}

static int on_capabilities(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *ret_error) {
        NotifyServer *server = userdata;
        const char *capability;
        int r;

        server->call = sd_bus_slot_unref(server->call);
        if (sd_bus_message_is_method_error(reply, NULL)) {
                on_failure(server, sd_bus_message_get_error(reply));
                return 0;
        }

        server->actions = server->markup = false;
        r = sd_bus_message_enter_container(reply, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read_basic(reply, 's', &capability)) > 0) {
                server->actions |= strcmp(capability, "actions") == 0;
                server->markup |= strcmp(capability, "body-markup") == 0;
        }
        if (r < 0)
                log_warning("The notification server does not say properly what it can do: it gets plain text.");
        server->state = STATE_IDLE;
        server->events->ready(server->userdata);
        return 0;
}

static int call(NotifyServer *server, const char *method, sd_bus_message **ret) {
        return sd_bus_message_new_method_call(server->bus, ret, NAME, PATH, INTERFACE, method);
}

static void ask_capabilities(NotifyServer *server) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = call(server, "GetCapabilities", &m);
        if (r >= 0)
                r = sd_bus_call_async(server->bus, &server->call, m, on_capabilities, server, CALL_TIMEOUT_USEC);
        if (r < 0)
                log_error(r, "Cannot ask the notification server: %m.");
        else
                server->state = STATE_ASKING;
}

bool notify_server_can_send(NotifyServer *server) {
        if (server->state == STATE_UNKNOWN)
                ask_capabilities(server);
        return server->state == STATE_IDLE;
}

static int on_notified(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *ret_error) {
        NotifyServer *server = userdata;
        uint32_t id;

        server->call = sd_bus_slot_unref(server->call);
        if (sd_bus_message_is_method_error(reply, NULL) || sd_bus_message_read_basic(reply, 'u', &id) <= 0) {
                _cleanup_(sd_bus_error_free) sd_bus_error bad =
                        SD_BUS_ERROR_MAKE_CONST(SD_BUS_ERROR_INVALID_SIGNATURE, "its answer is no ID");

                on_failure(server, sd_bus_message_get_error(reply) ?: &bad);
                server->events->failed(server->userdata);
                return 0;
        }
        server->pause_usec = 0;
        server->state = STATE_IDLE;
        server->events->shown(server->userdata, id);
        server->events->ready(server->userdata);
        return 0;
}

static int append_actions(sd_bus_message *m, const NotifyMessage *message) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "s");
        if (r >= 0 && message->details)
                r = sd_bus_message_append(m, "ss", NOTIFY_ACTION_DETAILS, "Details");
        if (r >= 0 && message->ignore)
                r = sd_bus_message_append(m, "ssss", NOTIFY_ACTION_IGNORE, "Ignore this",
                                          NOTIFY_ACTION_IGNORE_SESSION, "Ignore until restart");
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_message(const NotifyServer *server, sd_bus_message *m, const NotifyMessage *message) {
        _cleanup_free_ char *markup = server->markup ? notify_text_markup(message->body) : NULL;
        int r;

        r = sd_bus_message_append(m, "susss", "Landlock", message->replaces, "security-high", message->summary,
                                  markup ?: message->body);
        if (r >= 0)
                r = server->actions ? append_actions(m, message) : sd_bus_message_append(m, "as", 0);
        if (r >= 0)
                r = sd_bus_message_append(m, "a{sv}", 3, "urgency", "y", message->urgency,
                                          "category", "s", "x-landlock.sandbox.denied",
                                          "desktop-entry", "s", "landlock-notify");
        return r < 0 ? r : sd_bus_message_append(m, "i", -1); /* when it goes away is the server's to say */
}

int notify_server_send(NotifyServer *server, const NotifyMessage *message) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (server->state != STATE_IDLE)
                return -EBUSY;
        r = call(server, "Notify", &m);
        if (r >= 0)
                r = append_message(server, m, message);
        if (r >= 0)
                r = sd_bus_call_async(server->bus, &server->call, m, on_notified, server, CALL_TIMEOUT_USEC);
        if (r >= 0)
                server->state = STATE_SENDING;
        return r;
}

void notify_server_close(NotifyServer *server, uint32_t id) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = call(server, "CloseNotification", &m);
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        if (r >= 0)
                r = sd_bus_message_set_expect_reply(m, false);
        if (r >= 0)
                r = sd_bus_message_append(m, "u", id);
        if (r >= 0)
                r = sd_bus_send(server->bus, m, NULL);
        if (r < 0)
                log_error(r, "Cannot close a notification: %m.");
}

static int on_owner_changed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *ret_error) {
        NotifyServer *server = userdata;
        bool sending = server->state == STATE_SENDING, called = server->call;
        const char *owner;

        if (sd_bus_message_read(m, "sss", NULL, NULL, &owner) < 0)
                return 0;
        server->call = sd_bus_slot_unref(server->call);
        server->timer = sd_event_source_disable_unref(server->timer);
        server->pause_usec = 0;
        server->state = STATE_UNKNOWN;
        if (sending)
                server->events->failed(server->userdata);
        server->events->lost(server->userdata);
        if (*owner)
                server->events->ready(server->userdata);
        else if (called) {
                _cleanup_(sd_bus_error_free) sd_bus_error gone =
                        SD_BUS_ERROR_MAKE_CONST(SD_BUS_ERROR_NO_REPLY, "it ended");

                /* To call it again may start it again, and what is to be told still is. */
                pause_sending(server, &gone);
        }
        return 0;
}

static int on_invoked(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *ret_error) {
        NotifyServer *server = userdata;
        const char *action;
        uint32_t id;

        if (sd_bus_message_read(m, "us", &id, &action) > 0)
                server->events->invoked(server->userdata, id, action);
        return 0;
}

static int on_closed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *ret_error) {
        NotifyServer *server = userdata;
        uint32_t id;

        if (sd_bus_message_read(m, "uu", &id, NULL) > 0)
                server->events->closed(server->userdata, id);
        return 0;
}

static int add_matches(NotifyServer *server) {
        int r;

        r = sd_bus_add_match_async(server->bus, &server->owner_match,
                                   "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                                   "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" NAME "'",
                                   on_owner_changed, NULL, server);
        if (r >= 0)
                r = sd_bus_match_signal_async(server->bus, &server->invoked_match, NAME, PATH, INTERFACE,
                                              "ActionInvoked", on_invoked, NULL, server);
        if (r >= 0)
                r = sd_bus_match_signal_async(server->bus, &server->closed_match, NAME, PATH, INTERFACE,
                                              "NotificationClosed", on_closed, NULL, server);
        return r;
}

int notify_server_new(sd_bus *bus, const NotifyServerEvents *events, void *userdata, NotifyServer **ret) {
        _cleanup_(notify_server_freep) NotifyServer *server = check_memory(calloc(1, sizeof(*server)));
        int r;

        server->bus = sd_bus_ref(bus);
        server->events = events;
        server->userdata = userdata;
        r = add_matches(server);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(server);
        return 0;
}

NotifyServer *notify_server_free(NotifyServer *server) {
        if (!server)
                return NULL;
        sd_bus_slot_unref(server->call);
        sd_bus_slot_unref(server->owner_match);
        sd_bus_slot_unref(server->invoked_match);
        sd_bus_slot_unref(server->closed_match);
        sd_event_source_disable_unref(server->timer);
        sd_bus_unref(server->bus);
        free(server);
        return NULL;
}
