/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <stdlib.h>

#include "client/notify-pattern.h"

static void test_matches(_unused_ void **state) {
        static const struct {
                const char *pattern, *text;
                bool matches;
        } rows[] = {
                { "", "", true },
                { "", "a", false },
                { "a", "", false },
                { "*", "", true },
                { "***", "", true },
                { "*", "/any/thing", true },
                { "/etc/passwd", "/etc/passwd", true },
                { "/etc/passwd", "/etc/passwd2", false },
                { "/etc/passwd2", "/etc/passwd", false },
                { "/etc/*", "/etc/ssl/certs", true },
                { "/etc/*", "/etc", false },
                { "*/certs", "/etc/ssl/certs", true },
                { "*s*s*s", "ssl/certs/s", true },
                { "*a*b", "aXbXa", false },
                { "/tmp/?", "/tmp/a", true },
                { "/tmp/?", "/tmp/", false },
                { "/tmp/?", "/tmp/ab", false },
                { "caf?", "café", true },
                { "caf??", "café", false },
                { "a?b", "a\\x0ab", true },
                { "a\\x0ab", "a\\x0ab", true },
                { "a\\x0Ab", "a\\x0ab", true },
                { "a\\x0bb", "a\\x0ab", false },
                { "a\\x2a", "a*", true },
                { "a\\x2a", "ab", false },
                { "a\\x3f", "a?", true },
                { "*\\x00", "x\\x00", true },
                { "C:\\dir", "C:\\x5cdir", true }, /* no escape: a backslash */
                { "\\x5cx41", "\\x5cx41", true },
                { "A", "\\x5cx41", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (notify_pattern_matches(rows[i].pattern, rows[i].text) != rows[i].matches)
                        fail_msg("'%s' on '%s'", rows[i].pattern, rows[i].text);
}

static void test_from_text(_unused_ void **state) {
        static const char *const rows[][2] = {
                { "", "" },
                { "/etc/passwd", "/etc/passwd" },
                { "/a b", "/a b" },
                { " /a ", "\\x20/a\\x20" },
                { " ", "\\x20" },
                { "*?*", "\\x2a\\x3f\\x2a" },
                { "a\\x0ab", "a\\x0ab" },
                { "café", "café" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *pattern = notify_pattern_from_text(rows[i][0]);

                assert_string_equal(pattern, rows[i][1]);
                assert_true(notify_pattern_matches(pattern, rows[i][0]));
        }
}

/* A text of the greatest length of a path, all of it characters that grow in a pattern or must not be cut. */
static void test_long_text(_unused_ void **state) {
        static const char *const units[] = { "x", "*", "é", "\\x0a", "日" };

        for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
                _cleanup_free_ char *text = calloc(4096, strlen(units[i]) + 1), *pattern = NULL;
                char *p = text;

                for (size_t n = 0; n < 4096; n++)
                        p = stpcpy(p, units[i]);
                pattern = notify_pattern_from_text(text);
                assert_true(strlen(pattern) <= NOTIFY_PATTERN_MAX);
                assert_true(strlen(pattern) > NOTIFY_PATTERN_MAX - 8);
                assert_int_equal(pattern[strlen(pattern) - 1], '*');
                assert_true(notify_pattern_matches(pattern, text));
                text[0] = 'y';
                assert_false(notify_pattern_matches(pattern, text));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_matches),
                cmocka_unit_test(test_from_text),
                cmocka_unit_test(test_long_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
