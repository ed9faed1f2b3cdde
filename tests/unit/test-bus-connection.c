/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection: what can be wrong with it at the start, what happens when the bus goes away or falls silent, and
 * that the event loop never waits for it. */
#include "test-bus-fixture.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"

static const DomainTableLimits limits = { .n_domains = 64, .n_denials = 64, .n_processes = 64 };

static int setup(void **state) {
        static Fixture f;

        fixture_start(&f, &limits);
        *state = &f;
        return 0;
}

static int teardown(void **state) {
        fixture_stop(*state);
        return 0;
}

static int try_address(Fixture *f, const char *address) {
        Bus *bus = (Bus *) f;
        int r;

        r = fixture_new_bus(f, address, &bus);
        assert_ptr_equal(bus, f);
        return r;
}

static void test_bad_start(void **state) {
        Fixture *f = *state;
        Bus *bus = (Bus *) f;

        assert_int_equal(try_address(f, f->address), -EADDRINUSE);
        assert_true(try_address(f, "nonsense") < 0);
        assert_int_equal(try_address(f, "unix:path=/nonexistent/bus"), -ENOENT);
        setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/system", true);
        setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/session", true);
        assert_int_equal(try_address(f, "system"), -ENOENT);
        assert_int_equal(try_address(f, "session"), -ENOENT);

        assert_int_equal(fixture_new_bus(f, "none", &bus), 0);
        assert_null(bus);
        assert_null(bus_free(NULL));
}

static void is_served(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(client_get(bus, PATH, MANAGER, "Version"), "<s \"1.2.3\">");
        sd_bus_close_unref(bus);
}

/* By their variables, as sd-bus finds them for everyone. */
static void test_named_buses(void **state) {
        static const char *const variables[][2] = {
                { "system", "DBUS_SYSTEM_BUS_ADDRESS" }, { "session", "DBUS_SESSION_BUS_ADDRESS" },
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
                setenv(variables[i][1], f->address, true);
                assert_int_equal(try_address(f, variables[i][0]), -EADDRINUSE);
                f->bus = bus_free(f->bus);
                assert_int_equal(fixture_new_bus(f, variables[i][0], &f->bus), 0);
                run_client(f, 0, is_served);
        }
}

/* Counts on the loop while something else goes on, and how long it was ever kept from it. */
typedef struct Ticker {
        struct event *event;
        uint64_t last_usec, longest_usec;
        unsigned n;
} Ticker;

static void on_tick(evutil_socket_t fd _unused_, short what _unused_, void *userdata) {
        Ticker *ticker = userdata;
        uint64_t now = clock_monotonic_usec();

        ticker->longest_usec = MAX(ticker->longest_usec, now - ticker->last_usec);
        ticker->last_usec = now;
        ticker->n++;
}

static void ticker_start(Ticker *ticker, Fixture *f) {
        static const struct timeval interval = { .tv_usec = 10000 };

        *ticker = (Ticker) { .last_usec = clock_monotonic_usec() };
        ticker->event = event_new(f->base, -1, EV_PERSIST, on_tick, ticker);
        event_add(ticker->event, &interval);
}

static void ticker_stop(Ticker *ticker) {
        event_free(ticker->event);
        assert_true(ticker->n >= 10);
        assert_true(ticker->longest_usec < 500 * USEC_PER_MSEC);
}

/* Waits until landlockd is on the bus, which it may be at the end of a pause only. */
static void wait_for_landlockd(sd_bus *bus) {
        for (unsigned i = 0; i < 500; i++) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
                int owned;

                check(sd_bus_call_method(
                                bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                "NameHasOwner", NULL, &reply, "s", NAME) >= 0);
                check(sd_bus_message_read(reply, "b", &owned) > 0);
                if (owned)
                        return;
                usleep(10000);
        }
        check(!"landlockd came back");
}

/* A bus gives out the same unique names again after its restart. */
#define CLIENTS 20

static void call_by_names(Fixture *f, const char *expected) {
        sd_bus *bus = client_open(f);

        wait_for_landlockd(bus);
        for (unsigned i = 0; i < CLIENTS / 2; i++) {
                sd_bus *caller = client_open(f);
                const char *name;
                unsigned number;

                check(sd_bus_get_unique_name(caller, &name) >= 0 && sscanf(name, ":1.%u", &number) == 1);
                check(number < CLIENTS);
                check_text(client_get(caller, PATH, MANAGER, "LiveDomains"), expected);
                sd_bus_close_unref(caller);
        }
        sd_bus_close_unref(bus);
}

static void see_all(Fixture *f) {
        call_by_names(f, "<t 1>");
}

static void see_nothing(Fixture *f) {
        call_by_names(f, "<t 0>");
}

static void is_served_again(Fixture *f) {
        sd_bus *bus = client_open(f);

        wait_for_landlockd(bus);
        check_text(client_get(bus, PATH, MANAGER, "LandlockABI"), "<i 7>");
        sd_bus_close_unref(bus);
}

static void test_restart(void **state) {
        Fixture *f = *state;
        Ticker ticker;

        tell_denied(f, 1, &(Denial) { .domain = 0x1a6f });
        f->bus = bus_free(f->bus);
        fixture_stop_daemon(f);
        fixture_start_daemon(f);
        assert_int_equal(fixture_new_bus(f, f->address, &f->bus), 0);
        run_client(f, 0, see_all);

        ticker_start(&ticker, f);
        fixture_stop_daemon(f);
        run_loop(f, 200);
        fixture_start_daemon(f);
        run_client(f, NOBODY, see_nothing);
        ticker_stop(&ticker);
}

static int listen_at(const char *address) {
        struct sockaddr_un sun = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        strcpy(sun.sun_path, address + strlen("unix:path="));
        unlink(sun.sun_path);
        assert_int_equal(bind(fd, (struct sockaddr *) &sun, sizeof(sun)), 0);
        assert_int_equal(listen(fd, 5), 0);
        return fd;
}

/* Something takes the connection and says nothing, then is gone. */
static void test_silent(void **state) {
        Fixture *f = *state;
        Ticker ticker;
        int fd;

        fixture_stop_daemon(f);
        fd = listen_at(f->address);
        ticker_start(&ticker, f);
        run_loop(f, 1000);
        close(fd);
        run_loop(f, 200);
        fixture_start_daemon(f);
        run_client(f, 0, is_served_again);
        ticker_stop(&ticker);
}

static void on_connection(evutil_socket_t fd, short what _unused_, void *userdata) {
        unsigned *n = userdata;
        int connection = accept(fd, NULL, NULL);

        assert_true(connection >= 0);
        close(connection);
        (*n)++;
}

/* The pauses grow: after 0.1, 0.2, 0.4, 0.8, 1.6 s. */
static void test_pauses(void **state) {
        struct event *event;
        Fixture *f = *state;
        unsigned n = 0;
        int fd;

        fixture_stop_daemon(f);
        fd = listen_at(f->address);
        event = event_new(f->base, fd, EV_READ | EV_PERSIST, on_connection, &n);
        assert_non_null(event);
        event_add(event, NULL);
        run_loop(f, 2500);
        assert_in_range(n, 3, 5);
        event_free(event);
        close(fd);

        fixture_start_daemon(f);
        run_client(f, 0, is_served_again);
}

static void take_name(Fixture *f) {
        sd_bus *bus = client_open(f);

        check(sd_bus_request_name(bus, NAME, 0) > 0);
        usleep(1200000);
        sd_bus_close_unref(bus);
}

/* Gone for 0.8 s, the next attempt is at 1.5 s: before that, somebody else has the name. */
static void test_name_taken_meanwhile(void **state) {
        Fixture *f = *state;
        Ticker ticker;

        ticker_start(&ticker, f);
        fixture_stop_daemon(f);
        run_loop(f, 800);
        fixture_start_daemon(f);
        run_client(f, 0, take_name);
        run_client(f, 0, is_served_again);
        ticker_stop(&ticker);
}

static void test_free_meanwhile(void **state) {
        Fixture *f = *state;

        fixture_stop_daemon(f);
        run_loop(f, 50);
        f->bus = bus_free(f->bus);
        fixture_start_daemon(f);
        assert_int_equal(fixture_new_bus(f, f->address, &f->bus), 0);
        run_client(f, 0, is_served);
}

static int fake_listener;
static bool fake_hangs_up, fake_finished;

static int fake_call(sd_bus *bus) {
        sd_bus_message *m = NULL;
        uint64_t cookie; /* asked for, it says that a reply is wanted */

        check(sd_bus_message_new_method_call(bus, &m, ":1.0", PATH, MANAGER, "ListDomains") >= 0);
        check(sd_bus_message_set_sender(m, ":1.5") >= 0);
        check(sd_bus_message_append(m, "a{sv}", 0) >= 0);
        check(sd_bus_send(bus, m, &cookie) >= 0);
        sd_bus_message_unref(m);
        return 1;
}

/* A bus that answers everything but who the caller is. */
static int fake_answer(sd_bus_message *m, void *userdata _unused_, sd_bus_error *error _unused_) {
        const sd_bus_error *answer = sd_bus_message_get_error(m);

        if (sd_bus_message_is_method_call(m, NULL, "Hello"))
                return sd_bus_reply_method_return(m, "s", ":1.0");
        if (sd_bus_message_is_method_call(m, NULL, "RequestName")) {
                check(sd_bus_reply_method_return(m, "u", 1) >= 0);
                return fake_call(sd_bus_message_get_bus(m));
        }
        if (sd_bus_message_is_method_call(m, NULL, "GetConnectionCredentials"))
                fake_finished = fake_hangs_up;
        if (answer) {
                check(strcmp(answer->name, SD_BUS_ERROR_ACCESS_DENIED) == 0);
                check(strstr(answer->message, "does not tell who is calling"));
                fake_finished = true;
        }
        return 1;
}

static void fake_bus(Fixture *f _unused_) {
        int fd = accept(fake_listener, NULL, NULL);
        uint64_t begin = clock_monotonic_usec(), took;
        sd_bus *bus = NULL;

        check(fd >= 0);
        check(sd_bus_new(&bus) >= 0);
        check(sd_bus_set_fd(bus, fd, fd) >= 0);
        check(sd_bus_set_server(bus, true, (sd_id128_t) { .qwords = { 1, 2 } }) >= 0);
        check(sd_bus_add_filter(bus, NULL, fake_answer, NULL) >= 0);
        check(sd_bus_start(bus) >= 0);
        while (!fake_finished) {
                int r = sd_bus_process(bus, NULL);

                check(r >= 0);
                if (r == 0)
                        check(sd_bus_wait(bus, UINT64_MAX) >= 0);
        }

        took = clock_monotonic_usec() - begin;
        check(fake_hangs_up || (took >= 5 * USEC_PER_SEC && took < 8 * USEC_PER_SEC));
        sd_bus_close_unref(bus);
}

/* The call is refused when the bus has not told in time, by a timer that only sd-bus knows. */
static void test_silent_about_caller(void **state) {
        Fixture *f = *state;
        uint64_t before = f->status.counters.bus_calls_denied;
        Ticker ticker;

        fixture_stop_daemon(f);
        fake_listener = listen_at(f->address);
        ticker_start(&ticker, f);
        run_client(f, 0, fake_bus);
        assert_int_equal(f->status.counters.bus_calls_denied, before + 1);
        /* Or the bus is gone with a call held. */
        fake_hangs_up = true;
        run_client(f, 0, fake_bus);
        ticker_stop(&ticker);
        close(fake_listener);

        fixture_start_daemon(f);
        run_client(f, 0, is_served_again);
}

/* ---- a client that does not read its answers ---- */

/* All answers together are several times what the bus and the socket take. */
#define CALLS 600
#define DOMAINS 256

static unsigned n_ok, n_busy;

static int on_answer(sd_bus_message *m, _unused_ void *userdata, _unused_ sd_bus_error *error) {
        n_ok += !sd_bus_message_is_method_error(m, NULL);
        n_busy += sd_bus_message_is_method_error(m, SD_BUS_ERROR_LIMITS_EXCEEDED);
        return 1;
}

static void does_not_read(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(client_get(bus, PATH, MANAGER, "LandlockABI"), "<i 7>");
        for (unsigned i = 0; i < CALLS; i++)
                check(sd_bus_call_method_async(bus, NULL, NAME, PATH, MANAGER, "ListDomains", on_answer, NULL, "a{sv}", 0) >= 0);
        check(sd_bus_flush(bus) >= 0);
        /* For longer than it takes to make all answers. */
        usleep(3000000);
        while (n_ok + n_busy < CALLS) {
                int r = sd_bus_process(bus, NULL);

                check(r >= 0);
                if (r == 0)
                        check(sd_bus_wait(bus, UINT64_MAX) >= 0);
        }
        check(n_busy > 0);
        check_text(client_get(bus, PATH, MANAGER, "LandlockABI"), "<i 7>");
        sd_bus_close_unref(bus);
}

/* The bus stops reading from who sends what nobody reads: then no more answers are made. */
static void test_congested(_unused_ void **state) {
        const DomainTableLimits many = { .n_domains = DOMAINS, .n_denials = DOMAINS, .n_processes = 1 };
        Fixture f;

        fixture_start_with_policy(&f, &many, FIXTURE_NO_POLICY
                                  "<limit name=\"max_incoming_bytes\">1000000</limit>\n"
                                  "<limit name=\"max_replies_per_connection\">1000</limit>\n");
        for (uint64_t id = 1; id <= DOMAINS; id++)
                tell_denied(&f, id, &(Denial) { .domain = id });
        run_client(&f, 0, does_not_read);
        assert_in_range(f.status.counters.bus_calls_denied, 1, CALLS);
        fixture_stop(&f);
}

/* Nothing is left that would wake the daemon up. */
static void test_idle(void **state) {
        Fixture *f = *state;
        struct timespec before, after;

        run_loop(f, 100);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
        run_loop(f, 1000);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
        assert_true((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec < 20000000);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bad_start),
                cmocka_unit_test(test_named_buses),
                cmocka_unit_test(test_restart),
                cmocka_unit_test(test_silent),
                cmocka_unit_test(test_pauses),
                cmocka_unit_test(test_name_taken_meanwhile),
                cmocka_unit_test(test_free_meanwhile),
                cmocka_unit_test(test_silent_about_caller),
                cmocka_unit_test(test_congested),
                cmocka_unit_test(test_idle),
        };

        fixture_require();
        return cmocka_run_group_tests(tests, setup, teardown);
}
