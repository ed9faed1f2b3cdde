/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "model/denial-log.h"

#define N_MAX 8

static void assert_kept(const DenialLog *log, const uint64_t *numbers, size_t n) {
        const Denial *denial;
        uint64_t seq = 0;

        assert_int_equal(log->n, n);
        for (size_t i = 0; i < n; i++) {
                denial = denial_log_from(log, seq);
                assert_non_null(denial);
                assert_int_equal(denial->seq, numbers[i]);
                assert_int_equal(denial->domain, numbers[i]);
                assert_ptr_equal(denial_log_get(log, numbers[i]), denial);
                assert_true(denial->seq >= denial_log_oldest(log));
                for (uint64_t between = MAX(seq, denial_log_oldest(log)); between < denial->seq; between++)
                        assert_null(denial_log_get(log, between));
                seq = denial->seq + 1;
        }
        assert_null(denial_log_from(log, seq));
}

#define assert_numbers(log, ...)                                    \
        do {                                                        \
                const uint64_t _numbers[] = { __VA_ARGS__ };        \
                assert_kept(log, _numbers, ARRAY_SIZE(_numbers));   \
        } while (0)

static void push(DenialLog *log) {
        const Denial denial = { .domain = log->next_seq };

        assert_int_equal(denial_log_push(log, &denial)->seq, denial.domain);
}

static void restore(DenialLog *log, uint64_t seq) {
        const Denial denial = { .seq = seq, .domain = seq };

        assert_int_equal(denial_log_restore(log, &denial), 0);
}

static void test_push(void **state _unused_) {
        DenialLog log;

        assert_int_equal(denial_log_init(&log, N_MAX), 0);
        assert_kept(&log, NULL, 0);
        push(&log);
        push(&log);
        assert_numbers(&log, 1, 2);
        for (unsigned i = 0; i < 20; i++)
                push(&log);
        assert_numbers(&log, 15, 16, 17, 18, 19, 20, 21, 22);
        assert_int_equal(log.n_evicted, 14);
        denial_log_done(&log);
}

/* In any order, with some missing. */
static void test_restore(void **state _unused_) {
        DenialLog log;

        assert_int_equal(denial_log_init(&log, N_MAX), 0);
        restore(&log, 107);
        restore(&log, 103);
        restore(&log, 99); /* too old */
        restore(&log, 100);
        restore(&log, 103); /* again */
        assert_numbers(&log, 100, 103, 107);
        assert_int_equal(log.next_seq, 108);

        /* What has no room any more goes, whether others are missing or not. */
        restore(&log, 109);
        assert_numbers(&log, 103, 107, 109);
        push(&log);
        push(&log);
        assert_numbers(&log, 107, 109, 110, 111);
        denial_log_done(&log);
}

static void test_skip(void **state _unused_) {
        DenialLog log;

        assert_int_equal(denial_log_init(&log, N_MAX), 0);
        denial_log_skip(&log, 50);
        assert_kept(&log, NULL, 0);
        push(&log);
        assert_numbers(&log, 50);
        denial_log_skip(&log, 10); /* it never goes back */
        assert_int_equal(log.next_seq, 51);
        denial_log_skip(&log, 57);
        assert_numbers(&log, 50);
        push(&log);
        assert_numbers(&log, 50, 57);
        denial_log_skip(&log, UINT64_MAX / 2);
        assert_kept(&log, NULL, 0);
        push(&log);
        assert_numbers(&log, UINT64_MAX / 2);
        denial_log_done(&log);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_push),
                cmocka_unit_test(test_restore),
                cmocka_unit_test(test_skip),
        };

        return cmocka_run_group_tests_name("denial-log", tests, NULL, NULL);
}
