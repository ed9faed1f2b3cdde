/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who restricts itself, told by the system call alone. */
#include "test-trace-fixture.h"

#define CALLED "sys_enter_landlock_restrict_self"
#define RETURNED "sys_exit_landlock_restrict_self"
#define TSYNC 8
#define EPERM_RETURNED (-1)

static void feed(TraceFixture *fixture, const char *generation, const char *event, const TraceValue *values) {
        static char format[TRACE_FORMAT_SIZE];
        Text text = fixture_format(generation, event, format);
        TraceRecord record;

        assert_true(text_known(text));
        fixture_add(fixture, event, text);
        record = fixture_record(format, values);
        free(fixture_feed(fixture, &record, record.size));
        assert_int_equal(fixture->counters.trace_malformed, 0);
}

static void calls(TraceFixture *fixture, int64_t tid, int64_t ruleset_fd, int64_t flags) {
        feed(fixture, "6.18", CALLED,
             (TraceValue[]) { NUMBER("common_pid", tid), NUMBER("ruleset_fd", ruleset_fd), NUMBER("flags", flags), {} });
        assert_int_equal(fixture->n_facts, 0);
}

static void returns(TraceFixture *fixture, int64_t tid, int64_t result) {
        feed(fixture, "6.18", RETURNED, (TraceValue[]) { NUMBER("common_pid", tid), NUMBER("ret", result), {} });
}

static void execs(TraceFixture *fixture, int64_t old_tid, int64_t tid) {
        feed(fixture, "7.3.4", "sched_process_exec",
             (TraceValue[]) { NUMBER("common_pid", tid), NUMBER("pid", tid), NUMBER("old_pid", old_tid), TEXT("filename", "/a\0"), {} });
}

static void assert_restricted(const TraceFixture *fixture, int64_t tid, bool process_wide) {
        assert_int_equal(fixture->n_facts, 1);
        assert_int_equal(fixture->fact.type, FACT_TASK_RESTRICTED);
        assert_int_equal(fixture->fact.origins, ORIGIN_TRACE);
        assert_true(fixture->fact.time_usec == TRACE_TIME);
        assert_int_equal(fixture->fact.restricted.tid, tid);
        assert_int_equal(fixture->fact.restricted.process_wide, process_wide);
}

static void test_restricts_itself(void **state) {
        calls(*state, 7, 3, 0);
        returns(*state, 7, 0);
        assert_restricted(*state, 7, false);
}

static void test_restricts_its_process(void **state) {
        calls(*state, 7, 3, TSYNC);
        calls(*state, 8, 3, 0);
        returns(*state, 8, 0);
        assert_restricted(*state, 8, false);
        returns(*state, 7, 0);
        assert_restricted(*state, 7, true);
}

/* It was in the kernel when landlockd began to listen, or too many others were. */
static void test_call_unknown(void **state) {
        returns(*state, 7, 0);
        assert_restricted(*state, 7, false);

        calls(*state, 7, 3, TSYNC);
        calls(*state, 7 + TRACE_RECENT_CALLS_MAX, 3, 0);
        returns(*state, 7, 0);
        assert_restricted(*state, 7, false);
}

static void test_makes_no_domain(void **state) {
        TraceFixture *fixture = *state;

        calls(fixture, 7, 3, 0);
        returns(fixture, 7, EPERM_RETURNED);
        assert_int_equal(fixture->n_facts, 0);

        /* This is about its log only. */
        calls(fixture, 7, -1, 4);
        returns(fixture, 7, 0);
        assert_int_equal(fixture->n_facts, 0);
}

/* Who executes gets the number of its process. */
static void test_renamed(void **state) {
        TraceFixture *fixture = *state;

        calls(fixture, 7, 3, 0);
        returns(fixture, 7, 0);
        execs(fixture, 7, 6);
        assert_restricted(fixture, 6, false);

        execs(fixture, 7, 7); /* the same number, which was asked for */
        assert_int_equal(fixture->n_facts, 0);
        execs(fixture, 9, 6); /* nobody in particular */
        assert_int_equal(fixture->n_facts, 0);
        calls(fixture, 10, 3, 0);
        returns(fixture, 10, EPERM_RETURNED);
        execs(fixture, 10, 6);
        assert_int_equal(fixture->n_facts, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TRACE_TEST(test_restricts_itself),
                TRACE_TEST(test_restricts_its_process),
                TRACE_TEST(test_call_unknown),
                TRACE_TEST(test_makes_no_domain),
                TRACE_TEST(test_renamed),
        };

        return cmocka_run_group_tests_name("trace-calls", tests, NULL, NULL);
}
