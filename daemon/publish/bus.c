/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/log.h"
#include "publish/bus-access.h"
#include "publish/bus-domain.h"
#include "publish/bus-manager.h"
#include "publish/bus-subscription.h"
#include "publish/bus-view.h"

/* Steps of sd-bus, and time, before the other sources of the loop have their turn: whoever may call can call without end,
 * and one answer can take milliseconds. */
#define STEPS_MAX 16
#define TURN_USEC (2 * USEC_PER_MSEC)

/* How long the bus has for an answer. Shorter than the 25 s that callers usually wait for ours. */
#define ANSWER_USEC (5 * USEC_PER_SEC)

/* Pause before a lost connection is tried again, doubled each time. */
#define RETRY_FIRST_USEC (100 * USEC_PER_MSEC)
#define RETRY_MAX_USEC (30 * USEC_PER_SEC)

struct Bus {
        BusOptions options; /* the address is owned */
        BusModel model;

        sd_bus *connection; /* NULL while waiting to try again */
        BusSubscriptions *subscriptions; /* likewise */
        struct event *io;    /* the connection's fd, and the next moment at which something is due */
        uint64_t until_usec; /* that moment, monotonic; UINT64_MAX: none */
        struct event *retry;
        uint64_t retry_usec; /* the next pause */
        int name_error;      /* why this connection did not get the name */
        int error;           /* why landlockd is not on the bus; 0 while it is */
};

static const char *bus_title(const Bus *bus) {
        if (strcmp(bus->options.address, "system") == 0)
                return "the system bus";
        if (strcmp(bus->options.address, "session") == 0)
                return "the session bus";
        return bus->options.address;
}

static int open_connection(const char *address, sd_bus **ret) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *connection = NULL;
        int r;

        if (strcmp(address, "system") == 0)
                return sd_bus_open_system_with_description(ret, "landlockd");
        if (strcmp(address, "session") == 0)
                return sd_bus_open_user_with_description(ret, "landlockd");

        r = sd_bus_new(&connection);
        if (r < 0)
                return r;
        r = sd_bus_set_address(connection, address);
        if (r < 0)
                return r;
        r = sd_bus_set_bus_client(connection, true);
        if (r < 0)
                return r;
        r = sd_bus_start(connection);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(connection);
        return 0;
}

static void bus_disconnect(Bus *bus) {
        event_del(bus->io);
        bus->subscriptions = bus_subscriptions_free(bus->subscriptions);
        bus->model.access = bus_access_free(bus->model.access);
        bus->connection = sd_bus_close_unref(bus->connection);
}

/* A connection with everything on it but the name. Does not wait: what it sends is queued. */
static int bus_connect(Bus *bus) {
        BusAccessOptions access = {
                .table = bus->options.table,
                .reader = &bus->options.reader,
                .counters = bus->options.counters,
                .unprivileged = bus->options.unprivileged,
                /* On a session bus the user could answer in polkit's place. */
                .polkit = strcmp(bus->options.address, "session") != 0,
        };
        int r;

        r = open_connection(bus->options.address, &bus->connection);
        if (r < 0)
                return r;
        r = sd_bus_set_method_call_timeout(bus->connection, ANSWER_USEC);
        if (r < 0)
                return r;
        /* Before the objects, so that there is no moment without it. */
        access.bus = bus->connection;
        r = bus_access_new(&bus->model.access, &access);
        if (r < 0)
                return r;
        r = bus_manager_attach(bus->connection, &bus->model);
        if (r < 0)
                return r;
        r = bus_domain_attach(bus->connection, &bus->model);
        if (r < 0)
                return r;
        return bus_subscriptions_new(&bus->subscriptions, bus->connection, &bus->model, bus->options.counters);
}

/* sd-bus changes what it waits for with everything that it does: told to the loop anew before each wait. So is when the
 * next signals may go out: no time is waited for while there are none. */
static int bus_arm(Bus *bus) {
        int fd, events, r;
        uint64_t until;
        short what;

        fd = sd_bus_get_fd(bus->connection);
        if (fd < 0)
                return fd;
        events = sd_bus_get_events(bus->connection);
        if (events < 0)
                return events;
        r = sd_bus_get_timeout(bus->connection, &until);
        if (r < 0)
                return r;
        bus->until_usec = MIN(until, bus_subscriptions_due(bus->subscriptions));

        event_del(bus->io);
        what = (events & POLLIN ? EV_READ : 0) | (events & POLLOUT ? EV_WRITE : 0);
        event_assign(bus->io, bus->options.base, fd, what, event_get_callback(bus->io), bus);

        /* In µs of the monotonic clock; libevent rounds up to what its backend can wait for. */
        if (bus->until_usec != UINT64_MAX) {
                uint64_t now = clock_monotonic_usec(), usec = bus->until_usec > now ? bus->until_usec - now : 0;
                const struct timeval timeout = { usec / USEC_PER_SEC, usec % USEC_PER_SEC };

                r = event_add(bus->io, &timeout);
        } else {
                r = event_add(bus->io, NULL);
        }
        return r < 0 ? -ENOMEM : 0;
}

/* Gives the connection up and has it tried again. Logged is how it begins, and a bus that does not give us the name. */
static void bus_lost(Bus *bus, int error) {
        const struct timeval pause = { bus->retry_usec / USEC_PER_SEC, bus->retry_usec % USEC_PER_SEC };
        bool refused = error == -EADDRINUSE || error == -EACCES;

        if (bus->error == 0 || (refused && error != bus->error))
                log_full(LOG_WARNING, error, "Not on %s any more: %s. Trying again until it works.", bus_title(bus),
                         error == -EADDRINUSE ? "another landlockd has the name" : strerror(-error));
        bus->error = error;
        bus_disconnect(bus);

        /* Without memory for a timer nothing could be done about it either. */
        (void) event_add(bus->retry, &pause);
        bus->retry_usec = MIN(bus->retry_usec * 2, RETRY_MAX_USEC);
}

static void on_io(_unused_ evutil_socket_t fd, _unused_ short what, void *userdata) {
        const uint64_t end_usec = clock_monotonic_usec() + TURN_USEC;
        Bus *bus = userdata;
        int r = 1;

        for (unsigned i = 0; r > 0 && i < STEPS_MAX && (i == 0 || clock_monotonic_usec() < end_usec); i++)
                r = sd_bus_process(bus->connection, NULL);
        if (r >= 0) {
                bus_subscriptions_send(bus->subscriptions);
                r = bus_arm(bus);
        }
        if (r < 0)
                bus_lost(bus, bus->name_error < 0 ? bus->name_error : r);
}

/* The answer to RequestName. */
static int read_name_result(sd_bus_message *answer) {
        uint32_t result;
        int r;

        r = -sd_bus_message_get_errno(answer);
        if (r < 0)
                return r;
        r = sd_bus_message_read(answer, "u", &result);
        if (r < 0)
                return r;
        return result == 1 /* DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER */ ? 0 : -EADDRINUSE;
}

static int on_name(sd_bus_message *answer, void *userdata, _unused_ sd_bus_error *error) {
        Bus *bus = userdata;

        bus->name_error = read_name_result(answer);
        if (bus->name_error < 0) {
                /* Not freed in its own callback: on_io() finds it closed. */
                sd_bus_close(bus->connection);
                return 1;
        }

        log_info("Connected to %s again.", bus_title(bus));
        bus->error = 0;
        bus->retry_usec = RETRY_FIRST_USEC;
        return 1;
}

static void on_retry(_unused_ evutil_socket_t fd, _unused_ short what, void *userdata) {
        Bus *bus = userdata;
        int r;

        bus->name_error = 0;
        r = bus_connect(bus);
        if (r >= 0)
                r = sd_bus_request_name_async(bus->connection, NULL, BUS_NAME, 0, on_name, bus);
        if (r >= 0)
                r = bus_arm(bus);
        if (r < 0)
                bus_lost(bus, r);
}

/* The one time that it is waited for. */
static int bus_start(Bus *bus) {
        int r;

        r = bus_connect(bus);
        if (r < 0)
                return r;
        r = sd_bus_request_name(bus->connection, BUS_NAME, 0);
        if (r < 0)
                return r == -EEXIST ? -EADDRINUSE : r;
        return bus_arm(bus);
}

int bus_new(Bus **ret, const BusOptions *options) {
        _cleanup_(bus_freep) Bus *bus = NULL;
        int r;

        if (strcmp(options->address, "none") == 0) {
                *ret = NULL;
                return 0;
        }

        bus = malloc(sizeof(Bus));
        if (!bus)
                return -ENOMEM;
        *bus = (Bus) {
                .options = *options,
                .model = {
                        .table = options->table,
                        .status = options->status,
                        .reader = &bus->options.reader,
                        .identify = options->identify,
                },
                .io = event_new(options->base, -1, 0, on_io, bus),
                .retry = evtimer_new(options->base, on_retry, bus),
                .retry_usec = RETRY_FIRST_USEC,
        };
        bus->options.address = strdup(options->address);
        if (!bus->options.address || !bus->io || !bus->retry)
                return -ENOMEM;

        r = bus_start(bus);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(bus);
        return 0;
}

void bus_publish(Bus *bus, const Change *change) {
        int r;

        if (!bus || !bus->connection)
                return;
        bus_subscriptions_publish(bus->subscriptions, change);
        if (bus_subscriptions_due(bus->subscriptions) >= bus->until_usec)
                return;
        r = bus_arm(bus);
        if (r < 0)
                bus_lost(bus, r);
}

Bus *bus_free(Bus *bus) {
        if (!bus)
                return NULL;

        bus_subscriptions_free(bus->subscriptions);
        bus->model.access = bus_access_free(bus->model.access);
        sd_bus_close_unref(bus->connection);
        FREE_IF_SET(event_free, bus->io);
        FREE_IF_SET(event_free, bus->retry);
        free((char *) bus->options.address);
        free(bus);
        return NULL;
}
