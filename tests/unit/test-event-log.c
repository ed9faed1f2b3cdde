/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "publish/event-log.h"

static const EventMeta lost = { .type = EVENT_TYPE_LOST };

/* A line that is different for each event, and as long as wanted. */
static Text make_line(char *buffer, uint64_t seq, size_t len) {
        memset(buffer, 'a' + (int) (seq % 26), len);
        buffer[len - 1] = '\n';
        return (Text) { buffer, len };
}

static void assert_kept(const EventLog *log, uint64_t seq, size_t len) {
        static char expected[EVENT_LOG_LINE_MAX];
        const EventLogEntry *entry = event_log_get(log, seq);

        assert_non_null(entry);
        assert_int_equal(entry->len, len);
        make_line(expected, seq, len);
        assert_memory_equal(event_log_line(log, entry).data, expected, len);
}

static void test_empty(void **state _unused_) {
        EventLog log;

        assert_int_equal(event_log_init(&log, EVENT_LOG_LINE_MAX, 16), 0);
        assert_int_equal(log.next_seq, 1);
        assert_int_equal(log.oldest_seq, 1);
        assert_int_equal(event_log_last_seq(&log), 0);
        assert_null(event_log_get(&log, 0));
        assert_null(event_log_get(&log, 1));
        event_log_done(&log);
        event_log_done(&log);
}

static void test_oldest_make_room(void **state _unused_) {
        char buffer[10000];
        EventLog log;

        assert_int_equal(event_log_init(&log, EVENT_LOG_LINE_MAX, 1000), 0);
        for (uint64_t seq = 1; seq <= 100; seq++)
                assert_int_equal(event_log_append(&log, &lost, make_line(buffer, seq, 10000)), 0);

        /* Six such lines fit beside each other; the rest of the block is too short for a seventh. */
        assert_int_equal(log.next_seq, 101);
        assert_int_equal(log.oldest_seq, 95);
        assert_null(event_log_get(&log, 94));
        assert_null(event_log_get(&log, 101));
        for (uint64_t seq = 95; seq <= 100; seq++)
                assert_kept(&log, seq, 10000);
        event_log_done(&log);
}

static void test_entries_are_capped_too(void **state _unused_) {
        char buffer[10];
        EventLog log;

        assert_int_equal(event_log_init(&log, EVENT_LOG_LINE_MAX, 7), 0);
        for (uint64_t seq = 1; seq <= 50; seq++)
                assert_int_equal(event_log_append(&log, &lost, make_line(buffer, seq, 10)), 0);
        assert_int_equal(log.oldest_seq, 44);
        for (uint64_t seq = 44; seq <= 50; seq++)
                assert_kept(&log, seq, 10);
        event_log_done(&log);
}

static void test_longest_line(void **state _unused_) {
        static char buffer[EVENT_LOG_LINE_MAX + 1];
        EventLog log;

        assert_int_equal(event_log_init(&log, EVENT_LOG_LINE_MAX, 7), 0);
        assert_int_equal(event_log_append(&log, &lost, make_line(buffer, 1, 10)), 0);
        assert_int_equal(event_log_append(&log, &lost, make_line(buffer, 2, EVENT_LOG_LINE_MAX + 1)), -EMSGSIZE);
        assert_int_equal(log.next_seq, 2);
        assert_kept(&log, 1, 10);

        assert_int_equal(event_log_append(&log, &lost, make_line(buffer, 2, EVENT_LOG_LINE_MAX)), 0);
        assert_int_equal(log.oldest_seq, 2);
        assert_kept(&log, 2, EVENT_LOG_LINE_MAX);
        assert_int_equal(event_log_append(&log, &lost, make_line(buffer, 3, EVENT_LOG_LINE_MAX)), 0);
        assert_int_equal(log.oldest_seq, 3);
        assert_kept(&log, 3, EVENT_LOG_LINE_MAX);
        event_log_done(&log);
}

/* Against a plain list of the lengths: all that the log says it keeps is whole, and it keeps what must fit. */
static void test_random_lengths(void **state _unused_) {
        enum { N = 20000, N_BYTES = 2 * EVENT_LOG_LINE_MAX + 13 };
        static char buffer[EVENT_LOG_LINE_MAX];
        static size_t lens[N + 1];
        EventLog log;

        srand(1);
        assert_int_equal(event_log_init(&log, N_BYTES, 3000), 0);
        for (uint64_t seq = 1; seq <= N; seq++) {
                size_t kept = 0;

                lens[seq] = 1 + (size_t) rand() % (rand() % 50 == 0 ? EVENT_LOG_LINE_MAX : 1500);
                assert_int_equal(event_log_append(&log, &lost, make_line(buffer, seq, lens[seq])), 0);
                assert_int_equal(log.next_seq, seq + 1);
                for (uint64_t i = log.oldest_seq; i <= seq; i++)
                        kept += lens[i];
                assert_true(kept <= N_BYTES);
                /* Only the gap before the edge, shorter than the line that did not fit there, may be unused. */
                if (log.oldest_seq > 1 && seq - log.oldest_seq + 1 < 3000)
                        assert_true(kept + lens[log.oldest_seq - 1] + EVENT_LOG_LINE_MAX > N_BYTES);
                if (seq % 97 == 0)
                        for (uint64_t i = log.oldest_seq; i <= seq; i++)
                                assert_kept(&log, i, lens[i]);
        }
        event_log_done(&log);
}

static void test_filter(void **state _unused_) {
        const EventMeta domain = { .type = EVENT_TYPE_DOMAIN, .domain = 5 };
        const EventMeta denial = { .type = EVENT_TYPE_DENIAL, .domain = 5, .blockers = 1 << 3 | EVENT_BLOCKER_OTHER };
        EventFilter filter = EVENT_FILTER_EVERYTHING;

        assert_true(event_filter_match(&filter, &domain));
        assert_true(event_filter_match(&filter, &denial));
        assert_true(event_filter_match(&filter, &lost));

        filter = EVENT_FILTER_EVERYTHING;
        filter.types = 1U << EVENT_TYPE_DENIAL;
        assert_false(event_filter_match(&filter, &domain));
        assert_true(event_filter_match(&filter, &denial));
        assert_false(event_filter_match(&filter, &lost));

        filter = EVENT_FILTER_EVERYTHING;
        filter.by_domain = true;
        assert_false(event_filter_match(&filter, &domain));
        assert_false(event_filter_match(&filter, &denial));
        assert_true(event_filter_match(&filter, &lost));
        filter.domains[filter.n_domains++] = 4;
        assert_false(event_filter_match(&filter, &denial));
        filter.domains[filter.n_domains++] = 5;
        assert_true(event_filter_match(&filter, &denial));
        assert_true(event_filter_match(&filter, &domain));

        filter = EVENT_FILTER_EVERYTHING;
        filter.by_blockers = true;
        assert_false(event_filter_match(&filter, &denial));
        assert_true(event_filter_match(&filter, &domain));
        filter.blockers = 1 << 2;
        assert_false(event_filter_match(&filter, &denial));
        filter.blockers = 1 << 3;
        assert_true(event_filter_match(&filter, &denial));
        filter.blockers = EVENT_BLOCKER_OTHER;
        assert_true(event_filter_match(&filter, &denial));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_oldest_make_room),
                cmocka_unit_test(test_entries_are_capped_too),
                cmocka_unit_test(test_longest_line),
                cmocka_unit_test(test_random_lengths),
                cmocka_unit_test(test_filter),
        };

        return cmocka_run_group_tests_name("event-log", tests, NULL, NULL);
}
