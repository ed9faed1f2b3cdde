/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <stdio.h>

#include "source/audit-assembler.h"

#define TIMEOUT 1000

typedef struct Fixture {
        AuditAssembler assembler;
        Counters counters;
        unsigned n_events, n_records;
        char log[4096]; /* "serial:types…[!incomplete];" of each event */
        size_t n_log;
} Fixture;

static Fixture f;

static void on_event(void *userdata _unused_, const AuditEvent *event) {
        f.n_events++;
        f.n_records += event->n_records;
        if (f.n_log + 64 > sizeof(f.log) || event->n_records > 8)
                return;
        f.n_log += sprintf(f.log + f.n_log, "%u:", event->serial);
        for (size_t i = 0; i < event->n_records; i++)
                f.n_log += sprintf(f.log + f.n_log, "%s%u", i ? "," : "", event->records[i].type);
        f.n_log += sprintf(f.log + f.n_log, "%s;", event->incomplete ? "!" : "");
}

static int set_up(void **state _unused_) {
        f = (Fixture) {};
        audit_assembler_init(&f.assembler, TIMEOUT, on_event, NULL, &f.counters);
        return 0;
}

static int tear_down(void **state _unused_) {
        audit_assembler_done(&f.assembler);
        return 0;
}

static void feed_node(const char *node, uint16_t type, uint32_t serial, const char *body, uint64_t now) {
        const AuditRecord record = {
                .type = type,
                .serial = serial,
                .time_usec = 5000,
                .node = text_from_string(node),
                .body = text_from_string(body),
        };

        audit_assembler_feed(&f.assembler, &record, now);
}

static void feed(uint16_t type, uint32_t serial, const char *body, uint64_t now) {
        feed_node(NULL, type, serial, body, now);
}

static void test_eoe_or_proctitle(void **state _unused_) {
        feed(1423, 7, "domain=1", 0);
        feed(1300, 7, "pid=1", 0);
        feed(1327, 7, "proctitle=00", 0);
        feed(1320, 7, "", 0);
        feed(1423, 8, "domain=1", 0);
        feed(1300, 8, "pid=1", 0);
        feed(1320, 8, "", 0);
        assert_string_equal(f.log, "7:1423,1300,1327;8:1423,1300;");
        assert_true(audit_assembler_idle(&f.assembler));
}

static void test_interleaved(void **state _unused_) {
        feed(1423, 7, "domain=1", 0);
        feed(1423, 8, "domain=2", 0);
        feed(1300, 8, "", 0);
        feed(1300, 7, "", 0);
        feed(1327, 8, "", 0);
        feed(1423, 7, "domain=1", 0);
        feed(1327, 7, "", 0);
        assert_string_equal(f.log, "8:1423,1300,1327;7:1423,1300,1423,1327;");
}

static void test_others_open_nothing(void **state _unused_) {
        feed(1300, 7, "", 0);
        feed(1327, 7, "", 0);
        feed(1320, 7, "", 0);
        assert_int_equal(f.n_events, 0);
        assert_int_equal(f.counters.audit_records, 0);
        assert_true(audit_assembler_idle(&f.assembler));
}

static void test_deadline(void **state _unused_) {
        feed(1423, 7, "domain=1", 0);
        feed(1423, 8, "domain=1", 10);
        audit_assembler_expire(&f.assembler, TIMEOUT - 1);
        assert_int_equal(f.n_events, 0);
        audit_assembler_expire(&f.assembler, TIMEOUT);
        assert_string_equal(f.log, "7:1423!;");
        feed(1300, 9, "", TIMEOUT + 10);
        assert_string_equal(f.log, "7:1423!;8:1423!;");
        assert_int_equal(f.counters.audit_events_incomplete, 2);
}

static void test_deallocation(void **state _unused_) {
        feed(1423, 7, "domain=1 blockers=x", 0);
        feed(1423, 8, "domain=12 blockers=x", 0);
        feed_node("elsewhere", 1423, 9, "domain=1 blockers=x", 0);
        feed(1424, 10, "domain=1 status=deallocated denials=1", 0);
        /* What is open of this very domain goes first, nothing else goes. */
        assert_string_equal(f.log, "7:1423!;10:1424;");
}

static void test_duplicates(void **state _unused_) {
        feed(1423, 7, "domain=1 a", 0);
        feed(1423, 7, "domain=1 a", 0); /* a second, equal denial: the kernel counts it too */
        feed(1300, 7, "", 0);
        feed(1300, 7, "", 0);
        feed(1327, 7, "", 0);
        feed(1423, 7, "domain=1 a", 0); /* the log once more */
        feed(1300, 7, "", 0);
        feed(1327, 7, "", 0);
        assert_string_equal(f.log, "7:1423,1423,1300,1327;");
        assert_int_equal(f.counters.audit_duplicates, 2);
}

static void test_same_serial_elsewhere(void **state _unused_) {
        feed_node("a", 1423, 7, "domain=1", 0);
        feed_node("b", 1423, 7, "domain=2", 0);
        feed_node("a", 1327, 7, "", 0);
        feed_node("b", 1327, 7, "", 0);
        assert_string_equal(f.log, "7:1423,1327;7:1423,1327;");
}

static void test_cap_of_open_events(void **state _unused_) {
        for (unsigned i = 0; i < AUDIT_ASSEMBLER_OPEN_MAX + 10; i++)
                feed(1423, i + 1, "domain=1", 0);
        assert_int_equal(f.n_events, 10);
        assert_int_equal(f.assembler.n_open, AUDIT_ASSEMBLER_OPEN_MAX);
        audit_assembler_expire(&f.assembler, UINT64_MAX);
        assert_int_equal(f.n_events, AUDIT_ASSEMBLER_OPEN_MAX + 10);
}

/* kill(-1) can be denied thousands of times in one system call: all of them count. */
static void test_endless_event(void **state _unused_) {
        char large[8000];

        memset(large, 'x', sizeof(large) - 1);
        large[sizeof(large) - 1] = '\0';
        for (unsigned i = 0; i < 5000; i++)
                feed(1423, 7, i % 100 ? "domain=1 blockers=scope.signal opid=1" : large, 0);
        for (unsigned i = 0; i < 100; i++)
                feed(1302, 7, large, 0);
        feed(1327, 7, "", 0);
        assert_true(audit_assembler_idle(&f.assembler));
        assert_true(f.n_records >= 5000 && f.n_records < 5010);
        assert_true(f.n_events > 5000 / AUDIT_EVENT_RECORDS_MAX);
        assert_true(f.counters.audit_oversized > 90);
}

int main(void) {
#define test(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                test(test_eoe_or_proctitle),
                test(test_interleaved),
                test(test_others_open_nothing),
                test(test_deadline),
                test(test_deallocation),
                test(test_duplicates),
                test(test_same_serial_elsewhere),
                test(test_cap_of_open_events),
                test(test_endless_event),
        };

        return cmocka_run_group_tests_name("audit-assembler", tests, NULL, NULL);
}
