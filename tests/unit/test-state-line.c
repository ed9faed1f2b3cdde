/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every line of the golden files is read and, encoded again, is the same line: nothing is forgotten when members are
 * added. Lines that are damaged anywhere are refused, or read as what they say. */
#include "test.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "publish/json-event.h"
#include "publish/state-line.h"

static StateLine *line;
static JsonEncoder encoder;

static ChangeType change_of(void) {
        static const struct {
                StateLineType type;
                const char *change;
                ChangeType is;
        } changes[] = {
                { STATE_LINE_RULESET, "created", CHANGE_RULESET_CREATED },
                { STATE_LINE_RULESET, "rule-added", CHANGE_RULE_ADDED },
                { STATE_LINE_RULESET, "freed", CHANGE_RULESET_FREED },
                { STATE_LINE_DOMAIN, "added", CHANGE_DOMAIN_ADDED },
                { STATE_LINE_DOMAIN, "updated", CHANGE_DOMAIN_UPDATED },
                { STATE_LINE_DOMAIN, "freed", CHANGE_DOMAIN_FREED },
                { STATE_LINE_DOMAIN, "evicted", CHANGE_DOMAIN_EVICTED },
                { STATE_LINE_PROCESS, "added", CHANGE_PROCESS_ADDED },
                { STATE_LINE_PROCESS, "updated", CHANGE_PROCESS_UPDATED },
                { STATE_LINE_PROCESS, "gone", CHANGE_PROCESS_GONE },
                { STATE_LINE_DENIAL, "", CHANGE_DENIAL },
                { STATE_LINE_LOST, "", CHANGE_LOST },
        };

        for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
                if (line->type == changes[i].type &&
                    (changes[i].change[0] == '\0' || text_equal(line->change, text_from_string(changes[i].change))))
                        return changes[i].is;
        fail_msg("unknown change %.*s", (int) line->change.len, line->change.data);
        return 0;
}

/* The lines count rules, of a ruleset and of what a domain was made from: so many are made, and as many as are counted
 * lacking are lacking. */
static Ruleset ruleset_with(uint64_t n_rules, Rule *rules) {
        Ruleset ruleset = { .id = 1, .rules = rules, .n_rules = n_rules };

        for (uint64_t i = 0; i < n_rules; i++)
                rules[i] = (Rule) { .version = i + 1 };
        return ruleset;
}

static uint64_t number_in(Text text, const char *name) {
        char *copy = strndup(text.data, text.len), *at = strstr(copy, name);
        uint64_t number = at ? strtoull(at + strlen(name), NULL, 10) : 0;

        free(copy);
        return number;
}

static int encode_event(Text text, Text *ret) {
        static Rule rules[STATE_RULES_MAX];
        Ruleset made_from = ruleset_with(line->n_rules, rules), ruleset = line->ruleset;
        Change change = {
                .type = change_of(),
                .origins = line->origins,
                .time_usec = line->time_usec,
                .node = line->node,
                .domain = &line->domain,
                .denial = &line->denial,
                .process = &line->process,
                .ruleset = &ruleset,
                .loss = &line->loss,
        };

        if (line->type == STATE_LINE_DENIAL)
                change.origins = line->denial.origins;
        if (line->n_rules > 0)
                line->domain.ruleset = &made_from;
        line->domain.n_processes = number_in(text, "\"processes_count\":");
        line->process.domain = &line->domain;
        line->process.n_threads = line->n_threads;
        if (line->type == STATE_LINE_RULESET) {
                if (change.type == CHANGE_RULE_ADDED) {
                        assert_int_equal(line->ruleset.n_rules, 1);
                        change.rule = &line->rules[0];
                }
                ruleset = ruleset_with(line->ruleset.version - number_in(text, "\"rules_unknown\":"), rules);
                ruleset.id = line->ruleset.id;
                ruleset.version = line->ruleset.version;
                ruleset.creator_tid = line->ruleset.creator_tid;
                ruleset.has_creator_tid = line->ruleset.has_creator_tid;
                ruleset.created_usec = line->ruleset.created_usec;
                ruleset.handled = line->ruleset.handled;
                ruleset.has_handled = line->ruleset.has_handled;
                ruleset.freed = line->ruleset.freed;
        }
        return json_encoder_change(&encoder, &change, line->seq, ret);
}

static void assert_same(Text text) {
        const Host host = {
                .has_boot_id = text_known(line->boot_id),
                .has_machine_id = text_known(line->machine_id),
        };
        static Host copy;
        Text again;

        copy = host;
        snprintf(copy.boot_id, sizeof(copy.boot_id), "%.*s", (int) line->boot_id.len, line->boot_id.data ?: "");
        snprintf(copy.machine_id, sizeof(copy.machine_id), "%.*s", (int) line->machine_id.len, line->machine_id.data ?: "");
        json_encoder_init(&encoder, &copy);
        assert_int_equal(encode_event(text, &again), 0);
        if (again.len != text.len || memcmp(again.data, text.data, text.len) != 0)
                fail_msg("expected: %.*sgot: %.*s", (int) text.len, text.data, (int) again.len, again.data);
}

static bool is_event(Text text) {
        static const Text types[] = {
                TEXT_LITERAL("\"type\":\"ruleset\""), TEXT_LITERAL("\"type\":\"domain\""), TEXT_LITERAL("\"type\":\"process\""),
                TEXT_LITERAL("\"type\":\"denial\""), TEXT_LITERAL("\"type\":\"lost\""),
        };
        bool listed = false;

        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
                listed |= !!memmem(text.data, text.len, types[i].data, types[i].len);
        return listed && !memmem(text.data, text.len, "\"snapshot\":true", strlen("\"snapshot\":true")) &&
               !memmem(text.data, text.len, "slow-client", strlen("slow-client"));
}

/* Calls for each line of each golden file; returns how many there are. */
static size_t for_each_golden(void (*fn)(Text text)) {
        static const char *const patterns[] = { "%s/tests/data/events.ndjson", "%s/tests/data/golden/*.ndjson" };
        static char buffer[EVENT_LOG_LINE_MAX + 1];
        size_t n = 0;

        for (size_t p = 0; p < ARRAY_SIZE(patterns); p++) {
                char pattern[4096];
                glob_t found;

                snprintf(pattern, sizeof(pattern), patterns[p], getenv("SRCDIR") ?: ".");
                assert_int_equal(glob(pattern, 0, NULL, &found), 0);
                for (size_t i = 0; i < found.gl_pathc; i++) {
                        FILE *file = fopen(found.gl_pathv[i], "r");

                        assert_non_null(file);
                        for (; fgets(buffer, sizeof(buffer), file); n++)
                                fn((Text) { buffer, strlen(buffer) });
                        fclose(file);
                }
                globfree(&found);
        }
        return n;
}

static size_t n_events;

static void check_golden(Text text) {
        if (!is_event(text)) {
                if (!memmem(text.data, text.len, "slow-client", strlen("slow-client")))
                        assert_int_equal(state_line_parse(line, text), 0);
                return;
        }
        n_events++;
        if (state_line_parse(line, text) < 0)
                fail_msg("refused: %.*s", (int) text.len, text.data);
        assert_same(text);
}

static void test_golden(void **state _unused_) {
        assert_true(for_each_golden(check_golden) > 1000);
        assert_true(n_events > 1000);
}

/* A snapshot's lines are read as events are. */
static void check_snapshot(Text text) {
        if (!memmem(text.data, text.len, "\"snapshot\":true", strlen("\"snapshot\":true")))
                return;
        assert_int_equal(state_line_parse(line, text), 0);
        assert_true(line->snapshot);
        assert_int_equal(line->seq, 99);
        n_events++;
        if (line->type == STATE_LINE_RULESET && line->ruleset.n_rules > 0) {
                assert_int_equal(line->ruleset.n_rules, 3);
                assert_int_equal(line->rules[0].access, UINT64_C(1) << 63 | 5);
                assert_int_equal(line->rules[0].ino, UINT64_MAX);
                assert_int_equal(line->rules[0].dev_major, 254);
                assert_text(line->rules[0].path, "/usr/caf\xc3\xa9\n");
                assert_int_equal(line->rules[1].kind, RULE_NET_PORT);
                assert_int_equal(line->rules[1].port, 443);
                assert_int_equal(line->rules[1].access, 2);
        }
}

static void test_snapshot(void **state _unused_) {
        n_events = 0;
        for_each_golden(check_snapshot);
        assert_true(n_events >= 5);
}

/* In a block of its own: what is read beyond it, a sanitizer sees. */
static int parse_copy(Text text) {
        _cleanup_free_ char *copy = malloc(text.len ?: 1);

        memcpy(copy, text.data, text.len);
        return state_line_parse(line, (Text) { copy, text.len });
}

static unsigned n_checked;

static void check_truncated(Text text) {
        static char cut[EVENT_LOG_LINE_MAX + 2];

        if (n_checked++ % 29 != 0)
                return;
        for (size_t len = 0; len < text.len; len++) {
                assert_int_equal(parse_copy((Text) { text.data, len }), -EBADMSG);
                memcpy(cut, text.data, len);
                cut[len] = '\n';
                if (len + 1 < text.len)
                        assert_int_equal(parse_copy((Text) { cut, len + 1 }), -EBADMSG);
        }
}

static void test_truncated(void **state _unused_) {
        for_each_golden(check_truncated);
}

static void check_flipped(Text text) {
        for (unsigned i = 0; i < 20; i++) {
                char *byte = (char *) text.data + (size_t) rand() % text.len, before = *byte;

                *byte ^= (char) (1 << rand() % 8);
                parse_copy(text);
                *byte = before;
        }
}

static void test_flipped(void **state _unused_) {
        srand(1);
        for_each_golden(check_flipped);
}

static void test_refused(void **state _unused_) {
        static const char *const bad[] = {
                "", "\n", "{}\n", "[]\n", "null\n", "{\"type\":\"domain\"}\n", "{\"type\":\"denial\",\"domain\":\"1\"}\n",
                "{\"type\":7}\n",
                "{\"v\":1,\"seq\":-1,\"type\":\"lost\"}\n",
                "{\"v\":1,\"seq\":18446744073709551615,\"type\":\"lost\"}\n",
                "{\"v\":1,\"seq\":18446744073709551616,\"type\":\"lost\"}\n",
                "{\"v\":1,\"seq\":1,\"type\":\"process\",\"domain\":\"1\",\"pid\":0}\n",
                "{\"v\":1,\"seq\":1,\"type\":\"process\",\"domain\":\"1\",\"pid\":\"1\"}\n",
                "{\"v\":1,\"seq\":1,\"type\":\"process\",\"domain\":\"1\",\"pid\":1,\"known\":\"guessed\"}\n",
                "{\"v\":1,\"seq\":1,\"type\":\"domain\",\"domain\":\"g\"}\n",
                "{\"v\":1,\"seq\":1,\"type\":\"domain\",\"domain\":1}\n",
                "{\"v\":1,\"seq\":1,\"type\":\"domain\",\"domain\":\"1\",\"state\":\"dead\"}\n",
                "{\"v\":1,\"seq\":1,\"type\":\"domain\",\"domain\":\"1\",\"creator\":[]}\n",
                "{\"v\":1,\"seq\":1,\"type\":\"domain\",\"domain\":\"1\",\"creator\":{\"comm\":\"\\\\x1\"}}\n",
                "{\"v\":1,\"seq\":1,\"type\":\"domain\",\"domain\":\"1\",\"creator\":{\"comm\":\"\\u0041\"}}\n",
                "{\"v\":1,\"seq\":1,\"type\":\"domain\",\"domain\":\"1\",\"first_seen\":\"2026-02-30T00:00:00.000000Z\"}\n",
                "{\"v\":1,\"seq\":1,\"type\":\"domain\",\"domain\":\"1\"} \n",
                "{\"v\":1,\"seq\":1,\"type\":\"domain\",\"domain\":\"1\",}\n",
                "{\"v\":1,\"seq\":1,\"type\":\"domain\",,\"domain\":\"1\"}\n",
                "{\"v\":1,\"seq\":1,\"type\":\"domain\",\"domain\":\"1\"}}\n",
                "{\"v\":1,\"seq\":1,\"type\":\"domain\",\"domain\":\"1\",\"later\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (parse_copy(text_from_string(bad[i])) != -EBADMSG)
                        fail_msg("taken: %s", bad[i]);
}

/* A later version may tell more. */
static void test_unknown_members(void **state _unused_) {
        assert_int_equal(parse_copy(TEXT_LITERAL("{\"v\":1,\"new\":{\"a\":[1,\"}\",{}],\"b\":null},\"seq\":1,\"type\":\"domain\","
                                                 "\"domain\":\"1\",\"more\":[-1.5e3,true,\"\\\"\\\\\"],\"creator\":{\"pid\":7,\"x\":[]}}\n")), 0);
        assert_int_equal(line->type, STATE_LINE_DOMAIN);
        assert_int_equal(line->domain.id, 1);
        assert_int_equal(line->domain.creator_pid, 7);
        assert_int_equal(parse_copy(TEXT_LITERAL("{\"v\":1,\"seq\":1,\"type\":\"weather\",\"domain\":[]}\n")), 0);
        assert_int_equal(line->type, STATE_LINE_OTHER);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_golden),
                cmocka_unit_test(test_snapshot),
                cmocka_unit_test(test_truncated),
                cmocka_unit_test(test_flipped),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_unknown_members),
        };
        int r;

        line = state_line_new();
        r = cmocka_run_group_tests_name("state-line", tests, NULL, NULL);
        state_line_free(line);
        return r;
}
