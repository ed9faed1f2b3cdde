/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-bus-listener.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>

static const DomainTableLimits limits = { .n_domains = 64, .n_denials = 4096, .n_processes = 64 };

static int orders[2];

/* The domain that callers are in, by what the kernel says. */
static uint64_t place;

static int read_place(_unused_ int64_t tid, uint64_t *ret_domain) {
        *ret_domain = place;
        return 0;
}

static void describe(Fixture *f, uint64_t domain, int64_t uid) {
        tell_described(f, 0, &(DomainDescription) {
                .domain = domain, .creator_uid = uid, .has_creator_uid = true,
        });
}

void listener_obey(Fixture *f, const Order *order) {
        char path[4096];

        if (order->place != 0) {
                place = order->place == NOWHERE ? 0 : order->place;
                return;
        }
        if (order->described) {
                describe(f, order->domain, order->uid);
                return;
        }
        if (order->freed) {
                tell_freed(f, 1, order->domain, -1);
                return;
        }
        for (unsigned i = 0; i < order->n; i++) {
                Denial denial = {
                        .domain = order->domain,
                        .blockers.known = UINT64_C(1) << order->blocker,
                        .object = { .kind = OBJECT_FILE, .path = { path, 0 } },
                        .subject = { .ids[SUBJECT_uid] = order->uid, .known_ids = 1U << SUBJECT_uid },
                };

                denial.object.path.len = snprintf(path, sizeof(path), "/etc/%u", i % order->n_objects);
                tell_denied(f, i, &denial);
        }
}

static void on_order(evutil_socket_t fd, _unused_ short what, void *userdata) {
        Order order;

        assert_int_equal(read(fd, &order, sizeof(order)), sizeof(order));
        listener_obey(userdata, &order);
}

static struct event *order_event;

static int setup(void **state, void (*start)(Fixture *f, const DomainTableLimits *limits)) {
        static Fixture f;

        start(&f, &limits);
        assert_int_equal(pipe2(orders, O_CLOEXEC), 0);
        order_event = event_new(f.base, orders[0], EV_READ | EV_PERSIST, on_order, &f);
        assert_non_null(order_event);
        event_add(order_event, NULL);
        describe(&f, A, ALICE);
        describe(&f, B, BOB);
        f.read_domain = read_place;
        *state = &f;
        return 0;
}

int listener_setup(void **state) {
        return setup(state, fixture_start);
}

int listener_setup_with_installed_policy(void **state) {
        return setup(state, fixture_start_with_installed_policy);
}

int listener_teardown(void **state) {
        event_free(order_event);
        close(orders[0]);
        close(orders[1]);
        fixture_stop(*state);
        return 0;
}

/* ---- the client's side ---- */

void order(Order order) {
        order.n_objects = MAX(order.n_objects, 1U);
        check(write(orders[1], &order, sizeof(order)) == sizeof(order));
}

/* Signals about domains. Those of the bus itself are its own. */
static int note_other(Told *told, sd_bus_message *m) {
        _cleanup_free_ char *text = NULL, *before = NULL;
        uint8_t type;

        check(sd_bus_message_get_type(m, &type) >= 0);
        if (type != SD_BUS_MESSAGE_SIGNAL || strcmp(sd_bus_message_get_interface(m), "org.freedesktop.DBus") == 0)
                return 0;
        text = message_text(m);
        before = told->others;
        told->n_others++;
        check(asprintf(&told->others, "%s%s %s %s\n", before ?: "", sd_bus_message_get_member(m),
                       sd_bus_message_get_path(m), text) > 0);
        return 1;
}

static int on_signal(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        Told *told = userdata;

        if (sd_bus_message_is_signal(m, MANAGER, "Missed")) {
                uint64_t n;

                check(sd_bus_message_read(m, "tt", &told->cookie, &n) > 0);
                told->n_missed_signals++;
                told->n_missed += n;
                return 1;
        }
        if (!sd_bus_message_is_signal(m, MANAGER, "Denials"))
                return note_other(told, m);

        free(told->last);
        told->last = message_text(m);
        told->n_signals++;
        check(sd_bus_message_rewind(m, true) >= 0);
        check(sd_bus_message_read(m, "t", &told->cookie) > 0);
        for (const char *p = told->last; (p = strstr(p, "\"Count\": <t ")); p++) {
                told->n_entries++;
                told->n_denials += strtoull(p + strlen("\"Count\": <t "), NULL, 10);
        }
        return 1;
}

sd_bus *listener_open(Fixture *f, Told *told) {
        sd_bus *bus = client_open(f);

        *told = (Told) {};
        check(sd_bus_add_filter(bus, NULL, on_signal, told) >= 0);
        return bus;
}

/* Reads what there is, or waits for more; false at the end. */
static bool take_step(sd_bus *bus, uint64_t end) {
        uint64_t now = clock_monotonic_usec();
        int r = now < end ? sd_bus_process(bus, NULL) : 0;

        check(r >= 0);
        if (r == 0 && now < end)
                check(sd_bus_wait(bus, end - now) >= 0);
        return now < end;
}

static uint64_t after(unsigned msec) {
        return clock_monotonic_usec() + msec * USEC_PER_MSEC;
}

void listen_for(sd_bus *bus, const Told *told, uint64_t n) {
        uint64_t end = after(20000);

        while (told->n_denials + told->n_missed < n)
                check(take_step(bus, end));
}

void listen_for_others(sd_bus *bus, const Told *told, unsigned n) {
        uint64_t end = after(20000);

        while (told->n_others < n)
                check(take_step(bus, end));
}

void listen_long(sd_bus *bus, unsigned msec) {
        uint64_t end = after(msec);

        while (take_step(bus, end))
                ;
}

void listen_in_vain(sd_bus *bus, const Told *told) {
        const Told before = *told;

        listen_long(bus, 600);
        check(told->n_denials == before.n_denials && told->n_missed == before.n_missed && told->n_others == before.n_others);
}

void listener_close(sd_bus *bus, Told *told) {
        free(told->last);
        free(told->others);
        sd_bus_close_unref(bus);
}

void listener_wait_for_end(Fixture *f) {
        const Counters *counters = &f->status.counters;

        for (unsigned i = 0; counters->bus_subscriptions != counters->bus_subscriptions_ended; i++) {
                assert_true(i < 500);
                run_loop(f, 10);
        }
}

