/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subscriptions as clients meet them, on a real bus: each is told once, at its own pace, and only what is its own. A client
 * is a process of its own, which has the fixture tell things by writing to a pipe. */
#include "test-bus-fixture.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "publish/bus-queue.h"
#include "publish/bus-subscriber.h"

#define A 0x1a6f
#define B 0x1a70
/* dbus-daemon lets in only users that the system knows, as it does these, by whatever name. */
#define ALICE 1
#define BOB 2

static const DomainTableLimits limits = { .n_domains = 64, .n_denials = 4096, .n_processes = 64 };

/* ---- the fixture's side ---- */

typedef struct Order {
        uint64_t domain;
        uint32_t uid;       /* of the subject */
        unsigned n;         /* times */
        unsigned n_objects; /* as many paths in turn */
        Blocker blocker;
        bool freed;         /* the domain's end instead */
        uint64_t place;     /* not 0: from now on callers are in that domain */
} Order;

static int orders[2];

/* The domain that callers are in, by what the kernel says. */
static uint64_t place;

static int read_place(_unused_ int64_t tid, uint64_t *ret_domain) {
        *ret_domain = place;
        return 0;
}

static void tell_order(Fixture *f, const Order *order) {
        char path[4096];

        if (order->place != 0) {
                place = order->place;
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
        f.read_domain = read_place;
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
                   "\"path\": <s \"/etc/0\">}>, \"Subject\": <a{sv} {\"uid\": <u 1>}>, \"Origins\": <as [\"audit\"]>, "
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

/* ---- what it asked for ---- */

/* Domain A is told of 1, 2 and 4 denials, domain B of 8 and 16. */
static void order_some(void) {
        order((Order) { .domain = A, .uid = ALICE, .n = 1, .blocker = BLOCKER_FS_WRITE_FILE });
        order((Order) { .domain = A, .uid = ALICE, .n = 2, .blocker = BLOCKER_PTRACE });
        order((Order) { .domain = A, .uid = BOB, .n = 4, .blocker = BLOCKER_FS_READ_FILE });
        order((Order) { .domain = B, .uid = BOB, .n = 8, .blocker = BLOCKER_FS_WRITE_FILE });
        order((Order) { .domain = B, .uid = ALICE, .n = 16, .blocker = BLOCKER_FS_WRITE_FILE });
}

/* Subscribes by the filter, is told so many of those and no more, and ends it. */
static void expect_some(Fixture *f, uint64_t n, const char *types, ...) {
        sd_bus_message *m = NULL, *reply = NULL;
        va_list args;
        uint64_t cookie;
        sd_bus *bus;
        Told told;

        bus = open_listening(f, &told);
        check(sd_bus_message_new_method_call(bus, &m, NAME, PATH, MANAGER, "Subscribe") >= 0);
        va_start(args, types);
        check(sd_bus_message_appendv(m, types, args) >= 0);
        va_end(args);
        check(sd_bus_call(bus, m, 0, NULL, &reply) >= 0);
        check(sd_bus_message_read(reply, "t", &cookie) > 0);
        sd_bus_message_unref(m);
        sd_bus_message_unref(reply);

        order_some();
        if (n > 0)
                listen_for(bus, &told, n);
        listen_in_vain(bus, &told);
        check(told.n_denials == n && told.n_missed_signals == 0);
        check(n == 0 || told.cookie == cookie);
        close_listening(bus, &told);
}

static void filters(Fixture *f) {
        expect_some(f, 31, "a{sv}", 0);
        expect_some(f, 7, "a{sv}", 1, "domain", "t", (uint64_t) A);
        expect_some(f, 24, "a{sv}", 2, "domain", "t", (uint64_t) B, "subtree", "b", true);
        expect_some(f, 19, "a{sv}", 1, "uid", "u", ALICE);
        expect_some(f, 6, "a{sv}", 1, "blockers", "as", 2, "ptrace", "fs.read_file");
        expect_some(f, 0, "a{sv}", 1, "blockers", "as", 0);
        expect_some(f, 0, "a{sv}", 1, "blockers", "as", 1, "other");
        expect_some(f, 0, "a{sv}", 1, "domain", "t", UINT64_C(0xbad));
        expect_some(f, 0, "a{sv}", 2, "denials", "b", false, "domains", "b", true);
}

static void test_filters(void **state) {
        run_client(*state, 0, filters);
}

/* In a subtree are those that the domain's children deny, whether the domain itself is still known or never was. */
static void subtree(Fixture *f) {
        Told told;
        sd_bus *bus = open_listening(f, &told);

        check_text(client_error(bus, PATH, MANAGER, "Subscribe", "a{sv}", 2, "domain", "t", UINT64_C(0x10), "subtree", "b", true), "");
        order((Order) { .domain = 0x10, .n = 1 });
        order((Order) { .domain = 0x11, .n = 2 });
        order((Order) { .domain = 0x12, .n = 4 });
        order((Order) { .domain = A, .n = 8 });
        listen_for(bus, &told, 7);
        listen_in_vain(bus, &told);
        check(told.n_denials == 7);
        close_listening(bus, &told);
}

static void test_subtree(void **state) {
        Fixture *f = *state;

        tell_created(f, 0, &(DomainCreation) { .domain = 0x11, .parent = 0x10 });
        tell_created(f, 0, &(DomainCreation) { .domain = 0x12, .parent = 0x11 });
        run_client(f, 0, subtree);
}

static void refusals(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(client_manager(bus, "Subscribe", "a{sv}", 1, "nonsense", "b", true),
                   "!" NAME ".Error.InvalidOption: This method has no option \"nonsense\".");
        check_text(client_manager(bus, "Subscribe", "a{sv}", 1, "blockers", "s", "ptrace"),
                   "!" NAME ".Error.InvalidOption: The option \"blockers\" must be of D-Bus type \"as\", not \"s\".");
        check_text(client_manager(bus, "Subscribe", "a{sv}", 1, "blockers", "as", 1, "fs.\\nonsense"),
                   "!" NAME ".Error.InvalidOption: The option \"blockers\" names \"fs.\\x5cnonsense\", which is none that is "
                   "known here: those that the kernel alone knows are \"other\".");
        check_text(client_error(bus, PATH, MANAGER, "Subscribe", "a{sv}", 1, "subtree", "b", true),
                   NAME ".Error.InvalidOption");
        check_text(client_error(bus, PATH, MANAGER, "Subscribe", "a{sv}", 1, "denials", "b", false),
                   NAME ".Error.InvalidOption");
        sd_bus_close_unref(bus);
}

static void too_many_strings(Fixture *f) {
        sd_bus *bus = client_open(f);
        sd_bus_message *m = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;

        check(sd_bus_message_new_method_call(bus, &m, NAME, PATH, MANAGER, "Subscribe") >= 0);
        check(sd_bus_message_open_container(m, 'a', "{sv}") >= 0);
        check(sd_bus_message_open_container(m, 'e', "sv") >= 0);
        check(sd_bus_message_append(m, "s", "blockers") >= 0);
        check(sd_bus_message_open_container(m, 'v', "as") >= 0);
        check(sd_bus_message_open_container(m, 'a', "s") >= 0);
        for (int i = 0; i < 65; i++)
                check(sd_bus_message_append(m, "s", "ptrace") >= 0);
        for (int i = 0; i < 4; i++)
                check(sd_bus_message_close_container(m) >= 0);
        check(sd_bus_call(bus, m, 0, &error, NULL) < 0);
        check(strcmp(error.message, "The option \"blockers\" must hold at most 64 strings.") == 0);
        sd_bus_error_free(&error);
        sd_bus_message_unref(m);
        sd_bus_close_unref(bus);
}

static void test_refusals(void **state) {
        Fixture *f = *state;
        uint64_t before = f->status.counters.bus_subscriptions;

        run_client(f, 0, refusals);
        run_client(f, 0, too_many_strings);
        assert_int_equal(f->status.counters.bus_subscriptions, before);
}

/* ---- who may see what ---- */

static void sees_own(Fixture *f) {
        expect_some(f, geteuid() == ALICE ? 3 : 8, "a{sv}", 0);
        /* To ask for it does not help. */
        expect_some(f, 0, "a{sv}", 1, "uid", "u", geteuid() == ALICE ? BOB : ALICE);
        expect_some(f, 0, "a{sv}", 1, "domain", "t", (uint64_t) (geteuid() == ALICE ? B : A));
}

static void sees_all(Fixture *f) {
        expect_some(f, 31, "a{sv}", 0);
}

static void sees_none(Fixture *f) {
        expect_some(f, 0, "a{sv}", 0);
}

static void test_users(void **state) {
        run_client(*state, ALICE, sees_own);
        run_client(*state, BOB, sees_own);
        run_client(*state, NOBODY, sees_none);
}

/* From then on it is told only of what is nested in that domain, even of what was queued before. */
static void enters_domain(Fixture *f) {
        Told told;
        sd_bus *bus = open_listening(f, &told);

        check_text(client_error(bus, PATH, MANAGER, "Subscribe", "a{sv}", 0), "");
        order((Order) { .domain = A, .n = 1 });
        listen_for(bus, &told, 1);
        order((Order) { .domain = A, .n = 2 });
        order((Order) { .place = 0x11 });
        listen_for(bus, &told, 3);
        check(told.n_denials == 1 && told.n_missed == 2);

        order((Order) { .domain = A, .n = 4 });
        order((Order) { .domain = 0x11, .n = 8 });
        order((Order) { .domain = 0x12, .n = 16 });
        listen_for(bus, &told, 3 + 16);
        listen_in_vain(bus, &told);
        check(told.n_denials == 1 + 16 && told.n_missed == 2);
        close_listening(bus, &told);
}

static void test_enters_domain(void **state) {
        run_client(*state, 0, enters_domain);
        place = 0;
}

/* ---- a flood ---- */

static void is_flooded(Fixture *f) {
        Told told;
        sd_bus *bus = open_listening(f, &told);

        check_text(client_error(bus, PATH, MANAGER, "Subscribe", "a{sv}", 0), "");
        for (unsigned i = 0; i < 100; i++)
                order((Order) { .domain = A, .n = 1000, .n_objects = 3 });
        listen_for(bus, &told, 100000);
        check(told.n_denials == 100000 && told.n_missed_signals == 0);
        /* At least one was for many; and no more than 4 in a second, of 3 each. */
        check(told.n_signals < 100 && told.n_entries <= 3 * told.n_signals);
        close_listening(bus, &told);
}

static void test_flood(void **state) {
        run_client(*state, 0, is_flooded);
}

/* More different ones than are kept: the first of them are told, the others counted. */
static void is_swamped(Fixture *f) {
        Told told;
        sd_bus *bus = open_listening(f, &told);

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
        close_listening(bus, &told);
}

static void test_swamped(void **state) {
        Fixture *f = *state;
        uint64_t told = f->status.counters.bus_denials_told, missed = f->status.counters.bus_denials_missed;

        run_client(f, 0, is_swamped);
        assert_int_equal(f->status.counters.bus_denials_told, told + BUS_QUEUE_ENTRIES_MAX + 1);
        assert_int_equal(f->status.counters.bus_denials_missed, missed + 2000 - BUS_QUEUE_ENTRIES_MAX);
}

/* Does not read for longer than many batches take: all that time nothing is sent to it after the first. Meanwhile others
 * are told. */
static void does_not_read(Fixture *f) {
        Told told, other;
        sd_bus *bus = open_listening(f, &told), *reader = open_listening(f, &other);

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
        close_listening(reader, &other);
        close_listening(bus, &told);
}

static void test_does_not_read(void **state) {
        run_client(*state, 0, does_not_read);
}

/* Nor by subscribing anew does it get more onto its way. */
static void subscribes_anew(Fixture *f) {
        Told told, other;
        sd_bus *bus = open_listening(f, &told), *reader = open_listening(f, &other);

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
                check(sd_bus_message_append(m, "t", other.cookie + i) >= 0);
                check(sd_bus_send(bus, m, NULL) >= 0);
                sd_bus_message_unref(m);
        }
        listen_for(bus, &told, 10);
        listen_in_vain(bus, &told);
        check(told.n_signals == 1 && told.n_denials == 10);
        close_listening(reader, &other);
        close_listening(bus, &told);
}

static void test_subscribes_anew(void **state) {
        run_client(*state, 0, subscribes_anew);
}

/* ---- caps, and who has gone ---- */

#define SUBSCRIBERS_MAX 64
#define SUBSCRIBERS_OF_USER_MAX 16

static void subscribes_often(Fixture *f) {
        sd_bus *bus = client_open(f);

        for (unsigned i = 0; i < BUS_SUBSCRIPTIONS_MAX; i++)
                check_text(client_error(bus, PATH, MANAGER, "Subscribe", "a{sv}", 0), "");
        check_text(client_manager(bus, "Subscribe", "a{sv}", 0),
                   "!org.freedesktop.DBus.Error.LimitsExceeded: A client may have 8 subscriptions: end one with Unsubscribe() "
                   "first.");
        sd_bus_close_unref(bus);
}

static void subscribe_from_many(Fixture *f) {
        sd_bus *buses[SUBSCRIBERS_MAX + 1];
        unsigned n = geteuid() == 0 ? SUBSCRIBERS_MAX : SUBSCRIBERS_OF_USER_MAX;

        for (unsigned i = 0; i < n; i++) {
                buses[i] = client_open(f);
                check_text(client_error(buses[i], PATH, MANAGER, "Subscribe", "a{sv}", 0), "");
        }
        buses[n] = client_open(f);
        check_text(client_error(buses[n], PATH, MANAGER, "Subscribe", "a{sv}", 0), SD_BUS_ERROR_LIMITS_EXCEEDED);

        /* The place of one that has gone is free, as soon as the bus has told of it. */
        sd_bus_close_unref(buses[0]);
        for (unsigned i = 0;; i++) {
                _cleanup_free_ char *answer = client_error(buses[n], PATH, MANAGER, "Subscribe", "a{sv}", 0);

                if (strcmp(answer, "") == 0)
                        break;
                check(i < 100);
                usleep(10000);
        }
        for (unsigned i = 1; i <= n; i++)
                sd_bus_close_unref(buses[i]);
}

static void wait_for_end(Fixture *f) {
        const Counters *counters = &f->status.counters;

        for (unsigned i = 0; counters->bus_subscriptions != counters->bus_subscriptions_ended; i++) {
                assert_true(i < 500);
                run_loop(f, 10);
        }
}

static void test_caps(void **state) {
        Fixture *f = *state;
        const Counters *counters = &f->status.counters;
        uint64_t made = counters->bus_subscriptions, refused = counters->bus_subscriptions_refused;

        run_client(f, 0, subscribes_often);
        wait_for_end(f);
        assert_int_equal(counters->bus_subscriptions, made + BUS_SUBSCRIPTIONS_MAX);
        assert_int_equal(counters->bus_subscriptions_refused, refused + 1);
        run_client(f, BOB, subscribe_from_many);
        wait_for_end(f);
        run_client(f, 0, subscribe_from_many);
        wait_for_end(f);
        assert_true(counters->bus_subscriptions_refused >= refused + 3);
}

/* With signals that it has not read, and a question that it has not answered. */
static void goes_away(Fixture *f) {
        Told told;
        sd_bus *bus = open_listening(f, &told), *reader = open_listening(f, &told);

        check_text(client_error(bus, PATH, MANAGER, "Subscribe", "a{sv}", 0), "");
        check_text(client_error(reader, PATH, MANAGER, "Subscribe", "a{sv}", 0), "");
        order((Order) { .domain = A, .n = 1 });
        listen_for(reader, &told, 1);
        order((Order) { .domain = A, .n = 1 });
        listen_for(reader, &told, 2);
        _exit(0);
}

static void test_gone(void **state) {
        Fixture *f = *state;
        uint64_t signals;

        run_client(f, 0, goes_away);
        wait_for_end(f);
        signals = f->status.counters.bus_signals;
        tell_order(f, &(Order) { .domain = A, .n = 1, .n_objects = 1 });
        run_loop(f, 300);
        assert_int_equal(f->status.counters.bus_signals, signals);
}

/* The bus is gone, and with it all subscriptions. */
static void loses_bus(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(client_error(bus, PATH, MANAGER, "Subscribe", "a{sv}", 0), "");
        order((Order) { .domain = A, .n = 1 });
        while (sd_bus_process(bus, NULL) >= 0 && sd_bus_wait(bus, USEC_PER_SEC) >= 0)
                ;
        sd_bus_close_unref(bus);
}

static void on_stop(_unused_ evutil_socket_t fd, _unused_ short what, void *userdata) {
        fixture_stop_daemon(userdata);
}

static void test_bus_gone(void **state) {
        Fixture *f = *state;
        struct event *stop = evtimer_new(f->base, on_stop, f);

        assert_non_null(stop);
        evtimer_add(stop, &(struct timeval) { .tv_usec = 300000 });
        run_client(f, 0, loses_bus);
        event_free(stop);
        wait_for_end(f);
        tell_order(f, &(Order) { .domain = A, .n = 1, .n_objects = 1 });

        fixture_start_daemon(f);
        run_loop(f, 1000);
        run_client(f, 0, sees_all);
}

/* ---- what it costs ---- */

static void is_quiet(Fixture *f) {
        Told told;
        sd_bus *bus = open_listening(f, &told);

        check_text(client_error(bus, PATH, MANAGER, "Subscribe", "a{sv}", 0), "");
        order((Order) { .domain = A, .n = 10 });
        listen_for(bus, &told, 10);
        listen_until(bus, &told, UINT64_MAX, 3500);
        close_listening(bus, &told);
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
        wait_for_end(f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_once),
                cmocka_unit_test(test_filters),
                cmocka_unit_test(test_subtree),
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_users),
                cmocka_unit_test(test_enters_domain),
                cmocka_unit_test(test_flood),
                cmocka_unit_test(test_swamped),
                cmocka_unit_test(test_does_not_read),
                cmocka_unit_test(test_subscribes_anew),
                cmocka_unit_test(test_caps),
                cmocka_unit_test(test_gone),
                cmocka_unit_test(test_bus_gone),
                cmocka_unit_test(test_quiet),
        };

        fixture_require();
        return cmocka_run_group_tests(tests, setup, teardown);
}
