/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/blocker.h"
#include "publish/json-request.h"

static bool parse(const char *line, JsonRequest *ret) {
        /* A copy of just its length: reading past the end is an error of its own. */
        size_t len = strlen(line);
        char *copy = malloc(len);
        bool good;

        memcpy(copy, line, len);
        good = json_request_parse((Text) { copy, len }, ret);
        free(copy);
        assert_true(good == !ret->error_name);
        return good;
}

static void assert_refused(const char *line, const char *name, const char *part) {
        JsonRequest request;

        assert_false(parse(line, &request));
        assert_string_equal(request.error_name, name);
        if (!strstr(request.error, part))
                fail_msg("%s: \"%s\" does not say %s", line, request.error, part);
}

static void test_good(void **state _unused_) {
        JsonRequest request;

        assert_true(parse("{\"op\":\"snapshot\"}", &request));
        assert_int_equal(request.op, JSON_OP_SNAPSHOT);
        assert_int_equal(request.n_id, 0);
        assert_string_equal(json_op_to_string(request.op), "snapshot");
        assert_true(parse(" { \"op\" : \"status\" } \r", &request));
        assert_int_equal(request.op, JSON_OP_STATUS);
        assert_true(parse("{\"op\":\"replay\",\"since\":0}", &request));
        assert_int_equal(request.op, JSON_OP_REPLAY);
        assert_true(request.since == 0);
        assert_true(parse("{\"op\":\"replay\",\"since\":9223372036854775807}", &request));
        assert_true(request.since == INT64_MAX);
        assert_null(json_op_to_string(JSON_OP_UNKNOWN));
}

static void assert_id(const char *id, const char *expected) {
        JsonRequest request;
        char line[JSON_REQUEST_MAX];

        snprintf(line, sizeof(line), "{\"op\":\"status\",\"id\":%s}", id);
        assert_true(parse(line, &request));
        assert_int_equal(request.n_id, strlen(expected));
        assert_memory_equal(request.id, expected, request.n_id);
}

static void test_id(void **state _unused_) {
        char id[JSON_REQUEST_ID_MAX + 2], line[JSON_REQUEST_MAX];

        assert_id("1", "1");
        assert_id("-9223372036854775808", "-9223372036854775808");
        assert_id("\"\"", "\"\"");
        assert_id("\"a\\\"b\\\\c\\n\"", "\"a\\\"b\\\\c\\n\"");
        assert_id("\"\xe2\x80\xae\"", "\"\\u202E\"");

        memset(id, 'x', sizeof(id));
        id[0] = id[JSON_REQUEST_ID_MAX - 1] = '"';
        id[JSON_REQUEST_ID_MAX] = '\0';
        assert_id(id, id);
        id[JSON_REQUEST_ID_MAX - 1] = 'x';
        id[JSON_REQUEST_ID_MAX] = '"';
        id[JSON_REQUEST_ID_MAX + 1] = '\0';
        snprintf(line, sizeof(line), "{\"op\":\"status\",\"id\":%s}", id);
        assert_refused(line, "bad-member", "\"id\"");

        assert_refused("{\"op\":\"status\",\"id\":null}", "bad-member", "\"id\"");
        assert_refused("{\"op\":\"status\",\"id\":1.5}", "bad-member", "\"id\"");
        assert_refused("{\"op\":\"status\",\"id\":[1]}", "bad-member", "\"id\"");
}

/* What can be read of it is kept to answer to. */
static void test_refused_with_id_and_op(void **state _unused_) {
        JsonRequest request;

        assert_false(parse("{\"op\":\"replay\",\"id\":7,\"since\":\"x\"}", &request));
        assert_int_equal(request.op, JSON_OP_REPLAY);
        assert_int_equal(request.n_id, 1);
        assert_false(parse("{\"op\":\"dance\",\"id\":7}", &request));
        assert_int_equal(request.op, JSON_OP_UNKNOWN);
        assert_int_equal(request.n_id, 1);
}

static void test_bad_json(void **state _unused_) {
        assert_refused("", "bad-json", "JSON");
        assert_refused("\r", "bad-json", "JSON");
        assert_refused("{", "bad-json", "JSON");
        assert_refused("{\"op\":\"status\"} x", "bad-json", "JSON");
        assert_refused("{\"op\":\"status\",\"op\":\"status\"}", "bad-json", "JSON");
        assert_refused("{\"op\":\"stat\xffus\"}", "bad-json", "JSON");
        assert_refused("[]", "bad-json", "object");
        assert_refused("\"snapshot\"", "bad-json", "JSON");
}

static void test_bad_members(void **state _unused_) {
        assert_refused("{}", "bad-member", "\"op\"");
        assert_refused("{\"op\":1}", "bad-member", "\"op\"");
        assert_refused("{\"op\":\"dance\"}", "unknown-op", "\"dance\"");
        assert_refused("{\"op\":\"snapshot\",\"since\":1}", "bad-member", "\"since\"");
        assert_refused("{\"op\":\"replay\"}", "bad-member", "\"since\"");
        assert_refused("{\"op\":\"replay\",\"since\":-1}", "bad-member", "\"since\"");
        assert_refused("{\"op\":\"replay\",\"since\":1.0}", "bad-member", "\"since\"");
        assert_refused("{\"op\":\"replay\",\"sinse\":1}", "bad-member", "\"sinse\"");
        assert_refused("{\"op\":\"subscribe\",\"types\":\"denial\"}", "bad-member", "\"types\"");
        assert_refused("{\"op\":\"subscribe\",\"types\":[\"denial\",\"hello\"]}", "bad-member", "\"hello\"");
        assert_refused("{\"op\":\"subscribe\",\"types\":[1]}", "bad-member", "\"types\"[0]");
        assert_refused("{\"op\":\"subscribe\",\"domains\":[\"1\",2]}", "bad-member", "\"domains\"[1]");
        assert_refused("{\"op\":\"subscribe\",\"domains\":[\"xyz\"]}", "bad-member", "\"xyz\"");
        assert_refused("{\"op\":\"subscribe\",\"domains\":[\"\"]}", "bad-member", "\"domains\"");
        assert_refused("{\"op\":\"subscribe\",\"domains\":[\"10000000000000000\"]}", "bad-member", "\"domains\"");
        assert_refused("{\"op\":\"subscribe\",\"blockers\":[\"fs.fly\"]}", "bad-member", "\"fs.fly\"");
        assert_refused("{\"op\":\"subscribe\",\"blockers\":{}}", "bad-member", "\"blockers\"");
}

static void test_filter(void **state _unused_) {
        JsonRequest request;

        assert_true(parse("{\"op\":\"subscribe\"}", &request));
        assert_int_equal(request.filter.types, EVENT_FILTER_EVERYTHING.types);
        assert_false(request.filter.by_domain);
        assert_false(request.filter.by_blockers);

        assert_true(parse("{\"op\":\"subscribe\",\"types\":[],\"domains\":[],\"blockers\":[]}", &request));
        assert_int_equal(request.filter.types, 0);
        assert_true(request.filter.by_domain);
        assert_int_equal(request.filter.n_domains, 0);
        assert_true(request.filter.by_blockers);
        assert_true(request.filter.blockers == 0);

        assert_true(parse("{\"op\":\"subscribe\",\"types\":[\"denial\",\"lost\"],\"domains\":[\"1466dc891\",\"FF\"],"
                          "\"blockers\":[\"ptrace\",\"other\",\"fs.execute\"]}", &request));
        assert_int_equal(request.filter.types, 1U << EVENT_TYPE_DENIAL | 1U << EVENT_TYPE_LOST);
        assert_int_equal(request.filter.n_domains, 2);
        assert_true(request.filter.domains[0] == UINT64_C(0x1466dc891));
        assert_true(request.filter.domains[1] == 0xff);
        assert_true(request.filter.blockers ==
                    (UINT64_C(1) << BLOCKER_PTRACE | UINT64_C(1) << BLOCKER_FS_EXECUTE | EVENT_BLOCKER_OTHER));
}

static void test_filter_cap(void **state _unused_) {
        char line[JSON_REQUEST_MAX];
        JsonRequest request;
        size_t n = sprintf(line, "{\"op\":\"subscribe\",\"domains\":[\"0\"");

        for (unsigned i = 1; i < EVENT_FILTER_DOMAINS_MAX; i++)
                n += sprintf(line + n, ",\"%x\"", i);
        strcpy(line + n, "]}");
        assert_true(parse(line, &request));
        assert_int_equal(request.filter.n_domains, EVENT_FILTER_DOMAINS_MAX);
        strcpy(line + n, ",\"1000\"]}");
        assert_refused(line, "bad-member", "\"domains\"");
}

/* As deep and as long as a line can be, and names that do not fit the message. */
static void test_extremes(void **state _unused_) {
        char line[JSON_REQUEST_MAX];
        JsonRequest request;

        memset(line, '[', sizeof(line));
        line[sizeof(line) - 1] = '\0';
        assert_refused(line, "bad-json", "JSON");

        memset(line, 'x', sizeof(line));
        memcpy(line, "{\"op\":\"", strlen("{\"op\":\""));
        strcpy(line + sizeof(line) - 3, "\"}");
        assert_false(parse(line, &request));
        assert_string_equal(request.error_name, "unknown-op");
        assert_true(strlen(request.error) < sizeof(request.error));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_id),
                cmocka_unit_test(test_refused_with_id_and_op),
                cmocka_unit_test(test_bad_json),
                cmocka_unit_test(test_bad_members),
                cmocka_unit_test(test_filter),
                cmocka_unit_test(test_filter_cap),
                cmocka_unit_test(test_extremes),
        };

        return cmocka_run_group_tests_name("json-request", tests, NULL, NULL);
}
