/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What comes out of a record is what went in: for every event, in every generation of formats, whole and cut at every
 * byte. */
#include "test-trace-fixture.h"

#include <sched.h>

typedef struct Case {
        const char *event, *older; /* `older`: its name before, NULL if it had no other */
        TraceValue values[16];
        void (*check)(const Fact *fact, const char *format);
        FactType type;
} Case;

static void check_create_ruleset(const Fact *fact, const char *format _unused_) {
        assert_true(fact->ruleset_created.ruleset == 0x19081e397);
        assert_true(fact->ruleset_created.handled.bits[ACCESS_FS] == 0x1ffff);
        assert_true(fact->ruleset_created.handled.bits[ACCESS_NET] == 0x80000003);
        assert_true(fact->ruleset_created.handled.bits[ACCESS_SCOPE] == 2);
        assert_int_equal(fact->ruleset_created.tid, 230);
}

static void check_add_rule_path_beneath(const Fact *fact, const char *format) {
        const Rule *rule = &fact->rule_added.rule;

        assert_true(fact->rule_added.ruleset == 0x19081e397);
        assert_true(rule->version == 2 && rule->access == 0x2000d);
        assert_int_equal(rule->kind, RULE_PATH_BENEATH);
        assert_int_equal(rule->dev_major, fixture_has_field(format, "dev") ? 254 : 0);
        assert_int_equal(rule->dev_minor, fixture_has_field(format, "dev") ? 0xfffff : 0);
        assert_true(rule->ino == (fixture_has_field(format, "ino") ? UINT64_C(0xfedcba9876543210) : 0));
        if (strstr(format, "pathname"))
                assert_text(rule->path, "/with\nline");
        else
                assert_null(rule->path.data);
}

static void check_add_rule_net_port(const Fact *fact, const char *format _unused_) {
        const Rule *rule = &fact->rule_added.rule;

        assert_true(fact->rule_added.ruleset == 0x19081e397);
        assert_true(rule->version == 4 && rule->access == 2 && rule->port == 443);
        assert_int_equal(rule->kind, RULE_NET_PORT);
        assert_null(rule->path.data);
}

static void check_free_ruleset(const Fact *fact, const char *format _unused_) {
        assert_true(fact->ruleset_freed.ruleset == 0x19081e397 && fact->ruleset_freed.version == 7);
}

static void check_create_domain(const Fact *fact, const char *format _unused_) {
        assert_true(fact->created.domain == 0x19081e3ee && fact->created.parent == 0x19081e3e5);
        assert_true(fact->created.ruleset == 0x19081e3ea && fact->created.ruleset_version == 7);
        assert_int_equal(fact->created.creator.tid, 237);
        assert_false(fact->created.creator.has_pid || fact->created.creator.has_uid);
        assert_null(fact->created.creator.comm.data);
}

static void check_enforce_domain(const Fact *fact, const char *format _unused_) {
        assert_true(fact->enforced.domain == 0x19081e3ee);
        assert_int_equal(fact->enforced.task.tid, 237);
        assert_true(fact->enforced.no_new_privs);
        assert_false(fact->enforced.process_wide || fact->enforced.task.has_pid);
}

static void check_free_domain(const Fact *fact, const char *format) {
        assert_true(fact->freed.domain == 0x19081e39a);
        assert_int_equal(fact->freed.has_n_denials, fixture_has_field(format, "denials"));
        assert_true(fact->freed.n_denials == (fixture_has_field(format, "denials") ? UINT64_C(0x100000002) : 0));
}

static void check_denial(const Fact *fact, const char *format, int64_t tid) {
        const Denial *denial = &fact->denied;
        bool has_logged = fixture_has_field(format, "logged") || fixture_has_field(format, "log_new_exec");
        int64_t id;

        assert_true(denial->domain == 0x19081e39a && denial->time_usec == TRACE_TIME);
        assert_int_equal(denial->origins, ORIGIN_TRACE);
        assert_int_equal(denial->has_same_exec, fixture_has_field(format, "same_exec"));
        assert_int_equal(denial->has_logged, has_logged);
        assert_int_equal(denial->logged, has_logged);
        assert_false(denial->same_exec || denial->incomplete || denial_subject_id(denial, SUBJECT_pid, &id));
        assert_int_equal(denial_subject_id(denial, SUBJECT_tid, &id), strstr(format, "common_pid") != NULL);
        assert_int_equal(id, tid);
}

static void check_deny_access_fs(const Fact *fact, const char *format) {
        const DenialObject *object = &fact->denied.object;

        check_denial(fact, format, 230);
        assert_true(fact->denied.blockers.known == (BLOCKER_BIT(FS_WRITE_FILE) | BLOCKER_BIT(FS_TRUNCATE)));
        assert_null(fact->denied.blockers.other.data);
        assert_int_equal(object->kind, OBJECT_FILE);
        assert_int_equal(object->has_dev_number, fixture_has_field(format, "dev"));
        assert_int_equal(object->dev_major, fixture_has_field(format, "dev") ? 254 : 0);
        assert_int_equal(object->dev_minor, fixture_has_field(format, "dev") ? 3 : 0);
        assert_int_equal(object->has_ino, fixture_has_field(format, "ino"));
        assert_int_equal(object->ino, fixture_has_field(format, "ino") ? 481 : 0);
        if (strstr(format, "pathname"))
                assert_text(object->path, "/etc/passwd");
        else
                assert_null(object->path.data);
}

static void check_deny_access_net(const Fact *fact, const char *format) {
        const DenialObject *object = &fact->denied.object;
        bool has_port = fixture_has_field(format, "port") || fixture_has_field(format, "dport");

        check_denial(fact, format, 232);
        assert_true(fact->denied.blockers.known == BLOCKER_BIT(NET_CONNECT_TCP));
        assert_int_equal(object->kind, OBJECT_NETWORK);
        assert_int_equal(object->has_remote_port, has_port);
        assert_int_equal(object->remote_port, has_port ? 65535 : 0);
        assert_false(object->has_local_port);
}

static void check_other(const Fact *fact, const char *format, const char *role) {
        const DenialObject *object = &fact->denied.object;
        char field[32];

        check_denial(fact, format, 244);
        snprintf(field, sizeof(field), "%s_domain_id", role);
        assert_int_equal(object->has_domain, fixture_has_field(format, field));
        assert_true(object->domain == (fixture_has_field(format, field) ? 0x19081e41b : 0));
        snprintf(field, sizeof(field), "%s_pid", role);
        assert_int_equal(object->has_pid, fixture_has_field(format, field));
        assert_int_equal(object->pid, fixture_has_field(format, field) ? 4194303 : 0);
}

static void check_process(const Fact *fact, const char *format, const char *role) {
        check_other(fact, format, role);
        assert_int_equal(fact->denied.object.kind, OBJECT_PROCESS);
        if (strstr(format, "_comm"))
                assert_text(fact->denied.object.comm, "in\x1bit");
        else
                assert_null(fact->denied.object.comm.data);
}

static void check_deny_ptrace(const Fact *fact, const char *format) {
        check_process(fact, format, "tracee");
        assert_true(fact->denied.blockers.known == BLOCKER_BIT(PTRACE));
}

static void check_deny_scope_signal(const Fact *fact, const char *format) {
        check_process(fact, format, "target");
        assert_true(fact->denied.blockers.known == BLOCKER_BIT(SCOPE_SIGNAL));
}

static void check_deny_scope_abstract_unix_socket(const Fact *fact, const char *format) {
        check_other(fact, format, "peer");
        assert_true(fact->denied.blockers.known == BLOCKER_BIT(SCOPE_ABSTRACT_UNIX_SOCKET));
        assert_int_equal(fact->denied.object.kind, OBJECT_SOCKET);
        if (strstr(format, "sun_path"))
                /* As audit's path=0064656D6F206E616D65. */
                assert_text(fact->denied.object.path, "\0" "demo name");
        else
                assert_null(fact->denied.object.path.data);
}

static void check_newtask(const Fact *fact, const char *format) {
        assert_int_equal(fact->forked.parent_tid, 230);
        assert_int_equal(fact->forked.tid, 235);
        assert_int_equal(fact->forked.is_thread, fixture_has_field(format, "clone_flags"));
}

static void check_fork(const Fact *fact, const char *format _unused_) {
        assert_int_equal(fact->forked.parent_tid, 230);
        assert_int_equal(fact->forked.tid, 235);
        assert_false(fact->forked.is_thread);
}

static void check_exec(const Fact *fact, const char *format) {
        assert_int_equal(fact->execed.old_tid, 230);
        assert_int_equal(fact->execed.task.tid, 229);
        if (fixture_has_field(format, "filename"))
                assert_text(fact->execed.task.comm, "a-name-of-fifte");
        else
                assert_null(fact->execed.task.comm.data);
        assert_null(fact->execed.task.exe.data);
}

static void check_exit(const Fact *fact, const char *format _unused_) {
        assert_int_equal(fact->exited.tid, 230);
}

static const Case cases[] = {
        { "landlock_create_ruleset", NULL,
          { NUMBER("common_pid", 230), NUMBER("ruleset_id", 0x19081e397), NUMBER("handled_fs", 0x1ffff),
            NUMBER("handled_net", 0x80000003), NUMBER("scoped", 2) },
          check_create_ruleset, FACT_RULESET_CREATED },
        { "landlock_add_rule_path_beneath", "landlock_add_rule_fs",
          { NUMBER("common_pid", 230), NUMBER("ruleset_id", 0x19081e397), NUMBER("ruleset_version", 2),
            NUMBER("access_rights", 0x2000d), NUMBER("dev", 254 << 20 | 0xfffff),
            NUMBER("ino", (int64_t) 0xfedcba9876543210), TEXT("pathname", "/with\nline\0") },
          check_add_rule_path_beneath, FACT_RULE_ADDED },
        { "landlock_add_rule_net_port", "landlock_add_rule_net",
          { NUMBER("common_pid", 230), NUMBER("ruleset_id", 0x19081e397), NUMBER("ruleset_version", 4),
            NUMBER("access_rights", 2), NUMBER("port", 443) },
          check_add_rule_net_port, FACT_RULE_ADDED },
        { "landlock_free_ruleset", NULL,
          { NUMBER("common_pid", 11), NUMBER("ruleset_id", 0x19081e397), NUMBER("ruleset_version", 7) },
          check_free_ruleset, FACT_RULESET_FREED },
        { "landlock_create_domain", "landlock_restrict_self",
          { NUMBER("common_pid", 237), NUMBER("domain_id", 0x19081e3ee), NUMBER("parent_id", 0x19081e3e5),
            NUMBER("ruleset_id", 0x19081e3ea), NUMBER("ruleset_version", 7) },
          check_create_domain, FACT_DOMAIN_CREATED },
        { "landlock_enforce_domain", NULL,
          { NUMBER("common_pid", 237), NUMBER("domain_id", 0x19081e3ee), NUMBER("complete", 1),
            NUMBER("process_wide", 0), NUMBER("no_new_privs", 1) },
          check_enforce_domain, FACT_DOMAIN_ENFORCED },
        { "landlock_free_domain", NULL,
          { NUMBER("common_pid", 47), NUMBER("domain_id", 0x19081e39a), NUMBER("denials", 0x100000002) },
          check_free_domain, FACT_DOMAIN_FREED },
        { "landlock_deny_access_fs", NULL,
          { DENIED_IN(230), NUMBER("blockers_type", 3), NUMBER("blockers_access", 0x4002), NUMBER("blockers", 0x4002),
            NUMBER("dev", 254 << 20 | 3), NUMBER("ino", 481), TEXT("pathname", "/etc/passwd\0") },
          check_deny_access_fs, FACT_ACCESS_DENIED },
        { "landlock_deny_access_net", NULL,
          { DENIED_IN(232), NUMBER("blockers_type", 4), NUMBER("blockers_access", 2), NUMBER("blockers", 2),
            NUMBER("port", 65535), NUMBER("sport", 0), NUMBER("dport", 65535) },
          check_deny_access_net, FACT_ACCESS_DENIED },
        { "landlock_deny_ptrace", NULL,
          { DENIED_IN(244), NUMBER("tracee_domain_id", 0x19081e41b), NUMBER("tracee_pid", 4194303),
            TEXT("tracee_comm", "in\x1bit\0") },
          check_deny_ptrace, FACT_ACCESS_DENIED },
        { "landlock_deny_scope_signal", NULL,
          { DENIED_IN(244), NUMBER("target_domain_id", 0x19081e41b), NUMBER("target_pid", 4194303),
            TEXT("target_comm", "in\x1bit\0") },
          check_deny_scope_signal, FACT_ACCESS_DENIED },
        { "landlock_deny_scope_abstract_unix_socket", NULL,
          { DENIED_IN(244), NUMBER("peer_domain_id", 0x19081e41b), NUMBER("peer_pid", 4194303),
            TEXT("sun_path", "demo name\0") },
          check_deny_scope_abstract_unix_socket, FACT_ACCESS_DENIED },
        { "task_newtask", NULL,
          { NUMBER("common_pid", 230), NUMBER("pid", 235), NUMBER("clone_flags", CLONE_THREAD | CLONE_VM) },
          check_newtask, FACT_TASK_FORKED },
        { "sched_process_fork", NULL,
          { NUMBER("common_pid", 230), NUMBER("parent_pid", 230), NUMBER("child_pid", 235) },
          check_fork, FACT_TASK_FORKED },
        { "sched_process_exec", NULL,
          { NUMBER("common_pid", 229), NUMBER("pid", 229), NUMBER("old_pid", 230), TEXT("filename", "/usr/bin/a-name-of-fifteen\0") },
          check_exec, FACT_TASK_EXECED },
        { "sched_process_exit", NULL,
          { NUMBER("common_pid", 230), NUMBER("pid", 230), NUMBER("group_dead", 1) },
          check_exit, FACT_TASK_EXITED },
};

static void one_record(TraceFixture *fixture, const Case *c, const char *format) {
        bool of_task = c->type == FACT_TASK_FORKED || c->type == FACT_TASK_EXECED || c->type == FACT_TASK_EXITED;
        TraceRecord record = fixture_record(format, c->values);

        for (size_t size = 0; size <= record.size; size++) {
                _cleanup_free_ _unused_ char *bytes = fixture_feed(fixture, &record, size);

                /* Whole, or not at all. What is cut off may be what nobody needs. */
                assert_int_equal(fixture->n_facts + fixture->counters.trace_malformed, 1);
                if (size == record.size)
                        assert_int_equal(fixture->n_facts, 1);
                if (fixture->n_facts == 0)
                        continue;
                assert_int_equal(fixture->counters.trace_events, !of_task);
                assert_int_equal(fixture->fact.type, c->type);
                assert_int_equal(fixture->fact.origins, ORIGIN_TRACE);
                assert_true(fixture->fact.time_usec == TRACE_TIME);
                c->check(&fixture->fact, format);
        }
}

/* Returns how many events the generation has. */
static size_t one_generation(TraceFixture *fixture, const char *generation, const char *problem) {
        size_t n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                static char buffer[TRACE_FORMAT_SIZE];
                const char *event = cases[i].event, *found;
                Text format = fixture_format(generation, event, buffer);

                if (!text_known(format) && cases[i].older) {
                        event = cases[i].older;
                        format = fixture_format(generation, event, buffer);
                }
                if (!text_known(format))
                        continue;

                n++;
                found = fixture_add(fixture, event, format);
                if (strcmp(event, "sched_process_fork") == 0)
                        assert_string_equal(found, "clone_flags");
                else if (problem)
                        assert_string_equal(found, problem);
                one_record(fixture, &cases[i], buffer);
        }
        return n;
}

static void test_7_3_4(void **state) {
        assert_int_equal(one_generation(*state, "7.3.4", ""), ARRAY_SIZE(cases));
}

static void test_2026_08(void **state) {
        assert_int_equal(one_generation(*state, "2026-08", ""), ARRAY_SIZE(cases) - 1);
}

static void test_2026_04(void **state) {
        assert_int_equal(one_generation(*state, "2026-04", NULL), ARRAY_SIZE(cases) - 2);
}

static void test_moved_fields(void **state) {
        assert_int_equal(one_generation(*state, "moved", ""), ARRAY_SIZE(cases));
}

static void test_wider_fields(void **state) {
        assert_int_equal(one_generation(*state, "wider", ""), ARRAY_SIZE(cases));
}

static void test_fewer_fields(void **state) {
        assert_int_equal(one_generation(*state, "fewer", NULL), ARRAY_SIZE(cases) - 1);
}

static void test_tasks_not_followed(void **state) {
        static char format[TRACE_FORMAT_SIZE];
        TraceFixture *fixture = *state;

        fixture->followed = 1;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                TraceRecord record;

                if (cases[i].type < FACT_TASK_FORKED)
                        continue;
                fixture_add(fixture, cases[i].event, fixture_format("7.3.4", cases[i].event, format));
                record = fixture_record(format, cases[i].values);
                free(fixture_feed(fixture, &record, record.size));
                assert_int_equal(fixture->n_facts + fixture->counters.trace_malformed, 0);
                assert_int_equal(fixture->counters.trace_events, 0);
        }
}

static void test_malformed_records(void **state) {
        static char format[TRACE_FORMAT_SIZE];
        static const TraceValue nothing[] = { NUMBER("common_pid", 1), {} };
        TraceFixture *fixture = *state;
        TraceRecord record = { .data = { 7, 7 }, .size = 64 };

        free(fixture_feed(fixture, &record, record.size)); /* no event has this ID */
        assert_int_equal(fixture->counters.trace_malformed, 1);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                if (cases[i].type >= FACT_TASK_FORKED)
                        continue;
                fixture_add(fixture, cases[i].event, fixture_format("7.3.4", cases[i].event, format));
                record = fixture_record(format, nothing); /* 0 is the ID of nothing */
                free(fixture_feed(fixture, &record, record.size));
                assert_int_equal(fixture->n_facts, 0);
                assert_int_equal(fixture->counters.trace_malformed, 1);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TRACE_TEST(test_7_3_4),
                TRACE_TEST(test_2026_08),
                TRACE_TEST(test_2026_04),
                TRACE_TEST(test_moved_fields),
                TRACE_TEST(test_wider_fields),
                TRACE_TEST(test_fewer_fields),
                TRACE_TEST(test_tasks_not_followed),
                TRACE_TEST(test_malformed_records),
        };

        return cmocka_run_group_tests_name("trace-decode", tests, NULL, NULL);
}
