/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What json-writer writes, json-reader reads; anything else fails, and ever after. */
#include "test.h"

#include "publish/json-reader.h"
#include "publish/json-writer.h"

static JsonReader reader;
static char texts[4096];

static JsonReader *read_json(const char *json) {
        json_reader_init(&reader, text_from_string(json), texts);
        return &reader;
}

static void test_values(void **state _unused_) {
        JsonReader *r = read_json("18446744073709551615");
        uint32_t numbers[2];
        uint64_t u64;
        uint16_t u16;
        int64_t i64;
        bool b;

        assert_true(json_reader_u64(r, &u64) && json_reader_done(r));
        assert_true(u64 == UINT64_MAX);
        assert_true(json_reader_i64(read_json("-9223372036854775808"), &i64));
        assert_true(i64 == INT64_MIN);
        assert_true(json_reader_u16(read_json("65535"), &u16) && u16 == 65535);
        assert_true(json_reader_bool(read_json("true"), &b) && b);
        assert_true(json_reader_bool(read_json("false"), &b) && !b);
        assert_true(json_reader_hex(read_json("\"ffffffffffffffff\""), &u64) && u64 == UINT64_MAX);
        assert_true(json_reader_0x32(read_json("\"0x5401\""), &numbers[0]) && numbers[0] == 0x5401);
        assert_true(json_reader_octal32(read_json("\"0100644\""), &numbers[0]) && numbers[0] == 0100644);
        assert_true(json_reader_dev_number(read_json("\"254:4294967295\""), numbers));
        assert_true(numbers[0] == 254 && numbers[1] == UINT32_MAX);
        assert_true(json_reader_time(read_json("\"2026-11-22T00:28:34.891001Z\""), &u64));
        assert_int_equal(u64, UINT64_C(1795307314891001));
}

static void test_wrong_values(void **state _unused_) {
        uint64_t u64[2];
        Text text;

        assert_false(json_reader_u64(read_json("18446744073709551616"), u64));
        assert_false(json_reader_u64(read_json("-1"), u64));
        assert_false(json_reader_u64(read_json("1.5"), u64));
        assert_false(json_reader_u64(read_json(" 1"), u64));
        assert_false(json_reader_u64(read_json("\"1\""), u64));
        assert_false(json_reader_u64(read_json(""), u64));
        assert_false(json_reader_u16(read_json("65536"), u64));
        assert_false(json_reader_u32(read_json("4294967296"), u64));
        assert_false(json_reader_i64(read_json("9223372036854775808"), u64));
        assert_false(json_reader_bool(read_json("1"), u64));
        assert_false(json_reader_bool(read_json("null"), u64));
        assert_false(json_reader_hex(read_json("ff"), u64));
        assert_false(json_reader_hex(read_json("\"\""), u64));
        assert_false(json_reader_hex(read_json("\"10000000000000000\""), u64));
        assert_false(json_reader_0x32(read_json("\"5401\""), u64));
        assert_false(json_reader_0x32(read_json("\"0x100000000\""), u64));
        assert_false(json_reader_dev_number(read_json("\"1:2:3\""), u64));
        assert_false(json_reader_dev_number(read_json("\"1\""), u64));
        assert_false(json_reader_time(read_json("\"2026-11-22T00:28:34.891000\""), u64));
        assert_false(json_reader_time(read_json("\"2026-13-22T00:28:34.891000Z\""), u64));
        assert_false(json_reader_text(read_json("\"open"), &text));
        assert_false(json_reader_text(read_json("\"open\\\""), &text));
        assert_false(json_reader_text(read_json("\"\\n\""), &text));
        assert_false(json_reader_text(read_json("\"\\\\x0\""), &text));
        assert_false(json_reader_text(read_json("\"\\\\\""), &text));
}

/* Each byte, and mixes of them. */
static void test_texts(void **state _unused_) {
        char raw[512], json[4096];
        JsonWriter w;
        Text text;

        for (size_t i = 0; i < sizeof(raw); i++)
                raw[i] = (char) (i < 256 ? i : i * 37);
        for (size_t len = 0; len <= sizeof(raw); len++) {
                json_writer_init(&w, json, sizeof(json));
                json_writer_text(&w, (Text) { raw + sizeof(raw) - len, len });
                json_reader_init(&reader, json_writer_result(&w), texts);
                assert_true(json_reader_text(&reader, &text) && json_reader_done(&reader));
                assert_int_equal(text.len, len);
                assert_memory_equal(text.data, raw + sizeof(raw) - len, len);
        }
}

typedef struct Target {
        uint64_t a;
        bool has_a, b;
        Text c;
} Target;

static const JsonField fields[] = {
        JSON_FIELD_IF("a", Target, json_reader_u64, a, has_a),
        JSON_FIELD("b", Target, json_reader_bool, b),
        JSON_FIELD("c", Target, json_reader_text, c),
};

static bool read_target(const char *json, Target *ret) {
        *ret = (Target) {};
        return json_reader_fields(read_json(json), fields, ARRAY_SIZE(fields), ret) && json_reader_done(&reader);
}

static void test_objects(void **state _unused_) {
        Target target;

        assert_true(read_target("{}", &target) && !target.has_a);
        assert_true(read_target("{\"a\":7,\"b\":true,\"c\":\"x\"}", &target));
        assert_true(target.a == 7 && target.has_a && target.b);
        assert_text(target.c, "x");
        assert_true(read_target("{\"z\":{\"a\":[1,2,{}]},\"a\":7,\"y\":\"\\\"}\",\"c\":\"\",\"x\":[]}", &target));
        assert_true(target.a == 7 && text_known(target.c) && target.c.len == 0);
}

static void test_wrong_objects(void **state _unused_) {
        static const char *const bad[] = {
                "", "{", "[", "[]", "{]", "{\"a\"}", "{\"a\":}", "{\"a\":7", "{\"a\":7,}", "{,\"a\":7}", "{\"a\":7 }", "{\"a\":7}}",
                "{\"a\":7}x", "{\"a\":\"7\"}", "{\"z\":[1,]}", "{\"z\":[,1]}", "{\"z\":[1}}", "{\"z\":}", "{\"z\":{\"a\":}}",
                "{\"z\":\"}", "{\"\\\"\":7}", "{\"a\":7 \"b\":true}", "{\"a\":7\"b\":true}", "{a:7}",
        };
        Target target;

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (read_target(bad[i], &target))
                        fail_msg("taken: %s", bad[i]);
}

static void test_arrays(void **state _unused_) {
        JsonReader *r = read_json("[1,2,3]");
        uint64_t n, sum = 0;

        assert_true(json_reader_begin_array(r));
        while (json_reader_next_element(r) && json_reader_u64(r, &n))
                sum += n;
        assert_true(json_reader_done(r));
        assert_int_equal(sum, 6);

        /* Once failed, it stays so. */
        r = read_json("[1,x,3]");
        assert_true(json_reader_begin_array(r));
        assert_true(json_reader_next_element(r) && json_reader_u64(r, &n));
        assert_true(json_reader_next_element(r) && !json_reader_u64(r, &n));
        assert_false(json_reader_next_element(r) || json_reader_u64(r, &n) || json_reader_skip(r) || json_reader_begin_object(r) ||
                     json_reader_done(r));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_wrong_values),
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_objects),
                cmocka_unit_test(test_wrong_objects),
                cmocka_unit_test(test_arrays),
        };

        return cmocka_run_group_tests_name("json-reader", tests, NULL, NULL);
}
