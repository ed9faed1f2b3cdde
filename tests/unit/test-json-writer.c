/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The streaming writer is held to jansson: whatever goes in must come out of jansson's parser as the same value. */
#include "test.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/clock.h"
#include "publish/json-member.h"
#include "publish/json-writer.h"

/* How much before the end of a buffer the writer may call it full: what a number in hex could need. */
#define SLACK 64

static uint64_t random_state;

static uint32_t random_below(uint32_t n) {
        random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
        return (uint32_t) (random_state >> 33) % n;
}

/* Bytes of one of several kinds: those that need an escape must be neither rare nor all. */
static size_t random_bytes(char *buffer, size_t max) {
        static const char *const pieces[] = { "\"", "\\", "\n", "\x7f", "é", "€", "😀", "\xc3", "\xe2\x82", "\xff",
                                              "\xc2\x85", "\xe2\x80\xae", "\xed\xa0\x80", "\xf4\x90\x80\x80", "/",
                                              "\\x41" };
        unsigned kind = random_below(4);
        size_t len = 0, want = random_below(max - 8);

        while (len < want) {
                if (kind == 0 || random_below(8 << kind) == 0) {
                        const char *piece = pieces[random_below(ARRAY_SIZE(pieces))];

                        memcpy(buffer + len, piece, strlen(piece));
                        len += strlen(piece);
                } else {
                        buffer[len++] = kind == 1 ? (char) random_below(256) : (char) (' ' + random_below(95));
                }
        }
        return len;
}

static void assert_writes_text(Text t) {
        char json[8 * 1024], back[8 * 1024];
        char *escaped;
        size_t n;
        JsonWriter w;
        json_t *value;

        json_writer_init(&w, json, sizeof(json));
        json_writer_text(&w, t);
        assert_false(w.overflow);
        value = json_loadb(json, json_writer_result(&w).len, JSON_DECODE_ANY, NULL);
        assert_non_null(value);

        assert_int_equal(text_escape(t, &escaped), 0);
        assert_string_equal(json_string_value(value), escaped);
        assert_int_equal(text_unescape(text_from_string(json_string_value(value)), back, &n), 0);
        assert_int_equal(n, t.len);
        assert_memory_equal(back, t.data, n);
        free(escaped);
        json_decref(value);
}

static void test_text_random(void **state _unused_) {
        char bytes[300];

        random_state = 1;
        for (unsigned i = 0; i < 20000; i++)
                assert_writes_text((Text) { bytes, random_bytes(bytes, sizeof(bytes)) });
}

/* Text is read in words: every byte must be seen at every place in a word and in what is left after the last. */
static void test_text_every_byte_everywhere(void **state _unused_) {
        char bytes[19];

        for (size_t len = 1; len <= sizeof(bytes); len++)
                for (size_t at = 0; at < len; at++)
                        for (unsigned byte = 0; byte < 256; byte++) {
                                memset(bytes, 'a', len);
                                bytes[at] = (char) byte;
                                assert_writes_text((Text) { bytes, len });
                        }
}

static void test_values(void **state _unused_) {
        char json[1024];
        JsonWriter w;
        JsonWriterMark outer, inner;

        json_writer_init(&w, json, sizeof(json));
        json_writer_begin_object(&w);
        json_member_u64(&w, "max", UINT64_MAX);
        json_member_i64_if(&w, true, "min", INT64_MIN);
        json_member_i64_if(&w, true, "minus", -13);
        json_member_i64_if(&w, false, "absent", 1);
        json_member_bool_if(&w, true, "yes", true);
        json_member_bool_if(&w, true, "no", false);
        json_member_text(&w, "empty", TEXT_LITERAL(""));
        json_member_text(&w, "absent", TEXT_NULL);
        json_member_string(&w, "string", "a\"b\\c\nd");
        json_member_time(&w, "time", 1);
        json_member_time(&w, "absent", 0);
        json_writer_key(&w, "hex");
        json_writer_hex(&w, TEXT_LITERAL("0x"), UINT64_MAX);
        json_writer_key(&w, "octal");
        json_writer_octal(&w, TEXT_LITERAL("0"), 0100644);
        json_writer_key_text(&w, TEXT_LITERAL("k\"ey"));
        json_writer_begin_array(&w);
        json_writer_hex(&w, TEXT_LITERAL(""), 0);
        json_writer_begin_array(&w);
        json_writer_end_array(&w);
        json_writer_begin_object(&w);
        json_writer_end_object(&w);
        json_writer_u64(&w, 100);
        json_writer_end_array(&w);
        outer = json_writer_begin_optional(&w, "absent");
        inner = json_writer_begin_optional(&w, "absent");
        json_writer_end_optional(&w, inner);
        json_writer_end_optional(&w, outer);
        outer = json_writer_begin_optional(&w, "outer");
        inner = json_writer_begin_optional(&w, "inner");
        json_member_u64(&w, "one", 1);
        json_writer_end_optional(&w, inner);
        json_writer_end_optional(&w, outer);
        json_writer_end_object(&w);

        assert_false(w.overflow);
        assert_text(json_writer_result(&w),
                    "{\"max\":18446744073709551615,\"min\":-9223372036854775808,\"minus\":-13,"
                    "\"yes\":true,\"no\":false,\"empty\":\"\",\"string\":\"a\\\"b\\\\x5cc\\\\x0ad\",\"time\":\"1970-01-01T00:00:00.000001Z\","
                    "\"hex\":\"0xffffffffffffffff\",\"octal\":\"0100644\",\"k\\\"ey\":[\"0\",[],{},100],"
                    "\"outer\":{\"inner\":{\"one\":1}}}");
}

static void test_numbers_random(void **state _unused_) {
        random_state = 2;
        for (unsigned i = 0; i < 20000; i++) {
                uint64_t value = ((uint64_t) random_below(UINT32_MAX) << 32 | random_below(UINT32_MAX)) >>
                        random_below(64);
                char json[64], expected[64];
                JsonWriter w;

                json_writer_init(&w, json, sizeof(json));
                json_writer_begin_array(&w);
                json_writer_u64(&w, value);
                json_writer_i64(&w, (int64_t) (0 - value));
                json_writer_end_array(&w);
                snprintf(expected, sizeof(expected), "[%ju,%jd]", (uintmax_t) value, (intmax_t) (0 - value));
                assert_int_equal(json_writer_result(&w).len, strlen(expected));
                assert_memory_equal(json, expected, strlen(expected));
        }
}

/* Writes a random value and returns it as jansson has it. */
static json_t *random_value(JsonWriter *w, unsigned depth);

static json_t *random_string(JsonWriter *w, void (*write)(JsonWriter *w, Text t)) {
        char bytes[40], *escaped;
        Text t = { bytes, random_bytes(bytes, sizeof(bytes)) };
        json_t *string;

        write(w, t);
        assert_int_equal(text_escape(t, &escaped), 0);
        string = json_string(escaped);
        free(escaped);
        return string;
}

static json_t *random_object(JsonWriter *w, unsigned depth) {
        json_t *object = json_object();

        json_writer_begin_object(w);
        for (unsigned n = random_below(5); n > 0; n--) {
                json_t *key = random_string(w, json_writer_key_text);

                /* As jansson's parser does: the last of the same key wins. */
                json_object_set_new(object, json_string_value(key), random_value(w, depth + 1));
                json_decref(key);
        }
        json_writer_end_object(w);
        return object;
}

static json_t *random_array(JsonWriter *w, unsigned depth) {
        json_t *array = json_array();

        json_writer_begin_array(w);
        for (unsigned n = random_below(5); n > 0; n--)
                json_array_append_new(array, random_value(w, depth + 1));
        json_writer_end_array(w);
        return array;
}

static json_t *random_value(JsonWriter *w, unsigned depth) {
        int64_t number;

        switch (random_below(depth < 6 ? 6 : 4)) {
        case 0:
                return random_string(w, json_writer_text);
        case 1:
                number = (int64_t) ((uint64_t) random_below(UINT32_MAX) << random_below(33)) - UINT32_MAX;
                json_writer_i64(w, number);
                return json_integer(number);
        case 2:
                number = random_below(UINT32_MAX);
                json_writer_u64(w, number);
                return json_integer(number);
        case 3:
                number = random_below(2);
                json_writer_bool(w, number);
                return json_boolean(number);
        case 4:
                return random_object(w, depth);
        default:
                return random_array(w, depth);
        }
}

static void test_structures_random(void **state _unused_) {
        static char json[1024 * 1024];

        random_state = 3;
        for (unsigned i = 0; i < 3000; i++) {
                JsonWriter w;
                json_t *expected, *got;

                json_writer_init(&w, json, sizeof(json));
                expected = random_object(&w, 0);
                assert_false(w.overflow);
                got = json_loadb(json, json_writer_result(&w).len, 0, NULL);
                assert_non_null(got);
                assert_true(json_equal(got, expected));
                json_decref(expected);
                json_decref(got);
        }
}

static void write_everything(JsonWriter *w) {
        JsonWriterMark mark;

        json_writer_begin_object(w);
        json_member_text(w, "text", TEXT_LITERAL("abc\"\n\xff€ 0123456789"));
        json_writer_key_text(w, TEXT_LITERAL("a\nkey"));
        json_writer_begin_array(w);
        json_writer_u64(w, 1234567890);
        json_writer_i64(w, -1);
        json_writer_bool(w, false);
        json_writer_end_array(w);
        mark = json_writer_begin_optional(w, "absent");
        json_writer_end_optional(w, mark);
        mark = json_writer_begin_optional(w, "optional");
        json_member_time(w, "time", 1);
        json_writer_end_optional(w, mark);
        json_writer_key(w, "hex");
        json_writer_hex(w, TEXT_LITERAL("0x"), 0xabc);
        json_writer_key(w, "dev_number");
        json_writer_dev_number(w, UINT32_MAX, 0);
        json_writer_key(w, "text");
        json_writer_text(w, TEXT_LITERAL("quotes \"\"\"\"\"\"\"\""));
        json_writer_end_object(w);
}

/* Into a buffer of each size: what does not fit is said, and nothing is written behind the end. */
static void test_overflow(void **state _unused_) {
        char all[1024];
        JsonWriter whole;

        json_writer_init(&whole, all, sizeof(all));
        write_everything(&whole);
        assert_false(whole.overflow);

        for (size_t size = 0; size < json_writer_result(&whole).len + SLACK; size++) {
                char *buffer = malloc(size + 1);
                JsonWriter w;

                buffer[size] = '!';
                json_writer_init(&w, buffer, size);
                write_everything(&w);
                assert_int_equal(buffer[size], '!');
                assert_true(json_writer_result(&w).len <= size);
                if (size < json_writer_result(&whole).len) {
                        assert_true(w.overflow);
                } else if (!w.overflow) {
                        assert_int_equal(json_writer_result(&w).len, json_writer_result(&whole).len);
                        assert_memory_equal(buffer, all, json_writer_result(&w).len);
                }
                free(buffer);
        }

        json_writer_init(&whole, all, json_writer_result(&whole).len + SLACK);
        write_everything(&whole);
        assert_false(whole.overflow);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text_random),
                cmocka_unit_test(test_text_every_byte_everywhere),
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_numbers_random),
                cmocka_unit_test(test_structures_random),
                cmocka_unit_test(test_overflow),
        };

        return cmocka_run_group_tests_name("json-writer", tests, NULL, NULL);
}
