/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Format files that are taken, those that are not, and what is said of them. */
#include "test-trace-fixture.h"

#include <dirent.h>

#define FREE_DOMAIN "landlock_free_domain"

static int add(TraceFixture *fixture, const char *group, Text format, const char **ret_problem) {
        *ret_problem = "not set";
        return trace_decoder_add_format(fixture->decoder, text_from_string(group), format, ret_problem);
}

static void each_file(TraceFixture *fixture, const char *generation, int expected, const char *expected_problem) {
        static char buffer[TRACE_FORMAT_SIZE];
        _cleanup_free_ char *path = NULL;
        struct dirent *entry;
        const char *problem;
        size_t n = 0;
        DIR *dir;

        assert_true(asprintf(&path, "%s/tests/data/trace-formats/%s", getenv("SRCDIR") ?: ".", generation) > 0);
        dir = opendir(path);
        assert_non_null(dir);
        while ((entry = readdir(dir))) {
                if (entry->d_name[0] == '.')
                        continue;
                assert_int_equal(add(fixture, "landlock", fixture_read(generation, entry->d_name, buffer), &problem),
                                 expected);
                assert_string_equal(problem, expected_problem);
                n++;
        }
        closedir(dir);
        assert_true(n > 0);
}

static void test_unusable_formats(void **state) {
        each_file(*state, "unusable", -EBADMSG, "domain_id");
}

static void test_hostile_formats(void **state) {
        static char large[TRACE_FORMAT_SIZE + 1];
        const char *problem;
        Text format;

        each_file(*state, "hostile", -EINVAL, "");
        assert_int_equal(add(*state, "landlock", TEXT_NULL, &problem), -EINVAL);

        format = fixture_format("7.3.4", FREE_DOMAIN, large);
        memset(large + format.len, '\n', sizeof(large) - format.len);
        assert_int_equal(add(*state, "landlock", (Text) { large, sizeof(large) }, &problem), -EINVAL);
        assert_int_equal(add(*state, "landlock", (Text) { large, sizeof(large) - 1 }, &problem), 0);
}

static void test_other_events(void **state) {
        static char format[TRACE_FORMAT_SIZE];
        const char *problem;

        assert_int_equal(add(*state, "landlock", fixture_format("7.3.4", "landlock_check_rule_inode", format),
                             &problem), -ENOENT);
        assert_int_equal(add(*state, "sched", fixture_format("7.3.4", FREE_DOMAIN, format), &problem),
                         -ENOENT);
        assert_string_equal(problem, "");
}

static void test_missing_fields(void **state) {
        static char format[TRACE_FORMAT_SIZE];
        const char *problem;
        Text text = fixture_format("fewer", "landlock_deny_access_fs", format);

        assert_int_equal(add(*state, "landlock", text, &problem), 0);
        assert_string_equal(problem, "dev, ino, pathname, same_exec, logged");
        memcpy(strstr(format, "blockers_access"), "blackers", strlen("blackers"));
        memcpy(strstr(format, "domain_id"), "demain", strlen("demain"));
        assert_int_equal(add(*state, "landlock", text, &problem), -EBADMSG);
        assert_string_equal(problem, "domain_id, blockers_access");
}

/* What an older kernel tells in another way is not missing. */
static void test_older_fields(void **state) {
        static char format[TRACE_FORMAT_SIZE];
        const char *problem;

        fixture_format("2026-04", "landlock_deny_access_net", format);
        assert_int_equal(add(*state, "landlock", text_from_string(format), &problem), 0);
        assert_string_equal(problem, "");
        fixture_format("2026-04", "landlock_deny_ptrace", format);
        assert_int_equal(add(*state, "landlock", text_from_string(format), &problem), 0);
        assert_string_equal(problem, "tracee_domain_id");
}

/* An event that comes back with another ID (a module, a probe) is known by that one alone; no two share one. */
static void test_ids(void **state) {
        static const TraceValue values[] = { NUMBER("domain_id", 1), {} };
        static char format[TRACE_FORMAT_SIZE], other[TRACE_FORMAT_SIZE];
        TraceFixture *fixture = *state;
        const char *problem;
        TraceRecord record;
        uint16_t id;

        assert_int_equal(add(fixture, "landlock", fixture_format("7.3.4", FREE_DOMAIN, format), &problem), 0);
        record = fixture_record(format, values);
        memcpy(&id, record.data, sizeof(id));
        assert_int_equal(add(fixture, "landlock", fixture_format("moved", FREE_DOMAIN, format), &problem), 0);
        record = fixture_record(format, values);
        free(fixture_feed(fixture, &record, record.size));
        assert_int_equal(fixture->n_facts, 1);
        memcpy(record.data, &id, sizeof(id));
        free(fixture_feed(fixture, &record, record.size));
        assert_int_equal(fixture->n_facts, 0);

        fixture_format("7.3.4", "landlock_free_ruleset", other);
        memcpy(strstr(other, "1353"), "1448", 4);
        assert_int_equal(add(fixture, "landlock", text_from_string(other), &problem), -EINVAL);
        record = fixture_record(format, values);
        free(fixture_feed(fixture, &record, record.size));
        assert_int_equal(fixture->fact.type, FACT_DOMAIN_FREED);
        assert_int_equal(fixture->n_facts, 1);
}

/* The source enables what this table names. */
static void test_specs(void **state _unused_) {
        size_t n_domains = 0, n_denials = 0;

        for (size_t i = 0; i < n_trace_event_specs; i++) {
                const TraceEventSpec *spec = &trace_event_specs[i];

                assert_non_null(spec->spellings[0].group);
                assert_null(spec->spellings[TRACE_EVENT_SPELLINGS_MAX - 1].group);
                assert_non_null(spec->lost);
                assert_true(spec->needs && !(spec->needs & spec->has) && !(spec->has & spec->had));
                assert_int_equal(spec->buffer == TRACE_BUFFER_LANDLOCK,
                                 strcmp(spec->spellings[0].group, "landlock") == 0 || spec->stands_in);
                n_domains += spec->tells_domains;
                n_denials += spec->tells_denials;
        }
        assert_int_equal(n_domains, 2);
        assert_int_equal(n_denials, 5);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TRACE_TEST(test_unusable_formats),
                TRACE_TEST(test_hostile_formats),
                TRACE_TEST(test_other_events),
                TRACE_TEST(test_missing_fields),
                TRACE_TEST(test_older_fields),
                TRACE_TEST(test_ids),
                TRACE_TEST(test_specs),
        };

        return cmocka_run_group_tests_name("trace-format", tests, NULL, NULL);
}
