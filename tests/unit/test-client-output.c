/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-client-capture.h"

#include "client/table.h"

#define CAFE "caf\xc3\xa9"
#define NIHON "\xe6\x97\xa5\xe6\x9c\xac" /* two characters, four columns */

static void test_width(void **state _unused_) {
        assert_int_equal(output_width(""), 0);
        assert_int_equal(output_width("abc"), 3);
        assert_int_equal(output_width(CAFE), 4);
        assert_int_equal(output_width("cafe\xcc\x81"), 4); /* a combining accent */
        assert_int_equal(output_width(NIHON), 4);
        assert_int_equal(output_width("\\x1b"), 4);
}

static void shortens_to(const char *text, size_t width, const char *expected) {
        _cleanup_free_ char *shortened = output_shorten(text, width);

        assert_string_equal(shortened, expected);
        assert_true(output_width(shortened) <= width);
}

static void test_shorten(void **state _unused_) {
        shortens_to("abcdef", 6, "abcdef");
        shortens_to("abcdef", 5, "ab\u2026ef");
        shortens_to("abcdef", 2, "a\u2026");
        shortens_to("abcdef", 1, "\u2026");
        shortens_to("abcdef", 0, "");
        shortens_to("", 0, "");
        shortens_to(NIHON NIHON, 8, NIHON NIHON);
        shortens_to(NIHON NIHON, 7, "\xe6\x97\xa5\u2026" NIHON); /* a wide character is not cut in two */
        shortens_to(NIHON NIHON, 5, "\xe6\x97\xa5\u2026\xe6\x9c\xac");
}

static void test_shorten_every_width(void **state _unused_) {
        static const char text[] = "/usr/lib/" NIHON "/" CAFE "/\\x1b[m/" NIHON "x";

        for (size_t width = 0; width < 40; width++) {
                _cleanup_free_ char *shortened = output_shorten(text, width);

                assert_true(output_width(shortened) <= width);
                if (width >= output_width(text))
                        assert_string_equal(shortened, text);
                else if (width > 2)
                        assert_true(output_width(shortened) + 2 > width); /* a wide character may not fit at either end */
        }
}

static void test_clean(void **state _unused_) {
        _cleanup_free_ char *unknown = output_clean(NULL), *text = output_clean("\x1b" NIHON);

        assert_string_equal(unknown, "-");
        assert_string_equal(text, "\\x1b" NIHON);
}

static void test_clean_without_utf8(void **state _unused_) {
        use_locale("C");
        _cleanup_free_ char *text = output_clean("a" CAFE), *mark = output_shorten("abcdef", 5);
        use_locale("C.UTF-8");

        assert_string_equal(text, "acaf\\xc3\\xa9");
        assert_string_equal(mark, "ab~ef");
}

/* Runs with a terminal as standard output. Nothing may fail meanwhile: it would not be seen. */
static void on_a_terminal(const char *locale, void (*fn)(void)) {
        int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave, saved;

        assert_true(master >= 0);
        assert_int_equal(grantpt(master), 0);
        assert_int_equal(unlockpt(master), 0);
        slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true(slave >= 0);
        fflush(stdout);
        saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        dup2(slave, STDOUT_FILENO);
        use_locale(locale);
        fn();
        dup2(saved, STDOUT_FILENO);
        use_locale("C.UTF-8");
        close(saved);
        close(slave);
        close(master);
}

static const char *glyphs[TREE_GLYPH_MAX];

static void get_glyphs(void) {
        for (TreeGlyph glyph = 0; glyph < TREE_GLYPH_MAX; glyph++)
                glyphs[glyph] = output_tree_glyph(glyph);
}

static void assert_glyphs(const char *branch, const char *last, const char *vertical) {
        assert_string_equal(glyphs[TREE_BRANCH], branch);
        assert_string_equal(glyphs[TREE_LAST], last);
        assert_string_equal(glyphs[TREE_VERTICAL], vertical);
        assert_string_equal(glyphs[TREE_SPACE], "  ");
}

static void test_tree_glyphs(void **state _unused_) {
        get_glyphs();
        assert_glyphs("|-", "`-", "| ");
        on_a_terminal("C", get_glyphs);
        assert_glyphs("|-", "`-", "| ");
        on_a_terminal("C.UTF-8", get_glyphs);
        assert_glyphs("\u251c\u2500", "\u2514\u2500", "\u2502 ");
}

static Table *new_table(void) {
        static const TableColumn columns[] = { { "NAME", false }, { "N", true }, { "LAST", false } };
        Table *table = table_new(columns, ARRAY_SIZE(columns));

        table_add(table, NIHON, STYLE_GOOD);
        table_add(table, "7", STYLE_NONE);
        table_add(table, "a rather long text that is not cut", STYLE_NONE);
        table_add(table, "x\x1b[2J", STYLE_NONE);
        table_add(table, "1234", STYLE_BAD);
        table_add(table, NULL, STYLE_DIM);
        return table;
}

/* Neither colours nor a cut where there is no terminal. */
static void test_table(void **state _unused_) {
        _cleanup_(table_freep) Table *table = new_table();
        Capture capture;

        capture_begin(&capture);
        table_print(table, true, false, 0);
        capture_end(&capture);
        assert_string_equal(capture.text[0],
                            "NAME        N LAST\n"
                            NIHON "        7 a rather long text that is not cut\n"
                            "x\\x1b[2J 1234 -\n");
        capture_done(&capture);
}

static void test_table_without_legend(void **state _unused_) {
        _cleanup_(table_freep) Table *table = new_table();
        Capture capture;

        capture_begin(&capture);
        table_print(table, false, true, 2);
        capture_end(&capture);
        assert_string_equal(capture.text[0],
                            "  " NIHON "        7 a rather long text that is not cut\n"
                            "  x\\x1b[2J 1234 -\n");
        capture_done(&capture);
}

static void test_json(void **state _unused_) {
        json_t *value = json_pack("{s:[i,s]}", "a", 1, CAFE);
        Capture capture;

        capture_begin(&capture);
        output_json(value, JSON_SHORT);
        output_json(value, JSON_PRETTY);
        capture_end(&capture);
        assert_string_equal(capture.text[0],
                            "{\"a\":[1,\"" CAFE "\"]}\n"
                            "{\n        \"a\": [\n                1,\n                \"" CAFE "\"\n        ]\n}\n");
        capture_done(&capture);
        json_decref(value);
}

static void test_error_is_clean(void **state _unused_) {
        Capture capture;

        capture_begin(&capture);
        output_error("No domain '%s'.", "\x1b]0;owned\x07");
        capture_end(&capture);
        assert_string_equal(capture.text[0], "");
        assert_string_equal(capture.text[1], "landlockctl: No domain '\\x1b]0;owned\\x07'.\n");
        capture_done(&capture);
}

static void test_full_device(void **state _unused_) {
        Capture capture;
        ExitCode code;
        int full;

        capture_begin(&capture);
        full = open("/dev/full", O_WRONLY | O_CLOEXEC);
        dup2(full, STDOUT_FILENO);
        close(full);
        puts("lost");
        code = output_end(EXIT_CODE_OK);
        clearerr(stdout);
        capture_end(&capture);
        assert_int_equal(code, EXIT_CODE_FAILURE);
        assert_non_null(strstr(capture.text[1], "Cannot write the output: No space left on device."));
        capture_done(&capture);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_width),
                cmocka_unit_test(test_shorten),
                cmocka_unit_test(test_shorten_every_width),
                cmocka_unit_test(test_clean),
                cmocka_unit_test(test_clean_without_utf8),
                cmocka_unit_test(test_tree_glyphs),
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_table_without_legend),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_error_is_clean),
                cmocka_unit_test(test_full_device),
        };

        use_locale("C.UTF-8");
        return cmocka_run_group_tests(tests, NULL, NULL);
}
