/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pace at which a subscriber is told: floods, clients that do not read, and nothing at all. */
#include "test-bus-listener.h"

#include <event2/event.h>
#include <sys/resource.h>

#include "publish/bus-queue.h"

static void is_flooded(Fixture *f) {
        Told told;
        sd_bus *bus = listener_open(f, &told);

        check_text(client_error(bus, PATH, MANAGER, "Subscribe", "a{sv}", 0), "");
        for (unsigned i = 0; i < 100; i++)
                order((Order) { .domain = A, .n = 1000, .n_objects = 3 });
        listen_for(bus, &told, 100000);
        check(told.n_denials == 100000 && told.n_missed_signals == 0);
        /* At least one was for many; and no more than 4 in a second, of 3 each. */
        check(told.n_signals < 100 && told.n_entries <= 3 * told.n_signals);
        listener_close(bus, &told);
}

static void test_flood(void **state) {
        run_client(*state, 0, is_flooded);
}

/* More different ones than are kept: the first of them are told, the others counted. */
static void is_swamped(Fixture *f) {
        Told told;
        sd_bus *bus = listener_open(f, &told);

        check_text(client_error(bus, PATH, MANAGER, "Subscribe", "a{sv}", 0), "");
        order((Order) { .domain = A, .n = 2000, .n_objects = 2000 });
        listen_for(bus, &told, 2000);
        check(told.n_signals == 1 && told.n_entries == BUS_QUEUE_ENTRIES_MAX);
        check(told.n_missed_signals == 1 && told.n_missed == 2000 - BUS_QUEUE_ENTRIES_MAX);
        check(strstr(told.last, "/etc/0\"") && strstr(told.last, "/etc/127\"") && !strstr(told.last, "/etc/128\""));
        /* And then goes on. */
        order((Order) { .domain = A, .n = 1 });
        listen_for(bus, &told, 2001);
        check(told.n_signals == 2 && told.n_missed_signals == 1);
        listener_close(bus, &told);
}

static void test_swamped(void **state) {
        Fixture *f = *state;
        uint64_t told = f->status.counters.bus_denials_told, missed = f->status.counters.bus_missed;

        run_client(f, 0, is_swamped);
        assert_int_equal(f->status.counters.bus_denials_told, told + BUS_QUEUE_ENTRIES_MAX + 1);
        assert_int_equal(f->status.counters.bus_missed, missed + 2000 - BUS_QUEUE_ENTRIES_MAX);
}

/* On the bus with the installed policy, too, which lets landlockd ask whether it has read.
 *
 * Does not read for longer than many batches take: all that time nothing is sent to it after the first. Meanwhile others
 * are told. */
static void does_not_read(Fixture *f) {
        Told told, other;
        sd_bus *bus = listener_open(f, &told), *reader = listener_open(f, &other);

        check_text(client_error(bus, PATH, MANAGER, "Subscribe", "a{sv}", 0), "");
        check_text(client_error(reader, PATH, MANAGER, "Subscribe", "a{sv}", 0), "");
        for (unsigned i = 1; i <= 15; i++) {
                order((Order) { .domain = A, .n = 200, .n_objects = 200 });
                listen_for(reader, &other, i * 200);
        }
        check(other.n_signals >= 15);

        listen_for(bus, &told, 15 * 200);
        listen_in_vain(bus, &told);
        check(told.n_signals == 2 && told.n_entries == 2 * BUS_QUEUE_ENTRIES_MAX);
        check(told.n_missed_signals >= 1 && told.n_denials + told.n_missed == 15 * 200);
        listener_close(reader, &other);
        listener_close(bus, &told);
}

static void test_does_not_read(void **state) {
        run_client(*state, 0, does_not_read);
}

/* Nor by subscribing anew does it get more onto its way. */
static void subscribes_anew(Fixture *f) {
        Told told, other;
        sd_bus *bus = listener_open(f, &told), *reader = listener_open(f, &other);

        check_text(client_error(reader, PATH, MANAGER, "Subscribe", "a{sv}", 0), "");
        check_text(client_get(bus, PATH, MANAGER, "Version"), "<s \"1.2.3\">");
        for (unsigned i = 1; i <= 5; i++) {
                sd_bus_message *m = NULL;

                /* Without reading the answers. */
                check(sd_bus_call_method_async(bus, NULL, NAME, PATH, MANAGER, "Subscribe", NULL, NULL, "a{sv}", 0) >= 0);
                check(sd_bus_message_new_method_call(bus, &m, NAME, PATH, MANAGER, "Unsubscribe") >= 0);
                check_text(client_get(reader, PATH, MANAGER, "Version"), "<s \"1.2.3\">");
                order((Order) { .domain = A, .n = 10 });
                listen_for(reader, &other, i * 10);
                check(sd_bus_message_append(m, "t", (uint64_t) i) >= 0);
                check(sd_bus_send(bus, m, NULL) >= 0);
                sd_bus_message_unref(m);
        }
        listen_for(bus, &told, 10);
        listen_in_vain(bus, &told);
        check(told.n_signals == 1 && told.n_denials == 10);
        listener_close(reader, &other);
        listener_close(bus, &told);
}

static void test_subscribes_anew(void **state) {
        run_client(*state, 0, subscribes_anew);
}

static void is_quiet(Fixture *f) {
        Told told;
        sd_bus *bus = listener_open(f, &told);

        check_text(client_error(bus, PATH, MANAGER, "Subscribe", "a{sv}", 0), "");
        order((Order) { .domain = A, .n = 10 });
        listen_for(bus, &told, 10);
        listen_long(bus, 3500);
        listener_close(bus, &told);
}

/* How often the process has waited since the last time, which each wake-up of the loop ends in. */
static long count_waits(void) {
        static long before;
        struct rusage usage;
        long n;

        assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
        n = usage.ru_nvcsw - before;
        before = usage.ru_nvcsw;
        return n;
}

/* While there is a subscription and nothing to tell, the loop does not wake up. */
static void on_second(_unused_ evutil_socket_t fd, _unused_ short what, void *userdata) {
        static unsigned n;
        const Counters *counters = userdata;
        long n_waits = count_waits();

        if (n++ == 0 || counters->bus_subscriptions == counters->bus_subscriptions_ended)
                return;
        /* The wait for this timer, and as much again. */
        assert_in_range(n_waits, 1, 2);
}

static void test_quiet(void **state) {
        Fixture *f = *state;
        struct event *second = event_new(f->base, -1, EV_PERSIST, on_second, &f->status.counters);

        assert_non_null(second);
        event_add(second, &(struct timeval) { .tv_sec = 1 });
        run_client(f, 0, is_quiet);
        event_free(second);
        listener_wait_for_end(f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_flood, listener_setup, listener_teardown),
                cmocka_unit_test_setup_teardown(test_swamped, listener_setup, listener_teardown),
                cmocka_unit_test_setup_teardown(test_does_not_read, listener_setup, listener_teardown),
                cmocka_unit_test_setup_teardown(test_does_not_read, listener_setup_with_installed_policy, listener_teardown),
                cmocka_unit_test_setup_teardown(test_subscribes_anew, listener_setup, listener_teardown),
                cmocka_unit_test_setup_teardown(test_quiet, listener_setup, listener_teardown),
        };

        fixture_require();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
