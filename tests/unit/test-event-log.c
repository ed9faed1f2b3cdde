/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

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

/* ---- what another left ---- */

#define MACHINE "0123456789abcdef0123456789abcdef"
#define N_BYTES (EVENT_LOG_LINE_MAX + 100)
#define N_ENTRIES 100

static void *new_block(void) {
        void *block = mmap(NULL, event_log_size(N_BYTES, N_ENTRIES), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        assert_true(block != MAP_FAILED);
        return block;
}

static void append_some(EventLog *log, unsigned n) {
        static char buffer[EVENT_LOG_LINE_MAX];

        while (n-- > 0) {
                const EventMeta meta = { .type = log->next_seq % EVENT_TYPE_MAX, .domain = log->next_seq, .blockers = 5 };
                size_t len = 1 + log->next_seq * 7919 % (log->next_seq % 50 == 0 ? 30000 : 2000);

                assert_int_equal(event_log_append(log, &meta, make_line(buffer, log->next_seq, len)), 0);
        }
}

static void assert_whole(const EventLog *log) {
        for (uint64_t seq = log->oldest_seq; seq < log->next_seq; seq++) {
                assert_kept(log, seq, 1 + seq * 7919 % (seq % 50 == 0 ? 30000 : 2000));
                assert_int_equal(event_log_get(log, seq)->meta.type, seq % EVENT_TYPE_MAX);
                assert_int_equal(event_log_get(log, seq)->meta.domain, seq);
        }
}

static EventLog new_log(unsigned n) {
        EventLog log;

        event_log_begin(&log, new_block(), N_BYTES, N_ENTRIES, MACHINE, 42);
        append_some(&log, n);
        return log;
}

/* Takes over the block of another, which is not closed. */
static int reopen(EventLog *log, EventLog *ret) {
        return event_log_open(ret, log->header, event_log_size(N_BYTES, N_ENTRIES), MACHINE);
}

static void test_goes_on(void **state _unused_) {
        for (unsigned n = 0; n < 400; n++) {
                EventLog log = new_log(n), again;

                assert_int_equal(reopen(&log, &again), 0);
                assert_int_equal(again.next_seq, n + 1);
                assert_true(again.oldest_seq <= log.oldest_seq);
                assert_int_equal(again.header->begun_usec, 42);
                assert_whole(&again);
                append_some(&again, 100);
                assert_whole(&again);
                event_log_done(&again);
        }
}

/* A writer that is killed at any instruction leaves whole events only, and no older number than it had told anybody. */
static void test_killed(void **state _unused_) {
        EventLog log = new_log(0), again;
        uint64_t last = 0;

        srand(1);
        for (unsigned i = 0; i < 300; i++) {
                const struct timespec delay = { .tv_nsec = rand() % 300000 };
                pid_t pid = fork();
                int status;

                assert_true(pid >= 0);
                if (pid == 0)
                        for (;;)
                                append_some(&log, 1);
                nanosleep(&delay, NULL);
                kill(pid, SIGKILL);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

                assert_int_equal(reopen(&log, &again), 0);
                assert_true(again.next_seq >= MAX(log.header->next_seq, last));
                assert_true(again.oldest_seq < again.next_seq || again.next_seq == 1);
                assert_whole(&again);
                last = again.next_seq;
                log = again;
        }
        assert_true(last > 1000);
        event_log_done(&log);
}

/* The writer's steps, one by one: before, between and after them the log is whole. */
static void test_each_step(void **state _unused_) {
        size_t size = event_log_size(N_BYTES, N_ENTRIES);
        EventLog log = new_log(200), again;
        char *before = malloc(size), *after = malloc(size);

        memcpy(before, log.header, size);
        append_some(&log, 1);
        memcpy(after, log.header, size);

        /* The entry and the line are there, the number is not. */
        log.header->next_seq--;
        assert_int_equal(reopen(&log, &again), 0);
        assert_int_equal(again.next_seq, 202);
        assert_whole(&again);

        /* The line is there in part, over the oldest; the entry is not. */
        memcpy(log.header, before, size);
        log.header->oldest_seq = ((EventLogHeader *) after)->oldest_seq;
        memcpy((char *) log.header + size - N_BYTES, after + size - N_BYTES, N_BYTES);
        assert_int_equal(reopen(&log, &again), 0);
        assert_int_equal(again.next_seq, 201);
        assert_whole(&again);
        event_log_done(&again);
        free(before);
        free(after);
}

/* Whatever bit is wrong: it is refused, or does not matter. */
static void test_flipped(void **state _unused_) {
        size_t size = event_log_size(N_BYTES, N_ENTRIES);
        EventLog log = new_log(300), again;
        char *before = malloc(size);
        unsigned n_refused = 0;

        srand(1);
        memcpy(before, log.header, size);
        for (unsigned i = 0; i < 3000; i++) {
                /* Most of them where it matters most. */
                size_t at = (size_t) rand() % (i % 3 == 0 ? sizeof(EventLogHeader) : i % 3 == 1 ? size - N_BYTES : size);

                memcpy(log.header, before, size);
                ((char *) log.header)[at] ^= (char) (1 << rand() % 8);
                if (reopen(&log, &again) < 0) {
                        n_refused++;
                        continue;
                }
                assert_int_equal(again.next_seq, 301);
                assert_true(again.oldest_seq <= log.oldest_seq);
                assert_whole(&again);
        }
        assert_true(n_refused > 1000 && n_refused < 3000);
        free(before);
        event_log_done(&log);
}

static void test_refused(void **state _unused_) {
        size_t size = event_log_size(N_BYTES, N_ENTRIES);
        EventLog log = new_log(50), again;
        EventLogHeader header;
        size_t n;

        for (size_t i = 0; i < size; i += 1 + size / 1000)
                assert_int_equal(event_log_open(&again, log.header, i, MACHINE), -EBADMSG);
        assert_int_equal(event_log_open(&again, log.header, size - 1, MACHINE), -EBADMSG);
        assert_int_equal(event_log_open(&again, log.header, size + 1, MACHINE), -EBADMSG);
        assert_int_equal(event_log_open(&again, log.header, size, "another"), -EBADMSG);
        assert_int_equal(event_log_open(&again, log.header, size, ""), -EBADMSG);

        header = *log.header;
        assert_int_equal(event_log_check_header(&header, &n), 0);
        assert_int_equal(n, size);
        header = (EventLogHeader) {};
        assert_int_equal(event_log_check_header(&header, &n), -EBADMSG);
        event_log_done(&log);
}

static void test_copy(void **state _unused_) {
        EventLog log = new_log(300), larger, smaller;

        assert_int_equal(event_log_init(&larger, 4 * N_BYTES, 2 * N_ENTRIES), 0);
        event_log_copy(&larger, &log);
        assert_int_equal(larger.oldest_seq, log.oldest_seq);
        assert_int_equal(larger.next_seq, log.next_seq);
        assert_whole(&larger);

        assert_int_equal(event_log_init(&smaller, EVENT_LOG_LINE_MAX, 3), 0);
        event_log_copy(&smaller, &log);
        assert_int_equal(smaller.oldest_seq, 298);
        assert_int_equal(smaller.next_seq, 301);
        assert_whole(&smaller);
        event_log_done(&smaller);
        event_log_done(&larger);
        event_log_done(&log);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_oldest_make_room),
                cmocka_unit_test(test_entries_are_capped_too),
                cmocka_unit_test(test_longest_line),
                cmocka_unit_test(test_random_lengths),
                cmocka_unit_test(test_filter),
                cmocka_unit_test(test_goes_on),
                cmocka_unit_test(test_killed),
                cmocka_unit_test(test_each_step),
                cmocka_unit_test(test_flipped),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_copy),
        };

        return cmocka_run_group_tests_name("event-log", tests, NULL, NULL);
}
