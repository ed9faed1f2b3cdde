/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "client/clean-text.h"

static void cleans_to(Text text, bool ascii_only, const char *expected) {
        _cleanup_free_ char *clean = clean_text(text, ascii_only);
        _cleanup_free_ char *again = clean_text(text_from_string(clean), ascii_only);

        assert_string_equal(clean, expected);
        assert_string_equal(again, expected); /* what is clean stays as it is */
        assert_true(clean_text_check(text_from_string(clean)));
        assert_int_equal(clean_text_check(text), strlen(expected) == text.len && memcmp(text.data, expected, text.len) == 0);
}

static void test_what_is_escaped_already(void **state _unused_) {
        cleans_to(TEXT_LITERAL("/etc/passwd"), false, "/etc/passwd");
        cleans_to(TEXT_LITERAL(""), false, "");
        cleans_to(TEXT_LITERAL("a\\x1b[31m \\\\ \\"), false, "a\\x1b[31m \\\\ \\");
        cleans_to(TEXT_LITERAL("caf\xc3\xa9 \xe6\x97\xa5"), false, "caf\xc3\xa9 \xe6\x97\xa5");
}

static void test_what_drives_a_terminal(void **state _unused_) {
        cleans_to(TEXT_LITERAL("\x1b[2J"), false, "\\x1b[2J");
        cleans_to(TEXT_LITERAL("a\nb\r\tc\x7f"), false, "a\\x0ab\\x0d\\x09c\\x7f");
        cleans_to(TEXT_LITERAL("a\0b"), false, "a\\x00b");
        cleans_to(TEXT_LITERAL("\xc2\x9b" "31m"), false, "\\xc2\\x9b31m");         /* CSI in one character */
        cleans_to(TEXT_LITERAL("\x9b" "31m"), false, "\\x9b31m");                  /* and in one byte */
        cleans_to(TEXT_LITERAL("\xe2\x80\xaetxt.exe"), false, "\\xe2\\x80\\xaetxt.exe"); /* right to left */
        cleans_to(TEXT_LITERAL("\\\x1b\\"), false, "\\\\x1b\\");
}

/* "›" has a byte that is CSI in Latin-1. */
static void test_terminals_without_utf8(void **state _unused_) {
        cleans_to(TEXT_LITERAL("a\\b"), true, "a\\b");
        assert_true(clean_text_check(TEXT_LITERAL("\xe2\x80\xba")));

        _cleanup_free_ char *clean = clean_text(TEXT_LITERAL("a\xe2\x80\xba\\z\x1b"), true);
        assert_string_equal(clean, "a\\xe2\\x80\\xba\\z\\x1b");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_escaped_already),
                cmocka_unit_test(test_what_drives_a_terminal),
                cmocka_unit_test(test_terminals_without_utf8),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
