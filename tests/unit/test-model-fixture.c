/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-model-fixture.h"

ModelFixture f;

int model_set_up(void **state _unused_) {
        const DomainTableLimits limits = {
                .n_domains = 8,
                .n_denials = 8,
                .n_processes = 8,
                .n_threads = 16,
                .n_rulesets = 4,
                .n_rules = 16,
        };

        f = (ModelFixture) {};
        assert_int_equal(domain_table_init(&f.table, &limits, &f.counters), 0);
        return 0;
}

int model_tear_down(void **state _unused_) {
        domain_table_done(&f.table);
        return 0;
}

Fact described(uint64_t id, uint64_t time) {
        return (Fact) {
                .type = FACT_DOMAIN_DESCRIBED,
                .origins = ORIGIN_AUDIT,
                .time_usec = time,
                .described = {
                        .domain = id,
                        .mode = DOMAIN_MODE_ENFORCING,
                        .creator_pid = 42,
                        .creator_uid = 1000,
                        .has_creator_pid = true,
                        .has_creator_uid = true,
                        .creator_comm = TEXT_LITERAL("sandboxer"),
                        .creator_exe = TEXT_LITERAL("/usr/bin/sandboxer"),
                },
        };
}

Fact denied(uint64_t id, int64_t pid, uint64_t time) {
        Fact fact = {
                .type = FACT_ACCESS_DENIED,
                .origins = ORIGIN_AUDIT,
                .time_usec = time,
                .denied = {
                        .domain = id,
                        .time_usec = time,
                        .blockers = { .known = UINT64_C(1) << BLOCKER_FS_WRITE_FILE | UINT64_C(1) << BLOCKER_FS_TRUNCATE },
                        .object = { .kind = OBJECT_FILE, .path = TEXT_LITERAL("/etc/passwd") },
                        .subject = { .comm = TEXT_LITERAL("sh") },
                },
        };

        if (pid > 0) {
                fact.denied.subject.ids[SUBJECT_pid] = pid;
                fact.denied.subject.known_ids = 1U << SUBJECT_pid;
        }
        return fact;
}

Fact freed(uint64_t id, uint64_t n_denials, uint64_t time) {
        return (Fact) {
                .type = FACT_DOMAIN_FREED,
                .origins = ORIGIN_AUDIT,
                .time_usec = time,
                .freed = { .domain = id, .n_denials = n_denials, .has_n_denials = true },
        };
}

void apply(Fact fact) {
        if (fact.boot_usec == 0)
                fact.boot_usec = fact.time_usec;
        f.n_changes = domain_table_apply(&f.table, &fact, f.changes);
}

Fact created(uint64_t id, uint64_t parent, uint64_t time) {
        return (Fact) {
                .type = FACT_DOMAIN_CREATED,
                .origins = ORIGIN_TRACE,
                .time_usec = time,
                .created = { .domain = id, .parent = parent, .ruleset = 77, .ruleset_version = 2, .creator = { .tid = 42 } },
        };
}

Fact enforced(uint64_t id, int64_t tid, int64_t pid, uint64_t time) {
        return (Fact) {
                .type = FACT_DOMAIN_ENFORCED,
                .origins = ORIGIN_TRACE,
                .time_usec = time,
                .enforced = {
                        .domain = id,
                        .task = { .tid = tid, .pid = pid, .has_pid = pid != 0, .comm = TEXT_LITERAL("sandboxer") },
                        .process_wide = true,
                        .no_new_privs = true,
                },
        };
}

Fact forked(int64_t parent, int64_t tid, bool is_thread, uint64_t time) {
        return (Fact) {
                .type = FACT_TASK_FORKED,
                .origins = ORIGIN_TRACE,
                .time_usec = time,
                .boot_usec = time,
                .forked = { .parent_tid = parent, .tid = tid, .is_thread = is_thread },
        };
}

Fact exited(int64_t tid, uint64_t time) {
        return (Fact) {
                .type = FACT_TASK_EXITED,
                .origins = ORIGIN_TRACE,
                .time_usec = time,
                .boot_usec = time,
                .exited = { .tid = tid },
        };
}
