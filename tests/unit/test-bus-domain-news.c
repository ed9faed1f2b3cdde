/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What subscribers are told of domains: each that they may see comes, changes and goes once, at their pace. */
#include "test-bus-listener.h"

#include "publish/bus-domain-news.h"

#define OBJECT(hex) PATH "/domain/_" hex

/* Returns its connection, which is told of domains only. */
static sd_bus *open_for_domains(Fixture *f, Told *told) {
        sd_bus *bus = listener_open(f, told);

        check_text(client_error(bus, PATH, MANAGER, "Subscribe", "a{sv}", 2, "denials", "b", false, "domains", "b", true), "");
        return bus;
}

/* Takes the signals since the last time. */
static char *take_others(Told *told) {
        told->n_others = 0;
        return TAKE_PTR(told->others);
}

static void follows_one(Fixture *f) {
        Told told, other;
        sd_bus *bus = open_for_domains(f, &told), *bystander = listener_open(f, &other);
        _cleanup_free_ char *object = NULL, *expected = NULL;

        check(sd_bus_add_match(bystander, NULL, "type='signal'", NULL, NULL) >= 0);
        order((Order) { .domain = 0x20, .uid = ALICE, .described = true });
        listen_for_others(bus, &told, 2);
        /* The same as who asks is told. */
        object = client_manager(bus, "DescribeDomain", "t", UINT64_C(0x20));
        check(strstr(object, "\"CreatorUID\": <u 1>"));
        check(asprintf(&expected,
                       "InterfacesAdded " PATH " \"" OBJECT("20") "\" {\"" DOMAIN "\": %s}\n"
                       "DomainAdded " PATH " 32 \"" OBJECT("20") "\"\n", object) > 0);
        check_text(take_others(&told), expected);

        order((Order) { .domain = 0x20, .n = 3, .blocker = BLOCKER_PTRACE });
        listen_for_others(bus, &told, 1);
        check_text(take_others(&told),
                   "PropertiesChanged " OBJECT("20") " \"" DOMAIN "\" {\"LastSeen\": <t 1795308516000000>, "
                   "\"DenialsSeen\": <t 3>, \"Blockers\": <a{st} {\"ptrace\": 3}>} []\n");

        order((Order) { .domain = 0x20, .freed = true });
        listen_for_others(bus, &told, 2);
        check_text(take_others(&told),
                   "InterfacesRemoved " PATH " \"" OBJECT("20") "\" [\"" DOMAIN "\"]\n"
                   "DomainRemoved " PATH " 32 \"" OBJECT("20") "\"\n");
        listen_in_vain(bus, &told);
        listen_in_vain(bystander, &other);
        check(told.n_signals == 0 && told.n_missed_signals == 0);
        listener_close(bystander, &other);
        listener_close(bus, &told);
}

static void test_one(void **state) {
        run_client(*state, 0, follows_one);
}

/* Few signals, and all of it is in them. */
static void follows_flood(Fixture *f) {
        Told told;
        sd_bus *bus = open_for_domains(f, &told);

        for (unsigned i = 0; i < 20; i++) {
                order((Order) { .domain = A, .n = 500 });
                listen_long(bus, 100);
        }
        listen_long(bus, 1000);
        check(told.n_others >= 2 && told.n_others <= 4);
        check(strstr(told.others, "\"DenialsSeen\": <t 10000>"));
        listener_close(bus, &told);
}

static void test_flood(void **state) {
        run_client(*state, 0, follows_flood);
}

/* Between two batches; what there was before and after is told as ever. */
static void follows_short_lived(Fixture *f) {
        Told told;
        sd_bus *bus = open_for_domains(f, &told);

        order((Order) { .domain = 0x30, .described = true });
        listen_for_others(bus, &told, 2);
        free(take_others(&told));
        order((Order) { .domain = 0x31, .described = true });
        order((Order) { .domain = 0x31, .n = 1 });
        order((Order) { .domain = 0x31, .freed = true });
        order((Order) { .domain = 0x30, .freed = true });
        listen_for_others(bus, &told, 4);
        check_text(take_others(&told),
                   "DomainAdded " PATH " 49 \"" OBJECT("31") "\"\n"
                   "DomainRemoved " PATH " 49 \"" OBJECT("31") "\"\n"
                   "InterfacesRemoved " PATH " \"" OBJECT("30") "\" [\"" DOMAIN "\"]\n"
                   "DomainRemoved " PATH " 48 \"" OBJECT("30") "\"\n");
        listener_close(bus, &told);
}

static void test_short_lived(void **state) {
        run_client(*state, 0, follows_short_lived);
}

/* A domain is nobody's before it is told who made it. */
static void sees_own(Fixture *f) {
        Told told;
        sd_bus *bus = open_for_domains(f, &told);

        order((Order) { .domain = 0x40, .n = 1 });
        listen_in_vain(bus, &told);
        order((Order) { .domain = 0x40, .uid = ALICE, .described = true });
        order((Order) { .domain = 0x41, .uid = BOB, .described = true });
        listen_for_others(bus, &told, 2);
        check(strstr(told.others, geteuid() == ALICE ? "DomainAdded " PATH " 64 " : "DomainAdded " PATH " 65 "));
        free(take_others(&told));

        order((Order) { .domain = 0x40, .freed = true });
        order((Order) { .domain = 0x41, .freed = true });
        listen_for_others(bus, &told, 2);
        check(strstr(told.others, geteuid() == ALICE ? "DomainRemoved " PATH " 64 " : "DomainRemoved " PATH " 65 "));
        check(!strstr(told.others, geteuid() == ALICE ? OBJECT("41") : OBJECT("40")));
        listen_in_vain(bus, &told);
        check(told.n_others == 2);
        listener_close(bus, &told);
}

static void sees_none(Fixture *f) {
        Told told;
        sd_bus *bus = open_for_domains(f, &told);

        order((Order) { .domain = 0x44, .uid = ALICE, .described = true });
        order((Order) { .domain = 0x44, .freed = true });
        listen_in_vain(bus, &told);
        listener_close(bus, &told);
}

static void test_users(void **state) {
        run_client(*state, ALICE, sees_own);
        /* The IDs are never given out again. */
        run_client(*state, NOBODY, sees_none);
}

static void asks_for_some(Fixture *f) {
        Told told;
        sd_bus *bus = listener_open(f, &told);

        check_text(client_error(bus, PATH, MANAGER, "Subscribe", "a{sv}", 3, "denials", "b", false, "domains", "b", true,
                                "uid", "u", BOB), "");
        check_text(client_error(bus, PATH, MANAGER, "Subscribe", "a{sv}", 3, "denials", "b", false, "domains", "b", true,
                                "domain", "t", UINT64_C(0x52)), "");
        order((Order) { .domain = 0x50, .uid = ALICE, .described = true });
        order((Order) { .domain = 0x51, .uid = BOB, .described = true });
        order((Order) { .domain = 0x52, .uid = ALICE, .described = true });
        listen_for_others(bus, &told, 4);
        listen_in_vain(bus, &told);
        check(!strstr(told.others, OBJECT("50")) && strstr(told.others, OBJECT("51")) && strstr(told.others, OBJECT("52")));
        listener_close(bus, &told);
}

static void test_filter(void **state) {
        run_client(*state, 0, asks_for_some);
}

/* It is told later what it did not read, as it is then. */
static void does_not_read(Fixture *f) {
        Told told, other;
        sd_bus *bus = open_for_domains(f, &told), *reader = open_for_domains(f, &other);

        order((Order) { .domain = 0x60, .uid = ALICE, .described = true });
        listen_for_others(reader, &other, 2);
        order((Order) { .domain = 0x60, .n = 1 });
        listen_for_others(reader, &other, 3);
        order((Order) { .domain = 0x61, .uid = ALICE, .described = true });
        listen_for_others(reader, &other, 5);
        order((Order) { .domain = 0x60, .freed = true });
        order((Order) { .domain = 0x61, .n = 7 });
        listen_for_others(reader, &other, 8);

        listen_for_others(bus, &told, 6);
        listen_in_vain(bus, &told);
        check(strstr(told.others, "DomainRemoved " PATH " 96 ") && strstr(told.others, "\"DenialsSeen\": <t 7>"));
        check(!strstr(told.others, "PropertiesChanged"));
        listener_close(reader, &other);
        listener_close(bus, &told);
}

static void test_does_not_read(void **state) {
        run_client(*state, 0, does_not_read);
}

/* At the cap, the others go on. */
static void test_cap(void **state _unused_) {
        Domain domain = { .state = DOMAIN_ALLOCATED };
        Change change = { .type = CHANGE_DOMAIN_ADDED, .domain = &domain };
        BusDomainNews news;

        bus_domain_news_init(&news);
        assert_int_equal(bus_domain_news_due(&news), UINT64_MAX);
        for (uint64_t id = 1; id <= BUS_NEWS_DOMAINS_MAX + 10; id++) {
                domain.id = id;
                bus_domain_news_push(&news, &change);
        }
        assert_int_equal(news.n_entries, BUS_NEWS_DOMAINS_MAX);
        assert_int_equal(news.n_missed, 10);

        /* The end of one that it was not told of is no loss, and a change of one that it was told of none either. */
        change.type = CHANGE_DOMAIN_FREED;
        bus_domain_news_push(&news, &change);
        domain.id = 1;
        bus_domain_news_push(&news, &change);
        assert_int_equal(news.n_missed, 10);
        assert_int_equal(bus_domain_news_due(&news), 0);

        bus_domain_news_clear(&news);
        assert_int_equal(bus_domain_news_due(&news), UINT64_MAX);
        assert_int_equal(news.n_entries, 0);
}

/* Dropped at the table's cap and seen again before that was told, it has only changed. */
static void test_seen_again(void **state _unused_) {
        Domain domain = { .id = 7, .state = DOMAIN_ALLOCATED };
        Change change = { .type = CHANGE_DOMAIN_EVICTED, .domain = &domain };
        BusDomainNews news;

        bus_domain_news_init(&news);
        news.changes_after_usec = 1000;
        bus_domain_news_know(&news, 7);
        assert_int_equal(bus_domain_news_due(&news), UINT64_MAX);
        bus_domain_news_push(&news, &change);
        assert_int_equal(bus_domain_news_due(&news), 0);
        change.type = CHANGE_DOMAIN_ADDED;
        bus_domain_news_push(&news, &change);
        assert_int_equal(bus_domain_news_due(&news), 1000);
        bus_domain_news_clear(&news);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one),
                cmocka_unit_test(test_flood),
                cmocka_unit_test(test_short_lived),
                cmocka_unit_test(test_users),
                cmocka_unit_test(test_filter),
                cmocka_unit_test(test_does_not_read),
                cmocka_unit_test(test_cap),
                cmocka_unit_test(test_seen_again),
        };

        fixture_require();
        return cmocka_run_group_tests(tests, listener_setup, listener_teardown);
}
