/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "base/clock.h"
#include "client/memory.h"
#include "client/notify-message.h"

#define SECOND USEC_PER_SEC

/* Of /usr/bin/APP in that domain, of the file FILE. */
static NotifyDomain *deny(NotifyTable *table, uint64_t id, const char *app, const char *file, uint64_t count,
                          uint64_t now) {
        json_t *event = json_pack("{s:o, s:[s], s:{s:s, s:s}, s:{s:o, s:s, s:i}}", "domain",
                                  json_sprintf("%lx", (unsigned long) id), "blockers", "fs.write_file",
                                  "object", "kind", "file", "path", file, "subject", "exe",
                                  json_sprintf("/usr/bin/%s", app), "comm", "comm", "pid", 7);
        NotifyDenial denial;

        assert_non_null(event);
        assert_int_equal(notify_denial_init(&denial, event, count), 0);
        json_decref(event);
        return notify_table_add(table, &denial, now);
}

static void check_message(NotifyMessage *message, const char *summary, const char *body) {
        assert_string_equal(message->summary, summary);
        assert_string_equal(message->body, body);
        notify_message_clear(message);
}

static void check_domain(NotifyDomain *domain, const char *summary, const char *body) {
        NotifyMessage message;

        notify_message_init_domain(&message, domain);
        check_message(&message, summary, body);
}

static void test_body(_unused_ void **state) {
        _cleanup_(notify_table_clear) NotifyTable table = {};
        NotifyDomain *domain;

        domain = deny(&table, 1, "app", "/a", 1, SECOND);
        check_domain(domain, "app: denied by its sandbox", "Blocked from writing /a");
        deny(&table, 1, "app", "/a", 4, SECOND);
        check_domain(domain, "app: denied by its sandbox", "Blocked from writing /a (5 times)");
        deny(&table, 1, "app", "/b", 1, SECOND);
        deny(&table, 1, "app", "/c", 1, SECOND);
        deny(&table, 1, "app", "/d", 2, SECOND);
        check_domain(domain, "app: denied by its sandbox",
                     "Blocked from writing /d (2 times)\nBlocked from writing /c\nBlocked from writing /b\n"
                     "and 5 others");
        /* A program that it started. */
        deny(&table, 1, "child", "/a", 1, SECOND);
        check_domain(domain, "child: denied by its sandbox",
                     "Blocked from writing /a\napp: blocked from writing /d (2 times)\n"
                     "app: blocked from writing /c\nand 6 others");
        assert_int_equal(notify_domain_count(domain), 10);
}

static void test_message_of_a_domain(_unused_ void **state) {
        _cleanup_(notify_table_clear) NotifyTable table = {};
        NotifyDomain *domain = deny(&table, 1, "app", "/a", 1, SECOND);
        NotifyMessage message;

        notify_message_init_domain(&message, domain);
        assert_true(message.details && message.ignore);
        assert_int_equal(message.replaces, 0);
        assert_int_equal(message.urgency, NOTIFY_URGENCY_NORMAL);
        notify_message_clear(&message);

        domain->notification = 7;
        notify_message_init_domain(&message, domain);
        assert_int_equal(message.replaces, 7);
        assert_int_equal(message.urgency, NOTIFY_URGENCY_LOW);
        notify_message_clear(&message);
}

static void test_details(_unused_ void **state) {
        _cleanup_(notify_table_clear) NotifyTable table = {};
        NotifyDomain *domain = deny(&table, 0x1466dc891, "app", "/a", 1, SECOND);
        NotifyMessage message;

        notify_message_init_details(&message, domain);
        assert_false(message.details);
        check_message(&message, "app: details of its sandbox",
                      "Blocked from writing /a\nFor all that is known: landlockctl show 1466dc891");

        domain->description = json_pack("{s:{s:s, s:s, s:i}, s:{s:i, s:i}, s:s}", "creator", "exe", "/usr/bin/setup",
                                        "comm", "setup", "pid", 5, "denials", "seen", 3, "kernel", 4, "first_seen",
                                        "2026-11-22T00:28:34.891000Z");
        setenv("TZ", "UTC0", true);
        notify_message_init_details(&message, domain);
        check_message(&message, "app: details of its sandbox",
                      "Blocked from writing /a\nThe sandbox was set up by setup[5] (/usr/bin/setup)\n"
                      "Denials since 2026-11-22 00:28:34: 3 of 4\nFor all that is known: landlockctl show 1466dc891");
}

static void test_name_of_the_program(_unused_ void **state) {
        NotifyDenial by_exe = { .app = (char *) "app", .exe = (char *) "/usr/bin/app" };
        NotifyDenial by_comm = { .app = (char *) "comm", .exe = (char *) "" };
        NotifyDenial unknown = { .app = (char *) "", .exe = (char *) "" };
        NotifyDomain domain = {};

        assert_string_equal(notify_domain_app(&domain, &by_exe), "app");
        assert_string_equal(notify_domain_app(&domain, &by_comm), "comm");
        assert_string_equal(notify_domain_app(&domain, &unknown), "A program");
        domain.creator = (char *) "maker";
        assert_string_equal(notify_domain_app(&domain, &by_exe), "app");
        assert_string_equal(notify_domain_app(&domain, &by_comm), "maker");
        domain.creator = (char *) "";
        assert_string_equal(notify_domain_app(&domain, &by_comm), "comm");
}

static void check_app(const char *exe, const char *comm, const char *expected) {
        _cleanup_free_ char *app = notify_denial_app(exe, comm);

        assert_string_equal(app, expected);
}

static void test_app(_unused_ void **state) {
        check_app("/usr/bin/sh", "comm", "sh");
        check_app("sh", "comm", "sh");
        check_app("/", "comm", "comm");
        check_app("", "comm", "comm");
        check_app(NULL, NULL, "");
        check_app("/x/an-executable-with-a-name-that-nobody-reads-to-its-end", NULL,
                  "an-executable…at-nobody-reads-to-its-end");
}

/* Turns of one domain that is denied something every 100 ms for an hour. */
static void test_turns(_unused_ void **state) {
        _cleanup_(notify_table_clear) NotifyTable table = {};
        uint64_t last = 0, usec;
        size_t n_due, n = 0;

        for (uint64_t now = 1000 * SECOND; now < 4600 * SECOND; now += SECOND / 10) {
                NotifyDomain *domain = deny(&table, 1, "app", "/a", 1, now);

                if (!notify_table_next(&table, now, &n_due, &usec)) {
                        assert_int_equal(n_due, 0);
                        assert_in_range(usec, now + 1, now + 60 * SECOND);
                        continue;
                }
                assert_int_equal(n_due, 1);
                assert_true(now - last >= 5 * SECOND);
                last = now;
                n++;
                notify_domain_begin(domain, now);
                assert_null(notify_table_next(&table, now, &n_due, &usec));
                assert_true(usec == UINT64_MAX);
        }
        assert_in_range(n, 60, 65);

        /* After it was quiet, at once. */
        deny(&table, 1, "app", "/a", 1, 4800 * SECOND);
        assert_non_null(notify_table_next(&table, 4800 * SECOND, &n_due, &usec));
}

static void test_order_of_turns(_unused_ void **state) {
        _cleanup_(notify_table_clear) NotifyTable table = {};
        NotifyDomain *first = deny(&table, 1, "app", "/a", 1, 100 * SECOND), *second;
        uint64_t usec;
        size_t n_due;

        notify_domain_begin(first, 100 * SECOND);
        second = deny(&table, 2, "app", "/a", 1, 101 * SECOND);
        notify_domain_begin(second, 101 * SECOND);
        deny(&table, 2, "app", "/a", 1, 102 * SECOND);
        deny(&table, 1, "app", "/a", 1, 103 * SECOND);
        assert_null(notify_table_next(&table, 104 * SECOND, &n_due, &usec));
        assert_int_equal(usec, 105 * SECOND);
        assert_ptr_equal(notify_table_next(&table, 110 * SECOND, &n_due, &usec), first);
        assert_int_equal(n_due, 2);

        /* Nothing is shown of a domain that a name is still being asked for. */
        first->asking = true;
        assert_ptr_equal(notify_table_next(&table, 110 * SECOND, &n_due, &usec), second);
        assert_int_equal(n_due, 1);
}

static void test_closed(_unused_ void **state) {
        _cleanup_(notify_table_clear) NotifyTable table = {};
        NotifyDomain *domain = deny(&table, 1, "app", "/a", 1, SECOND);

        check_domain(domain, "app: denied by its sandbox", "Blocked from writing /a");
        notify_domain_begin(domain, SECOND);
        domain->notification = 7;
        assert_ptr_equal(notify_table_find_notification(&table, 7), domain);
        notify_domain_close(domain);
        assert_null(notify_table_find_notification(&table, 7));
        assert_null(notify_table_find_notification(&table, 0));
        deny(&table, 1, "app", "/b", 1, SECOND);
        check_domain(domain, "app: denied by its sandbox", "Blocked from writing /b");

        /* Closed while more waits: only that is told. */
        notify_domain_begin(domain, SECOND);
        deny(&table, 1, "app", "/c", 1, SECOND);
        notify_domain_close(domain);
        assert_true(domain->waiting);
        check_domain(domain, "app: denied by its sandbox", "Blocked from writing /c");

        /* But somebody asked for details of what was told. */
        domain->answer = NOTIFY_ANSWER_ASKED;
        notify_domain_close(domain);
        assert_int_equal(domain->n_denials, 1);
        assert_null(notify_table_find_answer(&table));
        domain->answer = NOTIFY_ANSWER_READY;
        assert_ptr_equal(notify_table_find_answer(&table), domain);
}

static void test_drop_named(_unused_ void **state) {
        _cleanup_(notify_table_clear) NotifyTable table = {};
        NotifyDomain *domain = deny(&table, 1, "app", "/a", 1, SECOND);

        check_domain(domain, "app: denied by its sandbox", "Blocked from writing /a");
        deny(&table, 1, "app", "/b", 1, SECOND);
        notify_domain_drop_named(domain);
        assert_true(domain->waiting);
        assert_int_equal(domain->n_denials, 1);
        check_domain(domain, "app: denied by its sandbox", "Blocked from writing /b");
        notify_domain_drop_named(domain);
        assert_false(domain->waiting);
        assert_int_equal(domain->n_denials, 0);
        deny(&table, 1, "app", "/c", 1, SECOND);
        check_domain(domain, "app: denied by its sandbox", "Blocked from writing /c");
}

static void test_several(_unused_ void **state) {
        _cleanup_(notify_table_clear) NotifyTable table = {};
        NotifyMessage message;

        for (unsigned i = 1; i <= 5; i++)
                deny(&table, i, "app", "/a", i, SECOND);
        notify_domain_begin(notify_table_find(&table, 1), SECOND);
        notify_message_init_several(&message, &table, SECOND, 4, 14);
        assert_false(message.details || message.ignore);
        check_message(&message, "Denied by 4 sandboxes",
                      "app: blocked from writing /a (2 times)\napp: blocked from writing /a (3 times)\n"
                      "app: blocked from writing /a (4 times)\n14 denials in all; landlockctl denials lists them");
}

static void test_caps(_unused_ void **state) {
        _cleanup_(notify_table_clear) NotifyTable table = {};
        NotifyDomain *domain;

        for (unsigned i = 1; i <= NOTIFY_DOMAINS_MAX; i++)
                deny(&table, i, "app", "/a", 1, i * SECOND);
        deny(&table, 1, "app", "/a", 1, 1000 * SECOND);
        assert_int_equal(table.n_untold_domains, 0);
        deny(&table, 2, "app", "/a", 6, 3 * SECOND - 1);
        deny(&table, 10000, "app", "/a", 1, 1001 * SECOND);
        assert_int_equal(table.n_domains, NOTIFY_DOMAINS_MAX);
        assert_int_equal(table.n_untold_domains, 1);
        assert_int_equal(table.n_untold_denials, 7);
        assert_null(notify_table_find(&table, 2));
        assert_non_null(notify_table_find(&table, 1));

        /* One that has been told of is no loss. */
        notify_domain_begin(notify_table_find(&table, 3), 1001 * SECOND);
        deny(&table, 10001, "app", "/a", 1, 1001 * SECOND);
        assert_null(notify_table_find(&table, 3));
        assert_int_equal(table.n_untold_domains, 1);

        for (unsigned i = 0; i < 1000; i++) {
                _cleanup_free_ char *file = format_text("/%u", i);

                domain = deny(&table, 1, "app", file, 2, 1002 * SECOND);
        }
        assert_int_equal(domain->n_denials, NOTIFY_DENIALS_MAX);
        assert_int_equal(notify_domain_count(domain), 2002);
        check_domain(domain, "app: denied by its sandbox",
                     "Blocked from writing /999 (2 times)\nBlocked from writing /998 (2 times)\n"
                     "Blocked from writing /997 (2 times)\nand 1996 others");
}

static void test_bad_event(_unused_ void **state) {
        json_t *event = json_pack("{s:s}", "domain", "xyz");
        NotifyDenial denial;

        assert_true(notify_denial_init(&denial, event, 1) < 0);
        json_object_del(event, "domain");
        assert_true(notify_denial_init(&denial, event, 1) < 0);
        json_put(event, "domain", json_string("1"));
        assert_int_equal(notify_denial_init(&denial, event, 1), 0);
        assert_string_equal(denial.words, "using something");
        notify_denial_clear(&denial);
        json_decref(event);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_body),
                cmocka_unit_test(test_message_of_a_domain),
                cmocka_unit_test(test_details),
                cmocka_unit_test(test_name_of_the_program),
                cmocka_unit_test(test_app),
                cmocka_unit_test(test_turns),
                cmocka_unit_test(test_order_of_turns),
                cmocka_unit_test(test_closed),
                cmocka_unit_test(test_drop_named),
                cmocka_unit_test(test_several),
                cmocka_unit_test(test_caps),
                cmocka_unit_test(test_bad_event),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
