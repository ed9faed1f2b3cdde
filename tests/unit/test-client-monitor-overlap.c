/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "client/monitor-overlap.h"

static json_t *denial(uint64_t number, const char *path, uint64_t count) {
        json_t *value = json_pack("{s:I, s:I, s:s, s:[s], s:{s:s}}", "denial", (json_int_t) number, "count", (json_int_t) count,
                                  "domain", "1a6f", "blockers", "ptrace", "object", "path", path);

        assert_non_null(value);
        return value;
}

static void list(MonitorOverlap *overlap, uint64_t number, const char *path) {
        json_t *value = denial(number, path, 1);

        monitor_overlap_add(overlap, value);
        json_decref(value);
}

static uint64_t take(MonitorOverlap *overlap, uint64_t number, const char *path, uint64_t count) {
        json_t *value = denial(number, path, count);
        uint64_t n = monitor_overlap_take(overlap, value);

        json_decref(value);
        return n;
}

static void test_empty(void **state _unused_) {
        MonitorOverlap overlap = {};

        assert_int_equal(take(&overlap, 1, "/a", 3), 0);
        monitor_overlap_init(&overlap, 5, 5);
        assert_int_equal(take(&overlap, 5, "/a", 3), 0);
        monitor_overlap_done(&overlap);
}

/* Subscribed before number 7; listed up to 11, of which /a was denied 6, 7, 9, 11 and /b 8, 10. */
static void begin(MonitorOverlap *overlap) {
        monitor_overlap_init(overlap, 6, 12);
        for (uint64_t i = 4; i < 12; i++)
                list(overlap, i, i == 8 || i == 10 ? "/b" : "/a");
}

/* Told at once are 7, 9, 11 and, by then, 13 and 14. */
static void test_in_one(void **state _unused_) {
        MonitorOverlap overlap;

        begin(&overlap);
        assert_int_equal(take(&overlap, 7, "/a", 5), 3);
        assert_int_equal(take(&overlap, 8, "/b", 2), 2);
        assert_int_equal(take(&overlap, 12, "/a", 1), 0);
        monitor_overlap_done(&overlap);
}

/* Told first are 7 and 9, then 11 and 13. */
static void test_in_two(void **state _unused_) {
        MonitorOverlap overlap;

        begin(&overlap);
        assert_int_equal(take(&overlap, 7, "/a", 2), 2);
        assert_int_equal(take(&overlap, 8, "/b", 1), 1);
        assert_int_equal(take(&overlap, 10, "/b", 3), 1);
        assert_int_equal(take(&overlap, 11, "/a", 2), 1);
        assert_int_equal(take(&overlap, 14, "/a", 7), 0);
        monitor_overlap_done(&overlap);
}

/* What only this reader cannot tell apart may be told in two: none is taken twice. */
static void test_alike(void **state _unused_) {
        MonitorOverlap overlap;

        begin(&overlap);
        assert_int_equal(take(&overlap, 7, "/a", 2) + take(&overlap, 9, "/a", 1), 3);
        monitor_overlap_done(&overlap);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_in_one),
                cmocka_unit_test(test_in_two),
                cmocka_unit_test(test_alike),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
