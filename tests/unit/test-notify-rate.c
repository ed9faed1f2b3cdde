/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "base/clock.h"
#include "client/notify-rate.h"

#define MINUTE (60 * USEC_PER_SEC)

/* Somebody who has no end of things to tell, over an hour: how often they got through within any minute. */
static void test_every_limit(_unused_ void **state) {
        for (unsigned max = 1; max <= NOTIFY_PER_MINUTE_MAX; max++) {
                NotifyRate rate = {};
                uint64_t sent[NOTIFY_PER_MINUTE_MAX * 61];
                size_t n = 0;

                for (uint64_t now = USEC_PER_SEC; now < 61 * MINUTE; now += 100 * USEC_PER_MSEC) {
                        if (notify_rate_next(&rate, max) > now)
                                continue;
                        notify_rate_count(&rate, now);
                        sent[n++] = now;
                }
                assert_true(n >= max * 60);
                for (size_t i = max; i < n; i++)
                        assert_true(sent[i] - sent[i - max] >= MINUTE);
        }
}

static void test_changed_limit(_unused_ void **state) {
        NotifyRate rate = {};

        for (uint64_t now = 1; now <= 10; now++)
                notify_rate_count(&rate, now);
        assert_int_equal(notify_rate_next(&rate, 60), 0);
        assert_int_equal(notify_rate_next(&rate, 11), 0);
        assert_int_equal(notify_rate_next(&rate, 10), 1 + MINUTE);
        assert_int_equal(notify_rate_next(&rate, 1), 10 + MINUTE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_limit),
                cmocka_unit_test(test_changed_limit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
