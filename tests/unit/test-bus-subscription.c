/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subscriptions as clients meet them, on a real bus: each is told once, at its own pace, and only what is its own. A client
 * is a process of its own, which has the fixture tell things by writing to a pipe. */
#include "test-bus-fixture.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "publish/bus-queue.h"
#include "publish/bus-subscriber.h"

#define A 0x1a6f
#define B 0x1a70
#define ALICE 1000
#define BOB 1001

static const DomainTableLimits limits = { .n_domains = 64, .n_denials = 4096, .n_processes = 64 };

/* ---- the fixture's side ---- */

typedef struct Order {
        uint64_t domain;
        uint32_t uid;       /* of the subject */
        unsigned n;         /* times */
        unsigned n_objects; /* as many paths in turn */
        Blocker blocker;
        bool freed;         /* the domain's end instead */
} Order;

static int orders[2];

static void tell_order(Fixture *f, const Order *order) {
        char path[4096];

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
        tell_order(userdata, &order);
}

static void describe(Fixture *f, uint64_t domain, int64_t uid) {
        tell_described(f, 0, &(DomainDescription) {
                .domain = domain, .creator_uid = uid, .has_creator_uid = true,
        });
}

static struct event *order_event;

static int setup(void **state) {
        static Fixture f;

        fixture_start(&f, &limits);
        assert_int_equal(pipe2(orders, O_CLOEXEC), 0);
        order_event = event_new(f.base, orders[0], EV_READ | EV_PERSIST, on_order, &f);
        assert_non_null(order_event);
        event_add(order_event, NULL);
        describe(&f, A, ALICE);
        describe(&f, B, BOB);
        *state = &f;
        return 0;
}

static int teardown(void **state) {
        event_free(order_event);
        close(orders[0]);
        close(orders[1]);
        fixture_stop(*state);
        return 0;
}

/* ---- the client's side ---- */

static void order(Order order) {
        order.n_objects = MAX(order.n_objects, 1U);
        check(write(orders[1], &order, sizeof(order)) == sizeof(order));
}

/* What a client was told. */
typedef struct Told {
        unsigned n_signals, n_entries, n_missed_signals;
        uint64_t n_denials, n_missed; /* sums of counts */
        uint64_t cookie;              /* of the last signal */
        char *last;                   /* the last "Denials" as text */
} Told;

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
                return 0;

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

static sd_bus *open_listening(Fixture *f, Told *told) {
        sd_bus *bus = client_open(f);

        *told = (Told) {};
        check(sd_bus_add_filter(bus, NULL, on_signal, told) >= 0);
        return bus;
}

/* Reads for that long, or until so many denials were told or missed. */
static void listen_until(sd_bus *bus, const Told *told, uint64_t n, unsigned msec) {
        uint64_t end = clock_monotonic_usec() + msec * USEC_PER_MSEC, now;

        while (told->n_denials + told->n_missed < n && (now = clock_monotonic_usec()) < end) {
                int r = sd_bus_process(bus, NULL);

                check(r >= 0);
                if (r == 0)
                        check(sd_bus_wait(bus, end - now) >= 0);
        }
}

/* What must come. */
static void listen_for(sd_bus *bus, const Told *told, uint64_t n) {
        listen_until(bus, told, n, 20000);
        check(told->n_denials + told->n_missed >= n);
}

/* What must not come. */
static void listen_in_vain(sd_bus *bus, const Told *told) {
        uint64_t before = told->n_denials + told->n_missed;

        listen_until(bus, told, UINT64_MAX, 600);
        check(told->n_denials + told->n_missed == before);
}

static void close_listening(sd_bus *bus, Told *told) {
        free(told->last);
        sd_bus_close_unref(bus);
}

/* ---- once, and to nobody else ---- */

static void is_told_once(Fixture *f) {
        Told told, other;
        sd_bus *bus = open_listening(f, &told), *bystander = open_listening(f, &other);

        check(sd_bus_add_match(bystander, NULL, "type='signal'", NULL, NULL) >= 0);
        check_text(client_manager(bus, "Subscribe", "a{sv}", 0), "1");
        order((Order) { .domain = A, .uid = ALICE, .n = 1, .blocker = BLOCKER_FS_WRITE_FILE });
        listen_for(bus, &told, 1);
        check_text(strdup(told.last),
                   "1 [{\"Domain\": <t 6767>, \"HexID\": <s \"1a6f\">, "
                   "\"UUID\": <s \"a8ed3b54-8e96-5415-853a-d8ca6a0a8829\">, \"Time\": <t 1795308514000000>, "
                   "\"Blockers\": <as [\"fs.write_file\"]>, \"Object\": <a{sv} {\"kind\": <s \"file\">, "
                   "\"path\": <s \"/etc/0\">}>, \"Subject\": <a{sv} {\"uid\": <u 1000>}>, \"Origins\": <as [\"audit\"]>, "
                   "\"ID\": <t 1>, \"Count\": <t 1>, \"First\": <t 1795308514000000>, \"Last\": <t 1795308514000000>}]");
        listen_in_vain(bus, &told);
        listen_in_vain(bystander, &other);

        check_text(client_manager(bystander, "Unsubscribe", "t", UINT64_C(1)),
                   "!io.landlock.Landlockd1.Error.NoSuchSubscription: This client has no subscription 1: it was ended, or made "
                   "by another client or with an earlier landlockd.");
        check_text(client_manager(bus, "Unsubscribe", "t", UINT64_C(1)), "");
        check_text(client_error(bus, PATH, MANAGER, "Unsubscribe", "t", UINT64_C(1)), NAME ".Error.NoSuchSubscription");
        order((Order) { .domain = A, .n = 1 });
        listen_in_vain(bus, &told);
        close_listening(bystander, &other);
        close_listening(bus, &told);
}

static void test_once(void **state) {
        Fixture *f = *state;

        run_client(f, 0, is_told_once);
        assert_int_equal(f->status.counters.bus_denials_told, 1);
        assert_int_equal(f->status.counters.bus_signals, 1);
        assert_int_equal(f->status.counters.bus_subscriptions_ended, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_once),
        };

        fixture_require();
        return cmocka_run_group_tests(tests, setup, teardown);
}
