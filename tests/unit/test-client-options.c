/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-client-capture.h"

#include <errno.h>

#define UUID "5f0c1a2e-9b1d-4c57-8d7e-0123456789ab"

typedef struct Parsed {
        Options options;
        OptionsResult result;
        char *argv[32];
        int argc;
        Capture capture;
} Parsed;

static void parse_words(Parsed *p, const char *const *words) {
        *p = (Parsed) { .argv = { strdup("landlockctl") }, .argc = 1 };
        for (; *words; words++)
                p->argv[p->argc++] = strdup(*words);

        capture_begin(&p->capture);
        p->result = options_parse(p->argc, p->argv, &p->options);
        capture_end(&p->capture);
}

static void parsed_done(Parsed *p) {
        for (int i = 0; i < p->argc; i++)
                free(p->argv[i]);
        capture_done(&p->capture);
}

#define parse(p, ...) parse_words((p), (const char *const[]) { __VA_ARGS__ __VA_OPT__(,) NULL })

static void test_defaults(void **state _unused_) {
        Parsed p;

        parse(&p);
        assert_int_equal(p.result, OPTIONS_RUN);
        assert_string_equal(p.options.verb->name, "list");
        assert_string_equal(p.options.bus, "system");
        assert_string_equal(p.options.state, "allocated");
        assert_int_equal(p.options.json, JSON_DEFAULT);
        assert_true(p.options.legend && p.options.pager && !p.options.full);
        assert_int_equal(p.options.n_args, 0);
        parsed_done(&p);
}

static void test_options_around_the_verb(void **state _unused_) {
        Parsed p;

        parse(&p, "--bus=unix:path=/x", "show", "-l", "1466dc891", "--no-legend", "0xabc", "--no-pager", "--json=short");
        assert_int_equal(p.result, OPTIONS_RUN);
        assert_string_equal(p.options.verb->name, "show");
        assert_string_equal(p.options.bus, "unix:path=/x");
        assert_int_equal(p.options.n_args, 2);
        assert_string_equal(p.options.args[0], "1466dc891");
        assert_string_equal(p.options.args[1], "0xabc");
        assert_null(p.options.args[2]);
        assert_true(p.options.full && !p.options.legend && !p.options.pager);
        assert_int_equal(p.options.json, JSON_SHORT);
        parsed_done(&p);
}

static void test_monitor(void **state _unused_) {
        Parsed p;

        parse(&p, "monitor", "--type=denial,lost", "--type=domain", "--blocker=ptrace", "--domain=0x1466DC891," UUID,
              "--since=42", "--snapshot", "--socket=/x");
        assert_int_equal(p.result, OPTIONS_RUN);
        assert_int_equal(p.options.types.n, 3);
        assert_string_equal(p.options.types.names[1], "lost");
        assert_string_equal(p.options.types.names[2], "domain");
        assert_int_equal(p.options.blockers.n, 1);
        assert_int_equal(p.options.n_domains, 2);
        assert_string_equal(p.options.domains[0].hex, "1466dc891");
        assert_true(p.options.domains[1].is_uuid);
        assert_true(p.options.has_since && p.options.since == 42 && p.options.snapshot);
        assert_string_equal(p.options.socket, "/x");
        parsed_done(&p);

        parse(&p, "monitor");
        assert_int_equal(p.result, OPTIONS_RUN);
        assert_null(p.options.socket);
        parsed_done(&p);

        parse(&p, "monitor", "--socket");
        assert_string_equal(p.options.socket, RUNSTATEDIR "/landlockd/telemetry.sock");
        parsed_done(&p);
}

static void test_replay(void **state _unused_) {
        Parsed p;

        parse(&p, "replay", "-", "--boot-id=5F0C1A2E-9B1D-4C57-8D7E-0123456789AB",
              "--machine-id=0123456789abcdef0123456789abcdef");
        assert_int_equal(p.result, OPTIONS_RUN);
        assert_string_equal(p.options.args[0], "-");
        assert_true(p.options.host.has_boot_id && p.options.host.has_machine_id);
        assert_string_equal(p.options.host.boot_id, UUID);
        assert_string_equal(p.options.host.machine_id, "0123456789abcdef0123456789abcdef");
        parsed_done(&p);
}

static void test_help(void **state _unused_) {
        Parsed p;

        parse(&p, "--help");
        assert_int_equal(p.result, OPTIONS_DONE);
        for (const Verb *v = verbs; v->name; v++)
                assert_non_null(strstr(p.capture.text[0], v->name));
        assert_non_null(strstr(p.capture.text[0], "5 landlockd is not running"));
        assert_string_equal(p.capture.text[1], "");
        parsed_done(&p);

        parse(&p, "--version");
        assert_int_equal(p.result, OPTIONS_DONE);
        assert_string_equal(p.capture.text[0], "landlockctl " PACKAGE_VERSION "\n");
        parsed_done(&p);
}

/* Each says why in one line on stderr, and nothing on stdout. */
static void test_wrong(void **state _unused_) {
        static const struct {
                const char *words[4], *sentence;
        } cases[] = {
                { { "lst" }, "There is no verb 'lst'." },
                { { "l\x1b[2Jst" }, "There is no verb 'l\\x1b[2Jst'." },
                { { "--nonsense" }, "--nonsense" },
                { { "list", "--json=yes" }, "'yes' is no JSON mode" },
                { { "list", "--since=3" }, "'list' does not take --since." },
                { { "status", "-r" }, "'status' does not take --reverse." },
                { { "list", "extra" }, "'list' takes no argument 'extra'." },
                { { "show" }, "'show' needs an argument" },
                { { "replay" }, "'replay' needs an argument" },
                { { "replay", "a", "b" }, "'replay' takes no argument 'b'." },
                { { "list", "--state=gone" }, "'gone' is no state" },
                { { "denials", "-n", "0" }, "'0' is no limit" },
                { { "denials", "-n", "1001" }, "'1001' is no limit" },
                { { "denials", "-n", "1x" }, "'1x' is no limit" },
                { { "denials", "--since=-1" }, "'-1' is no number" },
                { { "denials", "--domain=xyz" }, "'xyz' is no domain" },
                { { "denials", "--domain=" }, "'' is no domain" },
                { { "monitor", "--type=denial," }, "An empty name" },
                { { "replay", "-", "--boot-id=1" }, "'1' is no boot ID" },
                { { "replay", "-", "--machine-id=1" }, "'1' is no machine ID" },
                { { "--bus=" }, "--bus= needs" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Parsed p;

                parse_words(&p, cases[i].words);
                assert_int_equal(p.result, OPTIONS_WRONG);
                assert_string_equal(p.capture.text[0], "");
                if (!strstr(p.capture.text[1], cases[i].sentence))
                        fail_msg("case %zu: no \"%s\" in \"%s\"", i, cases[i].sentence, p.capture.text[1]);
                assert_ptr_equal(strchr(p.capture.text[1], '\n') + 1, strchr(p.capture.text[1], '\0'));
                parsed_done(&p);
        }
}

static void test_too_many(void **state _unused_) {
        static const char option[] = "--domain=";
        char word[sizeof(option) + 3 * (OPTIONS_FILTER_MAX + 1)], *end = stpcpy(word, option);
        Parsed p;

        for (size_t i = 0; i < OPTIONS_FILTER_MAX; i++)
                end = stpcpy(end, i == 0 ? "a" : ",a");
        parse(&p, "monitor", word);
        assert_int_equal(p.result, OPTIONS_RUN);
        assert_int_equal(p.options.n_domains, OPTIONS_FILTER_MAX);
        parsed_done(&p);

        strcpy(end, ",a");
        parse(&p, "monitor", word);
        assert_int_equal(p.result, OPTIONS_WRONG);
        parsed_done(&p);
}

static void test_domain_names(void **state _unused_) {
        static const char *const wrong[] = {
                "", "0x", "g", "-1", " 1", "1 ", "10000000000000000", "5f0c1a2e-9b1d-4c57-8d7e-0123456789a",
                "5f0c1a2e-9b1d-4c57-8d7e-0123456789abc", "5f0c1a2e 9b1d-4c57-8d7e-0123456789ab",
                "5f0c1a2e-9b1d-4c57-8d7e-0123456789ag",
        };
        DomainName name;

        assert_int_equal(domain_name_parse("0X1466DC891", &name), 0);
        assert_false(name.is_uuid);
        assert_int_equal(name.id, 0x1466dc891);
        assert_string_equal(name.hex, "1466dc891");
        assert_int_equal(domain_name_parse("ffffffffffffffff", &name), 0);
        assert_int_equal(name.id, UINT64_MAX);
        assert_int_equal(domain_name_parse("5F0C1A2E-9b1d-4c57-8d7e-0123456789ab", &name), 0);
        assert_true(name.is_uuid);
        assert_string_equal(name.uuid, UUID);
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
                assert_int_equal(domain_name_parse(wrong[i], &name), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_options_around_the_verb),
                cmocka_unit_test(test_monitor),
                cmocka_unit_test(test_replay),
                cmocka_unit_test(test_help),
                cmocka_unit_test(test_wrong),
                cmocka_unit_test(test_too_many),
                cmocka_unit_test(test_domain_names),
        };

        use_locale("C.UTF-8");
        return cmocka_run_group_tests(tests, NULL, NULL);
}
