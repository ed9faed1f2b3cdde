/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subscriptions as clients meet them, on a real bus: who is told of what, once and nobody else, and when it ends. */
#include "test-bus-listener.h"

#include <event2/event.h>

#include "publish/bus-subscriber.h"

/* ---- once, and to nobody else ---- */

static void is_told_once(Fixture *f) {
        Told told, other;
        sd_bus *bus = listener_open(f, &told), *bystander = listener_open(f, &other);

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
        listener_close(bystander, &other);
        listener_close(bus, &told);
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

        bus = listener_open(f, &told);
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
        listen_long(bus, 600);
        check(told.n_denials == n && told.n_missed_signals == 0);
        check(n == 0 || told.cookie == cookie);
        listener_close(bus, &told);
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
        sd_bus *bus = listener_open(f, &told);

        check_text(client_error(bus, PATH, MANAGER, "Subscribe", "a{sv}", 2, "domain", "t", UINT64_C(0x10), "subtree", "b", true), "");
        order((Order) { .domain = 0x10, .n = 1 });
        order((Order) { .domain = 0x11, .n = 2 });
        order((Order) { .domain = 0x12, .n = 4 });
        order((Order) { .domain = A, .n = 8 });
        listen_for(bus, &told, 7);
        listen_in_vain(bus, &told);
        check(told.n_denials == 7);
        listener_close(bus, &told);
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
        sd_bus *bus = listener_open(f, &told);

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
        listener_close(bus, &told);
}

static void test_enters_domain(void **state) {
        run_client(*state, 0, enters_domain);
        listener_obey(*state, &(Order) { .place = NOWHERE });
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

static void test_caps(void **state) {
        Fixture *f = *state;
        const Counters *counters = &f->status.counters;
        uint64_t made = counters->bus_subscriptions, refused = counters->bus_subscriptions_refused;

        run_client(f, 0, subscribes_often);
        listener_wait_for_end(f);
        assert_int_equal(counters->bus_subscriptions, made + BUS_SUBSCRIPTIONS_MAX);
        assert_int_equal(counters->bus_subscriptions_refused, refused + 1);
        run_client(f, BOB, subscribe_from_many);
        listener_wait_for_end(f);
        run_client(f, 0, subscribe_from_many);
        listener_wait_for_end(f);
        assert_true(counters->bus_subscriptions_refused >= refused + 3);
}

/* With signals that it has not read, and a question that it has not answered. */
static void goes_away(Fixture *f) {
        Told told;
        sd_bus *bus = listener_open(f, &told), *reader = listener_open(f, &told);

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
        listener_wait_for_end(f);
        signals = f->status.counters.bus_signals;
        listener_obey(f, &(Order) { .domain = A, .n = 1, .n_objects = 1 });
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
        listener_wait_for_end(f);
        listener_obey(f, &(Order) { .domain = A, .n = 1, .n_objects = 1 });

        fixture_start_daemon(f);
        run_loop(f, 1000);
        run_client(f, 0, sees_all);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_once),
                cmocka_unit_test(test_filters),
                cmocka_unit_test(test_subtree),
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_users),
                cmocka_unit_test(test_enters_domain),
                cmocka_unit_test(test_caps),
                cmocka_unit_test(test_gone),
                cmocka_unit_test(test_bus_gone),
        };

        fixture_require();
        return cmocka_run_group_tests(tests, listener_setup, listener_teardown);
}
