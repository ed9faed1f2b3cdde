/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/host.h"
#include "base/id-map.h"

static void formats_as_libc(uint64_t usec) {
        char ours[CLOCK_FORMAT_SIZE], theirs[64];
        time_t seconds = usec / USEC_PER_SEC;
        uint64_t again;
        struct tm tm;
        size_t n;

        gmtime_r(&seconds, &tm);
        n = strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(theirs + n, sizeof(theirs) - n, ".%06uZ", (unsigned) (usec % USEC_PER_SEC));
        assert_int_equal(clock_format_rfc3339(usec, ours), strlen(theirs));
        assert_string_equal(ours, theirs);
        assert_int_equal(clock_parse_rfc3339(text_from_string(ours), &again), 0);
        assert_int_equal(again, usec);
}

static void test_clock_format(void **state _unused_) {
        char text[CLOCK_FORMAT_SIZE];

        formats_as_libc(0);
        formats_as_libc(UINT64_C(1795308514891000));
        formats_as_libc(UINT64_C(951782400) * USEC_PER_SEC); /* 2000-02-29 */
        formats_as_libc(UINT64_C(4107542399) * USEC_PER_SEC + 999999); /* 2100-02-28: no leap year */
        srandom(2);
        for (int i = 0; i < 20000; i++)
                formats_as_libc((uint64_t) random() * 100 * USEC_PER_SEC + random() % USEC_PER_SEC);

        assert_int_equal(clock_format_rfc3339(UINT64_MAX, text), CLOCK_FORMAT_SIZE - 1);
        assert_string_equal(text, "9999-12-31T23:59:59.999999Z");
}

static void test_clock_parse(void **state _unused_) {
        static const char *const bad[] = {
                "", "2026-11-22T00:28:34.891000", "2026-11-22 00:28:34.891000Z", "2026-11-22T00:28:34.89100Z",
                "2026-11-22T00:28:34.8910000Z", "2026-00-22T00:28:34.891000Z", "2026-13-22T00:28:34.891000Z",
                "2026-11-00T00:28:34.891000Z", "2026-11-31T00:28:34.891000Z", "2025-02-29T00:28:34.891000Z",
                "2026-11-22T24:28:34.891000Z", "2026-11-22T00:60:34.891000Z", "2026-11-22T00:28:60.891000Z",
                "1969-12-31T23:59:59.999999Z", "0000-01-01T00:00:00.000000Z", "2026-11-22T00:28:3a.891000Z",
        };
        uint64_t usec;

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_int_equal(clock_parse_rfc3339(text_from_string(bad[i]), &usec), -EINVAL);
        assert_int_equal(clock_parse_rfc3339(TEXT_NULL, &usec), -EINVAL);
        assert_int_equal(clock_parse_rfc3339(TEXT_LITERAL("9999-12-31T23:59:59.999999Z"), &usec), 0);
        assert_int_equal(usec, UINT64_C(253402300799999999));
}

/* Against a plain array, through growth and through removal in the middle of probe chains. */
static void test_id_map(void **state _unused_) {
        enum { KEYS = 3000 };
        static char value[KEYS];
        bool in[KEYS] = {};
        IdMap map = {};

        assert_null(id_map_get(&map, 1));
        assert_null(id_map_remove(&map, 1));
        srandom(3);
        for (int i = 0; i < 100000; i++) {
                unsigned k = random() % KEYS;
                uint64_t key = (uint64_t) k << 32 | 5;

                if (random() % 2) {
                        assert_int_equal(id_map_put(&map, key, &value[k]), in[k] ? -EEXIST : 0);
                        in[k] = true;
                } else {
                        assert_ptr_equal(id_map_remove(&map, key), in[k] ? &value[k] : NULL);
                        in[k] = false;
                }
        }
        for (unsigned k = 0; k < KEYS; k++)
                assert_ptr_equal(id_map_get(&map, (uint64_t) k << 32 | 5), in[k] ? &value[k] : NULL);
        id_map_done(&map);
}

static void test_domain_text(void **state _unused_) {
        char text[DOMAIN_ID_TEXT_SIZE];

        assert_int_equal(host_format_domain(UINT64_C(0x1466dc891), text), 9);
        assert_string_equal(text, "1466dc891");
        host_format_domain(0, text);
        assert_string_equal(text, "0");
        host_format_domain(16, text);
        assert_string_equal(text, "10");
        host_format_domain(UINT64_MAX, text);
        assert_string_equal(text, "ffffffffffffffff");
}

/* RFC 9562's UUIDv5 as Python's uuid.uuid5(uuid.UUID('5f0c1a2e-…'), '1466dc891') gives it. */
static void test_domain_uuid(void **state _unused_) {
        Host host = { .has_boot_id = true, .boot_id = "5f0c1a2e-0b8e-4f6d-9d1a-2c3b4a596877" };
        char uuid[UUID_TEXT_SIZE];

        assert_true(host_domain_uuid(&host, UINT64_C(0x1466dc891), uuid));
        assert_string_equal(uuid, "6ada882b-bf3d-57b8-9ca5-2860e4ea748f");
        host.has_boot_id = false;
        assert_false(host_domain_uuid(&host, 1, uuid));
}

static void test_host(void **state _unused_) {
        Host host;

        assert_int_equal(host_init(&host), 0);
        assert_true(host.has_boot_id);
        assert_int_equal(strlen(host.boot_id), UUID_TEXT_SIZE - 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_clock_format),
                cmocka_unit_test(test_clock_parse),
                cmocka_unit_test(test_id_map),
                cmocka_unit_test(test_domain_text),
                cmocka_unit_test(test_domain_uuid),
                cmocka_unit_test(test_host),
        };

        return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
