/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <stdlib.h>

#include "model/domain-table.h"

typedef struct Fixture {
        DomainTable table;
        Counters counters;
        Change changes[DOMAIN_TABLE_CHANGES_MAX];
        size_t n_changes;
} Fixture;

static Fixture f;

static void open_table(size_t n_domains, size_t n_denials, size_t n_tasks) {
        const DomainTableLimits limits = { n_domains, n_denials, n_tasks };

        f = (Fixture) {};
        assert_int_equal(domain_table_init(&f.table, &limits, &f.counters), 0);
}

static int set_up(void **state _unused_) {
        open_table(8, 8, 8);
        return 0;
}

static int tear_down(void **state _unused_) {
        domain_table_done(&f.table);
        return 0;
}

static Fact described(uint64_t id, uint64_t time) {
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

static Fact denied(uint64_t id, int64_t pid, uint64_t time) {
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

static Fact freed(uint64_t id, uint64_t n_denials, uint64_t time) {
        return (Fact) {
                .type = FACT_DOMAIN_FREED,
                .origins = ORIGIN_AUDIT,
                .time_usec = time,
                .freed = { .domain = id, .n_denials = n_denials, .has_n_denials = true },
        };
}

static void apply(Fact fact) {
        f.n_changes = domain_table_apply(&f.table, &fact, f.changes);
}

#define assert_changes(...)                                                         \
        do {                                                                        \
                const ChangeType expected[] = { __VA_ARGS__ };                      \
                assert_int_equal(f.n_changes, ARRAY_SIZE(expected));                \
                for (size_t i = 0; i < f.n_changes; i++)                            \
                        assert_int_equal(f.changes[i].type, expected[i]);           \
        } while (0)

static void test_life(void **state _unused_) {
        const Domain *domain;

        apply(described(1, 100));
        assert_changes(CHANGE_DOMAIN_ADDED);
        apply(denied(1, 42, 100));
        assert_changes(CHANGE_DENIAL);
        assert_int_equal(f.changes[0].denial->seq, 1);
        apply(denied(1, 43, 200));

        domain = domain_table_get(&f.table, 1);
        assert_non_null(domain);
        assert_int_equal(domain->state, DOMAIN_ALLOCATED);
        assert_int_equal(domain->n_denials, 2);
        assert_int_equal(domain->n_blocked[BLOCKER_FS_TRUNCATE], 2);
        assert_int_equal(domain->n_blocked[BLOCKER_FS_EXECUTE], 0);
        assert_int_equal(domain->n_tasks, 2);
        assert_int_equal(TAILQ_FIRST(&domain->tasks)->pid, 43);
        assert_text(domain->creator_comm, "sandboxer");
        assert_int_equal(domain->first_seen_usec, 100);
        assert_int_equal(domain->last_seen_usec, 200);

        apply(freed(1, 2, 300));
        assert_changes(CHANGE_DOMAIN_FREED);
        assert_int_equal(domain->state, DOMAIN_DEALLOCATED);
        assert_int_equal(domain->n_tasks, 0);
        assert_int_equal(domain_denials_unseen(domain), 0);
        assert_int_equal(f.counters.denials_unseen, 0);
        assert_int_equal(f.table.n_live, 0);
        assert_int_equal(f.table.n_freed, 1);
}

/* Every order of the same facts ends in the same domain. */
static void test_any_order(void **state _unused_) {
        static const unsigned char orders[][4] = {
                { 0, 1, 2, 3 }, { 0, 1, 3, 2 }, { 0, 2, 1, 3 }, { 0, 2, 3, 1 }, { 0, 3, 1, 2 }, { 0, 3, 2, 1 },
                { 1, 0, 2, 3 }, { 1, 0, 3, 2 }, { 1, 2, 0, 3 }, { 1, 2, 3, 0 }, { 1, 3, 0, 2 }, { 1, 3, 2, 0 },
                { 2, 0, 1, 3 }, { 2, 0, 3, 1 }, { 2, 1, 0, 3 }, { 2, 1, 3, 0 }, { 2, 3, 0, 1 }, { 2, 3, 1, 0 },
                { 3, 0, 1, 2 }, { 3, 0, 2, 1 }, { 3, 1, 0, 2 }, { 3, 1, 2, 0 }, { 3, 2, 0, 1 }, { 3, 2, 1, 0 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
                const Fact facts[] = { described(1, 100), denied(1, 42, 110), denied(1, 42, 120), freed(1, 5, 130) };
                const Domain *domain;

                for (size_t j = 0; j < 4; j++)
                        apply(facts[orders[i][j]]);

                domain = domain_table_get(&f.table, 1);
                assert_int_equal(domain->state, DOMAIN_DEALLOCATED);
                assert_int_equal(domain->freed_usec, 130);
                assert_int_equal(domain->first_seen_usec, 100);
                assert_int_equal(domain->last_seen_usec, 130);
                assert_int_equal(domain->n_denials, 2);
                assert_int_equal(domain_denials_unseen(domain), 3);
                assert_int_equal(f.counters.denials_unseen, 3);
                assert_int_equal(domain->creator_pid, 42);
                assert_int_equal(domain->n_tasks, 0);
                assert_int_equal(f.table.tasks.n_tasks, 0);
                tear_down(NULL);
                set_up(NULL);
        }
}

static void test_freed_is_final(void **state _unused_) {
        apply(freed(1, 0, 100));
        assert_changes(CHANGE_DOMAIN_FREED);
        apply(freed(1, 9, 200));
        assert_int_equal(f.n_changes, 0);
        apply(denied(1, 42, 300));
        assert_changes(CHANGE_DENIAL);
        assert_int_equal(domain_table_get(&f.table, 1)->state, DOMAIN_DEALLOCATED);
        assert_int_equal(f.table.n_live, 0);
}

static void test_describing_twice_changes_nothing(void **state _unused_) {
        apply(denied(1, 42, 100));
        assert_changes(CHANGE_DOMAIN_ADDED, CHANGE_DENIAL);
        apply(described(1, 100));
        assert_changes(CHANGE_DOMAIN_UPDATED);
        apply(described(1, 100));
        assert_int_equal(f.n_changes, 0);
}

static void test_eviction_takes_history_first(void **state _unused_) {
        for (uint64_t id = 1; id <= 8; id++)
                apply(described(id, id));
        apply(freed(3, 0, 20));
        apply(freed(2, 0, 21));

        apply(described(9, 30));
        assert_changes(CHANGE_DOMAIN_EVICTED, CHANGE_DOMAIN_ADDED);
        assert_int_equal(f.changes[0].domain->id, 3);
        apply(described(10, 31));
        assert_int_equal(f.changes[0].domain->id, 2);
        assert_int_equal(f.counters.domains_evicted, 2);

        /* Without history: the live one not seen for longest. */
        apply(denied(1, 7, 40));
        apply(described(11, 41));
        assert_int_equal(f.changes[0].domain->id, 4);
        assert_int_equal(f.counters.domains_evicted_live, 1);
        assert_null(domain_table_get(&f.table, 4));
        assert_non_null(domain_table_get(&f.table, 1));
        assert_int_equal(f.table.n_live + f.table.n_freed, 8);
}

static void test_denial_log_keeps_the_last(void **state _unused_) {
        const Denial *denial;
        uint64_t seq = 0, n = 0;

        for (int i = 0; i < 20; i++)
                apply(denied(1, 42, 100 + i));
        assert_int_equal(denial_log_size(&f.table.denials), 8);
        assert_int_equal(f.counters.denials_evicted, 12);
        for (; (denial = denial_log_from(&f.table.denials, seq)); seq = denial->seq + 1, n++)
                assert_int_equal(denial->seq, 13 + n);
        assert_int_equal(n, 8);
        assert_text(denial_log_from(&f.table.denials, 20)->object.path, "/etc/passwd");
        assert_null(denial_log_from(&f.table.denials, 21));
}

/* One process in two nested domains, processes beyond the cap, and a domain's end. */
static void test_tasks(void **state _unused_) {
        apply(denied(1, 42, 100));
        apply(denied(2, 42, 101));
        apply(denied(3, 42, 102));
        assert_int_equal(f.table.tasks.n_tasks, 3);
        apply(freed(2, 1, 103));
        assert_int_equal(f.table.tasks.n_tasks, 2);
        for (int64_t pid = 100; pid < 110; pid++)
                apply(denied(4, pid, 200));
        assert_int_equal(f.table.tasks.n_tasks, 8);
        assert_int_equal(f.counters.tasks_evicted, 4);
        assert_int_equal(domain_table_get(&f.table, 1)->n_tasks, 0);
        assert_int_equal(domain_table_get(&f.table, 4)->n_tasks, 8);
}

static void test_unknown_subject(void **state _unused_) {
        apply(denied(1, 0, 100));
        assert_changes(CHANGE_DOMAIN_ADDED, CHANGE_DENIAL);
        assert_int_equal(domain_table_get(&f.table, 1)->n_tasks, 0);
}

static void test_loss_passes_through(void **state _unused_) {
        apply((Fact) { .type = FACT_EVENTS_LOST, .origins = ORIGIN_AUDIT, .lost = { LOSS_SERIAL_GAP, 30000, 1, 2 } });
        assert_changes(CHANGE_LOST);
        assert_int_equal(f.changes[0].loss->count, 30000);
}

/* Random facts on few ids: the lists, the map and the counters stay in step. */
static void test_random(void **state _unused_) {
        srandom(5);
        for (int i = 0; i < 200000; i++) {
                uint64_t id = 1 + random() % 24;

                switch (random() % 8) {
                case 0:
                        apply(described(id, i));
                        break;
                case 1:
                        apply(freed(id, random() % 4, i));
                        break;
                default:
                        apply(denied(id, random() % 12, i));
                }
                assert_true(f.table.n_live + f.table.n_freed <= 8);
                assert_int_equal(f.table.by_id.n_used, f.table.n_live + f.table.n_freed);
                assert_int_equal(f.counters.domains - f.counters.domains_evicted - f.counters.domains_evicted_live,
                                 f.table.n_live + f.table.n_freed);
        }
        assert_int_equal(f.counters.facts_dropped, 0);
}

int main(void) {
#define test(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                test(test_life),
                test(test_any_order),
                test(test_freed_is_final),
                test(test_describing_twice_changes_nothing),
                test(test_eviction_takes_history_first),
                test(test_denial_log_keeps_the_last),
                test(test_tasks),
                test(test_unknown_subject),
                test(test_loss_passes_through),
                test(test_random),
        };

        return cmocka_run_group_tests_name("domain-table", tests, NULL, NULL);
}
