/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <stdlib.h>

#include "client/clean-text.h"
#include "client/notify-text.h"

static void check_shorten(const char *text, size_t n_max, const char *expected) {
        _cleanup_free_ char *shortened = notify_text_shorten(text, n_max);

        assert_string_equal(shortened, expected);
}

static void test_shorten(_unused_ void **state) {
        check_shorten("", 1, "");
        check_shorten("/etc/passwd", 11, "/etc/passwd");
        check_shorten("/etc/passwd", 10, "/et…passwd");
        check_shorten("/etc/passwd", 1, "…");
        check_shorten("/etc/passwd", 2, "…d");
        /* Characters, not bytes, and none of them cut. */
        check_shorten("äöüäöüäöü", 9, "äöüäöüäöü");
        check_shorten("äöüäöüäöü", 6, "äö…äöü");
        check_shorten("日本語日本語", 4, "日…本語");
}

static void test_shorten_long(_unused_ void **state) {
        _cleanup_free_ char *text = malloc(4097), *shortened = NULL;

        memset(text, 'x', 4096);
        text[4096] = '\0';
        shortened = notify_text_shorten(text, 120);
        assert_int_equal(strlen(shortened), 119 + strlen("…"));
}

static void check_markup(const char *text, const char *expected) {
        _cleanup_free_ char *markup = notify_text_markup(text);

        assert_string_equal(markup, expected);
}

static void test_markup(_unused_ void **state) {
        check_markup("", "");
        check_markup("/etc/passwd", "/etc/passwd");
        check_markup("<b>&amp;'\"", "&lt;b&gt;&amp;amp;&#39;&quot;");
        check_markup("<<<<", "&lt;&lt;&lt;&lt;");
        check_markup("\"\"\"\"", "&quot;&quot;&quot;&quot;"); /* the longest there is */
        check_markup("ä\n", "ä\n");
}

/* No text can become markup, whatever it is made of, and what is shown is the text. */
static void test_markup_of_all_bytes(_unused_ void **state) {
        for (unsigned byte = 1; byte < 256; byte++) {
                const char text[] = { 'a', byte, 'b' };
                _cleanup_free_ char *clean = clean_text((Text) { text, sizeof(text) }, false);
                _cleanup_free_ char *markup = notify_text_markup(clean);

                assert_null(strpbrk(markup, "<>\"'"));
                assert_true(clean_text_check(text_from_string(markup)));
                assert_true(byte == '&' || !strchr(markup, '&') || strchr("<>\"'", byte));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_shorten),
                cmocka_unit_test(test_shorten_long),
                cmocka_unit_test(test_markup),
                cmocka_unit_test(test_markup_of_all_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
