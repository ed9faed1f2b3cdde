/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <stdlib.h>

static void escapes_to(Text raw, const char *expected) {
        _cleanup_free_ char *escaped = NULL;
        char back[256];
        size_t len;

        assert_int_equal(text_escape(raw, &escaped), 0);
        assert_string_equal(escaped, expected);
        assert_int_equal(text_unescape(text_from_string(escaped), back, &len), 0);
        assert_int_equal(len, raw.len);
        assert_memory_equal(back, raw.data, len);
}

static void test_escape(void **state _unused_) {
        escapes_to(TEXT_LITERAL("/etc/passwd"), "/etc/passwd");
        escapes_to(TEXT_LITERAL(""), "");
        escapes_to(TEXT_LITERAL("\"quoted\" 'n' <b>"), "\"quoted\" 'n' <b>");
        escapes_to(TEXT_LITERAL("back\\slash"), "back\\x5cslash");
        escapes_to(TEXT_LITERAL("\\x41"), "\\x5cx41");
        escapes_to(TEXT_LITERAL("\0demo"), "\\x00demo");
        escapes_to(TEXT_LITERAL("a\nb\tc\x1b[31m\x7f"), "a\\x0ab\\x09c\\x1b[31m\\x7f");
        escapes_to(TEXT_LITERAL("caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x90\xa7"), "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x90\xa7");
}

static void test_escape_what_is_not_utf8(void **state _unused_) {
        escapes_to(TEXT_LITERAL("\xff\xfe"), "\\xff\\xfe");
        escapes_to(TEXT_LITERAL("\xc0\xaf"), "\\xc0\\xaf");                 /* overlong '/' */
        escapes_to(TEXT_LITERAL("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");
        escapes_to(TEXT_LITERAL("\xed\xa0\x80"), "\\xed\\xa0\\x80");        /* surrogate */
        escapes_to(TEXT_LITERAL("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"); /* beyond U+10FFFF */
        escapes_to(TEXT_LITERAL("\xe6\x97"), "\\xe6\\x97");                 /* cut */
        escapes_to(TEXT_LITERAL("\xc3("), "\\xc3(");
}

static void test_escape_what_moves_text(void **state _unused_) {
        escapes_to(TEXT_LITERAL("\xe2\x80\xaegpj.exe"), "\\xe2\\x80\\xaegpj.exe"); /* U+202E */
        escapes_to(TEXT_LITERAL("\xe2\x81\xa6x"), "\\xe2\\x81\\xa6x");             /* U+2066 */
        escapes_to(TEXT_LITERAL("\xc2\x9b" "1m"), "\\xc2\\x9b1m");                 /* C1 CSI */
        escapes_to(TEXT_LITERAL("\xe2\x80\xa8"), "\\xe2\\x80\\xa8");               /* U+2028 */
        escapes_to(TEXT_LITERAL("\xef\xbf\xbf"), "\\xef\\xbf\\xbf");               /* U+FFFF */
}

/* Whatever the bytes: the escape is valid, holds nothing active, and can be undone. */
static void test_escape_random(void **state _unused_) {
        srandom(1);
        for (int round = 0; round < 20000; round++) {
                char raw[48], back[sizeof(raw) * 4];
                _cleanup_free_ char *escaped = NULL;
                size_t len = random() % sizeof(raw), back_len;
                Text text;

                for (size_t i = 0; i < len; i++)
                        raw[i] = random() % 3 ? (char) (0x80 | random()) : (char) random();
                assert_int_equal(text_escape((Text) { raw, len }, &escaped), 0);
                text = text_from_string(escaped);
                for (size_t i = 0; i < text.len; i++)
                        assert_true((unsigned char) escaped[i] >= 0x20 && escaped[i] != 0x7f);
                assert_int_equal(text_unescape(text, back, &back_len), 0);
                assert_int_equal(back_len, len);
                assert_memory_equal(back, raw, len);
        }
}

static void test_unescape_refuses(void **state _unused_) {
        char back[16];
        size_t len = 77;

        assert_int_equal(text_unescape(TEXT_LITERAL("\\"), back, &len), -EINVAL);
        assert_int_equal(text_unescape(TEXT_LITERAL("\\n"), back, &len), -EINVAL);
        assert_int_equal(text_unescape(TEXT_LITERAL("\\x4"), back, &len), -EINVAL);
        assert_int_equal(text_unescape(TEXT_LITERAL("\\xzz"), back, &len), -EINVAL);
        assert_int_equal(len, 77);
}

static void test_split(void **state _unused_) {
        Text rest = TEXT_LITERAL("a,,b"), part;

        assert_true(text_split(&rest, ',', &part));
        assert_text(part, "a");
        assert_true(text_split(&rest, ',', &part));
        assert_text(part, "");
        assert_true(text_split(&rest, ',', &part));
        assert_text(part, "b");
        assert_false(text_split(&rest, ',', &part));
}

static void test_numbers(void **state _unused_) {
        uint64_t u = 7;
        int64_t i = 7;

        assert_int_equal(text_parse_u64(TEXT_LITERAL("18446744073709551615"), 10, &u), 0);
        assert_true(u == UINT64_MAX);
        assert_int_equal(text_parse_u64(TEXT_LITERAL("18446744073709551616"), 10, &u), -ERANGE);
        assert_int_equal(text_parse_u64(TEXT_LITERAL("ffffffffffffffff"), 16, &u), 0);
        assert_int_equal(text_parse_u64(TEXT_LITERAL(""), 10, &u), -EINVAL);
        assert_int_equal(text_parse_u64(TEXT_LITERAL("12 "), 10, &u), -EINVAL);
        assert_int_equal(text_parse_u64(TEXT_LITERAL("9"), 8, &u), -EINVAL);
        assert_int_equal(text_parse_i64(TEXT_LITERAL("-13"), &i), 0);
        assert_int_equal(i, -13);
        assert_int_equal(text_parse_i64(TEXT_LITERAL("-9223372036854775808"), &i), 0);
        assert_true(i == INT64_MIN);
        assert_int_equal(text_parse_i64(TEXT_LITERAL("9223372036854775808"), &i), -ERANGE);
        assert_int_equal(text_parse_i64(TEXT_LITERAL("-"), &i), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_escape),
                cmocka_unit_test(test_escape_what_is_not_utf8),
                cmocka_unit_test(test_escape_what_moves_text),
                cmocka_unit_test(test_escape_random),
                cmocka_unit_test(test_unescape_refuses),
                cmocka_unit_test(test_split),
                cmocka_unit_test(test_numbers),
        };

        return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
