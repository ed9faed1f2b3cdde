/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-model-fixture.h"

static void test_life(void **state _unused_) {
        const Domain *domain;

        apply(described(1, 100));
        assert_changes(CHANGE_DOMAIN_ADDED);
        apply(denied(1, 42, 100));
        assert_changes(CHANGE_PROCESS_ADDED, CHANGE_DENIAL);
        assert_int_equal(f.changes[0].process->pid, 42);
        assert_int_equal(f.changes[1].denial->seq, 1);
        apply(denied(1, 43, 200));

        domain = domain_table_get(&f.table, 1);
        assert_non_null(domain);
        assert_int_equal(domain->state, DOMAIN_ALLOCATED);
        assert_int_equal(domain->n_denials, 2);
        assert_int_equal(domain->n_blocked[BLOCKER_FS_TRUNCATE], 2);
        assert_int_equal(domain->n_blocked[BLOCKER_FS_EXECUTE], 0);
        assert_int_equal(domain->n_processes, 2);
        assert_int_equal(TAILQ_FIRST(&domain->processes)->pid, 43);
        assert_text(domain->creator_comm, "sandboxer");
        assert_int_equal(domain->first_seen_usec, 100);
        assert_int_equal(domain->last_seen_usec, 200);

        apply(freed(1, 2, 300));
        assert_changes(CHANGE_DOMAIN_FREED);
        assert_int_equal(domain->state, DOMAIN_DEALLOCATED);
        assert_int_equal(domain->n_processes, 0);
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
                assert_int_equal(domain->n_processes, 0);
                assert_int_equal(f.table.processes.n_processes, 0);
                model_tear_down(NULL);
                model_set_up(NULL);
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
        assert_changes(CHANGE_DOMAIN_ADDED, CHANGE_PROCESS_ADDED, CHANGE_DENIAL);
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
        assert_int_equal(f.table.denials.n, 8);
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
        assert_int_equal(f.table.processes.n_processes, 3);
        apply(freed(2, 1, 103));
        assert_int_equal(f.table.processes.n_processes, 2);
        for (int64_t pid = 100; pid < 110; pid++)
                apply(denied(4, pid, 200));
        assert_int_equal(f.table.processes.n_processes, 8);
        assert_int_equal(f.counters.tasks_evicted, 4);
        assert_int_equal(domain_table_get(&f.table, 1)->n_processes, 0);
        assert_int_equal(domain_table_get(&f.table, 4)->n_processes, 8);
}

static void test_unknown_subject(void **state _unused_) {
        apply(denied(1, 0, 100));
        assert_changes(CHANGE_DOMAIN_ADDED, CHANGE_DENIAL);
        assert_int_equal(domain_table_get(&f.table, 1)->n_processes, 0);
}

static void test_loss_passes_through(void **state _unused_) {
        apply((Fact) { .type = FACT_EVENTS_LOST, .origins = ORIGIN_AUDIT, .lost = { LOSS_SERIAL_GAP, 30000, 1, 2 } });
        assert_changes(CHANGE_LOST);
        assert_int_equal(f.changes[0].loss->count, 30000);
}

/* A parent is known by its child, whichever came first; circles and eviction break nothing. */
static void test_family(void **state _unused_) {
        const Domain *domain;

        apply(created(2, 1, 100));
        assert_changes(CHANGE_DOMAIN_ADDED, CHANGE_DOMAIN_ADDED);
        apply(created(1, 0, 90));
        assert_changes(CHANGE_DOMAIN_UPDATED);
        apply(created(3, 2, 110));

        domain = domain_table_get(&f.table, 3);
        assert_int_equal(domain->parent_id, 2);
        assert_int_equal(domain->created_usec, 110);
        assert_ptr_equal(domain->parent->parent, domain_table_get(&f.table, 1));
        assert_true(domain_is_inside(domain, domain_table_get(&f.table, 1)));
        assert_false(domain_is_inside(domain_table_get(&f.table, 1), domain));
        assert_true(domain->parent->parent->has_parent);
        assert_int_equal(domain->parent->parent->parent_id, 0);

        apply(created(5, 6, 120));
        apply(created(6, 5, 121));
        assert_false(domain_is_inside(domain_table_get(&f.table, 6), domain_table_get(&f.table, 5)));
        apply(created(7, 7, 122));
        assert_null(domain_table_get(&f.table, 7)->parent);

        for (uint64_t id = 20; id < 40; id++)
                apply(described(id, 200 + id));
        assert_null(domain_table_get(&f.table, 1));
}

static Fact rule_added(uint64_t ruleset, uint64_t version, const char *path) {
        return (Fact) {
                .type = FACT_RULE_ADDED,
                .origins = ORIGIN_TRACE,
                .rule_added = { ruleset, { .version = version, .access = 0xff, .path = text_from_string(path) } },
        };
}

static Fact ruleset_freed(uint64_t ruleset, uint64_t version) {
        return (Fact) { .type = FACT_RULESET_FREED, .origins = ORIGIN_TRACE, .ruleset_freed = { ruleset, version } };
}

/* A domain keeps the rules of the version that it was made from, for as long as it is in the table. */
static void test_rulesets(void **state _unused_) {
        const Fact creation = {
                .type = FACT_RULESET_CREATED,
                .origins = ORIGIN_TRACE,
                .time_usec = 50,
                .ruleset_created = { .ruleset = 77, .handled = { { 0x1f, 0, 1 } }, .tid = 42 },
        };
        const Domain *domain;

        apply(creation);
        assert_changes(CHANGE_RULESET_CREATED);
        apply(creation);
        assert_int_equal(f.n_changes, 0);
        apply(rule_added(77, 2, "/usr"));
        assert_changes(CHANGE_RULE_ADDED);
        apply(rule_added(77, 1, "/"));
        assert_text(f.changes[0].rule->path, "/");
        apply(rule_added(77, 1, "/"));
        assert_int_equal(f.n_changes, 0);
        apply(created(1, 0, 100));
        apply(rule_added(77, 4, "/tmp"));
        apply(ruleset_freed(77, 4));
        assert_changes(CHANGE_RULESET_FREED);

        domain = domain_table_get(&f.table, 1);
        assert_non_null(domain->ruleset);
        assert_int_equal(domain->ruleset->handled.bits[ACCESS_FS], 0x1f);
        assert_int_equal(ruleset_n_rules(domain->ruleset, domain->ruleset_version), 2);
        assert_text(domain->ruleset->rules[0].path, "/");
        assert_int_equal(domain->ruleset->rules[0].access, 0x1f);
        assert_text(domain->ruleset->rules[1].path, "/usr");
        assert_int_equal(ruleset_n_unknown_rules(domain->ruleset, domain->ruleset_version), 0);
        assert_int_equal(ruleset_n_unknown_rules(domain->ruleset, 4), 1);

        apply(freed(1, 0, 120));
        assert_non_null(domain->ruleset);
        for (uint64_t id = 20; id < 40; id++)
                apply(described(id, 200 + id));
        assert_null(domain_table_get(&f.table, 1));
        apply(described(40, 300));
        assert_int_equal(f.table.rulesets.n_rulesets, 0);
        assert_int_equal(f.table.rulesets.n_rules, 0);
}

static void test_ruleset_caps(void **state _unused_) {
        for (uint64_t id = 1; id <= 10; id++)
                apply(rule_added(id, 1, "/x"));
        assert_int_equal(f.table.rulesets.n_rulesets, 4);
        assert_int_equal(f.counters.rulesets_evicted, 6);
        for (uint64_t version = 2; version < 40; version++)
                apply(rule_added(10, version, "/x"));
        assert_int_equal(f.table.rulesets.n_rules, 16);
        assert_int_equal(f.counters.rules_dropped, 38 - 12);
        assert_int_equal(ruleset_table_get(&f.table.rulesets, 10)->version, 39);
        apply(ruleset_freed(10, 39));
        apply(described(1, 1));
        assert_int_equal(f.table.rulesets.n_rules, 3);
}

/* Random facts on few ids: the lists, the map and the counters stay in step. */
static void test_random(void **state _unused_) {
        srandom(5);
        for (int i = 0; i < 200000; i++) {
                uint64_t id = 1 + random() % 24;

                switch (random() % 16) {
                case 0:
                        apply(described(id, i));
                        break;
                case 1:
                        apply(freed(id, random() % 4, i));
                        break;
                case 2:
                        apply(created(id, random() % 24, i));
                        break;
                case 3:
                        apply(enforced(id, random() % 12, random() % 12, i));
                        break;
                case 4:
                case 5:
                        apply(forked(random() % 12, random() % 12, random() % 2, i));
                        break;
                case 6:
                        apply(exited(random() % 12, i));
                        break;
                case 7:
                        apply(rule_added(77, random() % 8, "/"));
                        break;
                case 8:
                        apply(ruleset_freed(77, 7));
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
#define test(fn) cmocka_unit_test_setup_teardown(fn, model_set_up, model_tear_down)
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
                test(test_family),
                test(test_rulesets),
                test(test_ruleset_caps),
                test(test_random),
        };

        return cmocka_run_group_tests_name("domain-table", tests, NULL, NULL);
}
