/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <stdlib.h>

#include "source/audit-serials.h"

static AuditSerials serials;

static int set_up(void **state _unused_) {
        serials = (AuditSerials) {};
        return 0;
}

static void test_in_order(void **state _unused_) {
        for (uint32_t i = 100; i < 300000; i++)
                assert_int_equal(audit_serials_see(&serials, i), 0);
        assert_false(audit_serials_awaited(&serials));
        assert_int_equal(audit_serials_settle(&serials), 0);
}

static void test_out_of_order(void **state _unused_) {
        audit_serials_see(&serials, 10);
        assert_int_equal(audit_serials_see(&serials, 13), 0);
        assert_true(audit_serials_awaited(&serials));
        assert_int_equal(audit_serials_see(&serials, 12), 0);
        assert_int_equal(audit_serials_see(&serials, 11), 0);
        assert_int_equal(audit_serials_see(&serials, 11), 0);
        assert_false(audit_serials_awaited(&serials));
        assert_int_equal(audit_serials_settle(&serials) + audit_serials_settle(&serials), 0);
}

static void test_gap_settles_at_second_call(void **state _unused_) {
        audit_serials_see(&serials, 10);
        audit_serials_see(&serials, 14);
        assert_int_equal(audit_serials_settle(&serials), 0);
        audit_serials_see(&serials, 12); /* came late, but came */
        audit_serials_see(&serials, 16);
        assert_int_equal(audit_serials_settle(&serials), 2);
        assert_true(audit_serials_awaited(&serials));
        assert_int_equal(audit_serials_settle(&serials), 1);
        assert_false(audit_serials_awaited(&serials));
        assert_int_equal(audit_serials_see(&serials, 11), 0);
        assert_false(audit_serials_awaited(&serials));
}

static void test_far_jump(void **state _unused_) {
        audit_serials_see(&serials, 10);
        assert_int_equal(audit_serials_see(&serials, 12), 0);
        /* 11 and what came between fall out of the window at once. */
        assert_int_equal(audit_serials_see(&serials, 12 + 1000000), 1000000 - AUDIT_SERIALS_WINDOW + 1);
        audit_serials_settle(&serials);
        assert_int_equal(audit_serials_settle(&serials), AUDIT_SERIALS_WINDOW - 1);
        assert_false(audit_serials_awaited(&serials));
}

static void test_wrap_around(void **state _unused_) {
        audit_serials_see(&serials, UINT32_MAX - 1);
        assert_int_equal(audit_serials_see(&serials, 1), 0);
        audit_serials_see(&serials, UINT32_MAX);
        assert_int_equal(audit_serials_settle(&serials), 0);
        assert_int_equal(audit_serials_settle(&serials), 1);
        assert_int_equal(audit_serials_see(&serials, 2), 0);
        assert_false(audit_serials_awaited(&serials));
}

/* Whatever is dropped and however it is shuffled nearby: the sum is what was dropped. */
static void test_random_sum(void **state _unused_) {
        enum { N = 400000 };
        static uint32_t order[N];
        uint64_t dropped = 0, missing = 0;

        srandom(4);
        for (uint32_t i = 0; i < N; i++)
                order[i] = i;
        for (uint32_t i = 1; i + 8 < N; i++) {
                uint32_t j = i + random() % 8, t = order[i];

                order[i] = order[j];
                order[j] = t;
        }
        for (uint32_t i = 0; i < N; i++) {
                bool run = order[i] % 100000 > 1000 && order[i] % 100000 < 9000;

                if (order[i] > 0 && order[i] < N - 10 && (run || random() % 10 == 0)) {
                        dropped++;
                        continue;
                }
                missing += audit_serials_see(&serials, order[i]);
        }
        missing += audit_serials_settle(&serials);
        missing += audit_serials_settle(&serials);
        assert_int_equal(missing, dropped);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_in_order, set_up),
                cmocka_unit_test_setup(test_out_of_order, set_up),
                cmocka_unit_test_setup(test_gap_settles_at_second_call, set_up),
                cmocka_unit_test_setup(test_far_jump, set_up),
                cmocka_unit_test_setup(test_wrap_around, set_up),
                cmocka_unit_test_setup(test_random_sum, set_up),
        };

        return cmocka_run_group_tests_name("audit-serials", tests, NULL, NULL);
}
