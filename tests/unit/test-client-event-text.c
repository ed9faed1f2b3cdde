/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-client-capture.h"

#include <errno.h>
#include <time.h>

#include "client/event-line.h"
#include "client/event-text.h"

static json_t *load(const char *text) {
        json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

        assert_non_null(value);
        return value;
}

typedef char *(*Render)(const json_t *value);

/* NULL: nothing is known. */
static void renders_to(Render render, const char *json, const char *expected) {
        json_auto_t *value = load(json);
        _cleanup_free_ char *text = render(value);

        if (!expected)
                assert_null(text);
        else
                assert_string_equal(text, expected);
}

static void test_time(void **state _unused_) {
        renders_to(event_text_time_exact, "\"2026-11-22T00:28:34.891999Z\"", "2026-11-22 00:28:34.891");
        renders_to(event_text_time, "\"2026-11-22T00:28:34.891999Z\"", "2026-11-22 00:28:34");
        renders_to(event_text_time, "\"9999-12-31T23:59:59.999999Z\"", "9999-12-31 23:59:59");
        renders_to(event_text_time, "\"yesterday\"", "yesterday");
        renders_to(event_text_time, "\"2026-11-22T00:28:34Z\"", "2026-11-22T00:28:34Z");
        renders_to(event_text_time, "\"2026-11-22T00:28:34.891999+\"", "2026-11-22T00:28:34.891999+");
        renders_to(event_text_time, "5", NULL);
}

static void test_local_time(void **state _unused_) {
        setenv("TZ", "TEST-2", 1);
        tzset();
        renders_to(event_text_time, "\"2026-12-31T23:28:34.891000Z\"", "2027-01-01 01:28:34");
        use_locale("C.UTF-8");
        tzset();
}

static void test_process(void **state _unused_) {
        renders_to(event_text_process, "{\"comm\":\"sh\",\"pid\":7}", "sh[7]");
        renders_to(event_text_process, "{\"comm\":\"\",\"pid\":7}", "[7]");
        renders_to(event_text_process, "{\"pid\":7}", "?[7]");
        renders_to(event_text_process, "{\"comm\":\"sh\"}", "sh");
        renders_to(event_text_process, "{\"comm\":7,\"pid\":\"x\"}", NULL);
        renders_to(event_text_process, "[]", NULL);
}

static void test_object(void **state _unused_) {
        renders_to(event_text_object, "{\"kind\":\"file\",\"path\":\"/a\",\"dev\":\"vda\",\"ino\":3}", "/a");
        renders_to(event_text_object, "{\"kind\":\"file\",\"path\":\"/dev/tty\",\"ioctl_cmd\":\"0x5412\"}",
                   "/dev/tty (ioctl 0x5412)");
        renders_to(event_text_object, "{\"kind\":\"file\",\"name\":\"a\",\"dev\":\"vda\",\"ino\":3}", "a (inode 3 on vda)");
        renders_to(event_text_object, "{\"kind\":\"file\",\"dev\":\"vda\",\"ino\":3}", "? (inode 3 on vda)");
        renders_to(event_text_object, "{\"kind\":\"file\",\"name\":\"a\",\"dev\":\"vda\"}", "a (on vda)");
        renders_to(event_text_object, "{\"kind\":\"file\",\"dev_number\":\"254:1\",\"ino\":3}", "? (inode 3 on 254:1)");
        renders_to(event_text_object, "{\"kind\":\"file\"}", NULL);
        renders_to(event_text_object, "{\"kind\":\"network\",\"remote\":{\"address\":\"10.0.0.1\",\"port\":80}}", "10.0.0.1:80");
        renders_to(event_text_object,
                   "{\"kind\":\"network\",\"local\":{\"address\":\"::1\",\"port\":9},\"remote\":{\"port\":80},\"interface\":\"lo\"}",
                   "[::1]:9 -> *:80 on lo");
        renders_to(event_text_object, "{\"kind\":\"network\"}", NULL);
        renders_to(event_text_object, "{\"kind\":\"socket\",\"path\":\"\\\\x00demo name\"}", "@demo name");
        renders_to(event_text_object, "{\"kind\":\"socket\",\"path\":\"/run/s\"}", "/run/s");
        renders_to(event_text_object, "{\"kind\":\"process\",\"pid\":1,\"comm\":\"init\"}", "init[1]");
        renders_to(event_text_object, "{\"kind\":\"unknown\"}", NULL);
        renders_to(event_text_object, "{\"kind\":\"of tomorrow\",\"path\":\"/a\"}", NULL);
        renders_to(event_text_object, "null", NULL);
}

static void test_rule(void **state _unused_) {
        renders_to(event_text_rule, "{\"path\":\"/usr\",\"dev_number\":\"254:1\",\"ino\":3}", "/usr");
        renders_to(event_text_rule, "{\"dev_number\":\"254:1\",\"ino\":3}", "? (inode 3 on 254:1)");
        renders_to(event_text_rule, "{\"port\":443}", "port 443");
        renders_to(event_text_rule, "{\"port\":\"443\"}", NULL);
        renders_to(event_text_rule, "[]", NULL);
}

static char *denials_of(const json_t *domain) {
        return event_text_denials(domain, NULL);
}

static void test_lists_and_counts(void **state _unused_) {
        renders_to(event_text_names, "[\"fs.write_file\",\"fs.truncate\"]", "fs.write_file,fs.truncate");
        renders_to(event_text_names, "[]", NULL);
        renders_to(denials_of, "{\"denials\":{\"seen\":3}}", "3");
        renders_to(denials_of, "{\"denials\":{\"seen\":3,\"kernel\":3}}", "3");
        renders_to(denials_of, "{\"denials\":{\"seen\":3,\"kernel\":5}}", "3 of 5");
        renders_to(denials_of, "{}", NULL);
}

static void prints(const char *json, const char *expected) {
        json_auto_t *event = load(json);
        Capture capture;

        capture_begin(&capture);
        event_text_print(event);
        capture_end(&capture);
        assert_string_equal(capture.text[0], expected);
        capture_done(&capture);
}

#define HEAD "{\"time\":\"2026-11-22T00:28:34.891000Z\",\"domain\":\"1466dc891\",\"type\":"
#define TIME "2026-11-22 00:28:34.891 "

static void test_events(void **state _unused_) {
        prints(HEAD "\"denial\",\"subject\":{\"pid\":7,\"comm\":\"sh\"},\"blockers\":[\"fs.make_reg\"],"
               "\"object\":{\"kind\":\"file\",\"path\":\"/etc\"}}",
               TIME "denial  1466dc891 sh[7] fs.make_reg /etc\n");
        prints(HEAD "\"denial\",\"count\":12,\"incomplete\":true}",
               TIME "denial  1466dc891 ? ? - (12 times) (parts of the record are missing)\n");
        prints(HEAD "\"domain\",\"change\":\"added\",\"creator\":{\"pid\":7,\"uid\":0,\"comm\":\"sh\",\"exe\":\"/bin/sh\"}}",
               TIME "domain  1466dc891 added, made by sh[7] of uid 0 (/bin/sh)\n");
        prints(HEAD "\"domain\",\"change\":\"added\"}", TIME "domain  1466dc891 added, maker unknown\n");
        prints(HEAD "\"domain\",\"change\":\"freed\",\"denials\":{\"seen\":1,\"kernel\":4}}",
               TIME "domain  1466dc891 freed; denials seen: 1 of 4\n");
        prints(HEAD "\"domain\",\"change\":\"evicted\"}", TIME "domain  1466dc891 forgotten: landlockd's table is full\n");
        prints(HEAD "\"domain\",\"state\":\"allocated\",\"creator\":{\"exe\":\"/bin/sh\"},\"denials\":{\"seen\":1}}",
               TIME "domain  1466dc891 allocated, made by /bin/sh; denials seen: 1\n");
        prints(HEAD "\"process\",\"pid\":7,\"comm\":\"sh\",\"exe\":\"/bin/sh\",\"known\":\"kernel\"}",
               TIME "process 1466dc891 sh[7] /bin/sh (known: kernel)\n");
        prints(HEAD "\"process\",\"change\":\"gone\",\"pid\":7,\"comm\":\"sh\",\"known\":\"inherited\"}",
               TIME "process 1466dc891 gone: sh[7] (known: inherited)\n");
        prints("{\"type\":\"lost\",\"source\":\"audit\",\"cause\":\"socket-overflow\",\"unit\":\"messages\","
               "\"since\":\"2026-11-22T00:28:34.891000Z\",\"until\":\"2026-11-22T00:28:35.000000Z\"}",
               "-                       lost    -         audit: an unknown number of messages lost (socket-overflow) from "
               "2026-11-22 00:28:34.891 to 2026-11-22 00:28:35.000\n");
        prints("{\"type\":\"lost\",\"source\":\"client\",\"cause\":\"slow-client\",\"unit\":\"events\",\"count\":9}",
               "-                       lost    -         client: 9 events lost (slow-client)\n");
        prints("{\"type\":\"lost\",\"source\":\"client\",\"cause\":\"missed\",\"unit\":\"events\",\"count\":9}",
               "-                       lost    -         9 denials and changes of domains were not told: there were too many "
               "at once, or this was read too slowly\n");
        prints("{\"type\":\"hello\",\"version\":\"1\",\"landlock\":{\"abi\":7},\"sources\":[{\"name\":\"audit\","
               "\"state\":\"degraded\",\"reason\":\"so\"},{\"name\":\"trace\",\"state\":\"active\",\"reason\":\"\"}]}",
               "-                       hello   -         landlockd 1, Landlock ABI 7; audit degraded (so); trace active\n");
}

#define RULESET "{\"time\":\"2026-11-22T00:28:34.891000Z\",\"ruleset\":\"1466dc880\",\"type\":\"ruleset\","

static void test_rulesets(void **state _unused_) {
        prints(RULESET "\"change\":\"created\",\"handled\":{\"fs\":[\"fs.execute\"],\"net\":[],\"scope\":[\"scope.signal\"]},"
               "\"rules_total\":0}",
               TIME "ruleset 1466dc880 created, handles fs.execute,scope.signal; rules: 0\n");
        prints(RULESET "\"change\":\"rule-added\",\"rules\":[{\"version\":2,\"path\":\"/usr\",\"access\":[\"fs.execute\","
               "\"fs.read_file\"]}]}",
               TIME "ruleset 1466dc880 rule 2 added: /usr fs.execute,fs.read_file\n");
        prints(RULESET "\"change\":\"rule-added\",\"rules\":[{\"version\":3,\"port\":443,\"access\":[]}]}",
               TIME "ruleset 1466dc880 rule 3 added: port 443 -\n");
        prints(RULESET "\"change\":\"rule-added\",\"rules\":7}", TIME "ruleset 1466dc880 rule 0 added: ? -\n");
        prints(RULESET "\"change\":\"freed\",\"rules_total\":3}", TIME "ruleset 1466dc880 freed; rules: 3\n");
        prints(RULESET "\"snapshot\":true,\"handled\":7,\"rules_total\":3}", TIME "ruleset 1466dc880 handles ?; rules: 3\n");
}

/* What is not known is shown, not dropped; what is hostile drives nothing. */
static void test_strange_events(void **state _unused_) {
        prints(HEAD "\"newer\",\"x\":1}",
               TIME "newer   1466dc891 {\"time\":\"2026-11-22T00:28:34.891000Z\",\"domain\":\"1466dc891\",\"type\":\"newer\",\"x\":1}\n");
        prints("{\"type\":\"denial\",\"domain\":\"\\u001b[2J\",\"time\":\"\\u009b1m\",\"subject\":{\"comm\":\"\\n\",\"pid\":1}}",
               "\\xc2\\x9b1m              denial  \\x1b[2J   \\x0a[1] ? -\n");
        prints("{}", "-                       -       -         {}\n");
}

static void parses(const char *line, int expected) {
        json_auto_t *event = NULL;

        assert_int_equal(event_line_parse(text_from_string(line), &event), expected);
        assert_true(!event == (expected < 0));
}

static void test_lines(void **state _unused_) {
        parses("{\"type\":\"denial\",\"path\":\"\\\\x1b caf\xc3\xa9\"}", 0);
        parses("{\"path\":\"\x1b[2J\"}", -EBADMSG);
        parses("{\"path\":\"\xc2\x9b\"}", -EBADMSG);
        parses("{\"path\":\"\xe2\x80\xae\"}", -EBADMSG);
        parses("{\"path\":\"\xff\"}", -EBADMSG);
        parses("{\"a\":1,\"a\":2}", -EBADMSG);
        parses("{\"a\":1} x", -EBADMSG);
        parses("[1]", -EBADMSG);
        parses("7", -EBADMSG);
        parses("", -EBADMSG);
}

/* Only that number loses its last digits. */
static void test_large_numbers(void **state _unused_) {
        static const char line[] =
                "{\"pid\":7,\"ino\":18446744073709551615,\"min\":-9223372036854775807,\"max\":9223372036854775807,"
                "\"text\":\"\\\"18446744073709551615\\\\\",\"list\":[99999999999999999999,1.5]}";
        json_auto_t *event = NULL;

        assert_int_equal(event_line_parse(text_from_string(line), &event), 0);
        assert_int_equal(json_get_number(event, "pid"), 7);
        assert_true(json_real_value(json_object_get(event, "ino")) > 1.8e19);
        assert_true(json_get_number(event, "max") == INT64_MAX);
        assert_string_equal(json_get_text(event, "text"), "\"18446744073709551615\\");
        assert_true(json_real_value(json_array_get(json_object_get(event, "list"), 0)) > 9e19);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_time),
                cmocka_unit_test(test_local_time),
                cmocka_unit_test(test_process),
                cmocka_unit_test(test_object),
                cmocka_unit_test(test_rule),
                cmocka_unit_test(test_lists_and_counts),
                cmocka_unit_test(test_events),
                cmocka_unit_test(test_rulesets),
                cmocka_unit_test(test_strange_events),
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_large_numbers),
        };

        use_locale("C.UTF-8");
        return cmocka_run_group_tests(tests, NULL, NULL);
}
