/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a look at all that lives puts right; and the end of domains of which nobody tells. */
#include "test-model-fixture.h"

#include "base/clock.h"

#define SEC USEC_PER_SEC

static Fact look_begins(uint64_t time) {
        return (Fact) { .type = FACT_SNAPSHOT_BEGUN, .origins = ORIGIN_BPF, .time_usec = time };
}

static Fact look_ends(uint64_t time, bool is_complete) {
        return (Fact) {
                .type = FACT_SNAPSHOT_ENDED,
                .origins = ORIGIN_BPF,
                .time_usec = time,
                .snapshot_ended.is_complete = is_complete,
        };
}

static Fact found(uint64_t domain, int64_t tid, int64_t pid, uint64_t time) {
        return (Fact) {
                .type = FACT_TASK_SEEN,
                .origins = ORIGIN_BPF,
                .time_usec = time,
                .seen = {
                        .domain = domain,
                        .task = { .tid = tid, .pid = pid, .has_pid = true },
                        .attribution = ATTRIBUTION_KERNEL,
                },
        };
}

static Fact sighted(uint64_t domain, uint64_t parent, uint64_t time) {
        return (Fact) {
                .type = FACT_DOMAIN_SEEN,
                .origins = ORIGIN_BPF,
                .time_usec = time,
                .sight = { .parent = parent, .has_parent = true, .described = { .domain = domain } },
        };
}

static Fact lost(LossCause cause, uint64_t time) {
        return (Fact) { .type = FACT_EVENTS_LOST, .origins = ORIGIN_TRACE, .time_usec = time, .lost = { .cause = cause } };
}

static Fact counted(uint64_t domain, uint64_t n_denials, uint64_t time) {
        return (Fact) {
                .type = FACT_DOMAIN_COUNTED,
                .origins = ORIGIN_BPF,
                .time_usec = time,
                .counted = { domain, n_denials },
        };
}

static const Domain *domain(uint64_t id) {
        return domain_table_get(&f.table, id);
}

static const Process *process(uint64_t domain_id, int64_t pid) {
        return process_table_get(&f.table.processes, domain(domain_id), pid);
}

/* What a look changed. */
typedef struct Sum {
        Reconciliation reconciliation;
        size_t n_reconciled, n_gone, n_freed, n_other;
} Sum;

static Sum settle(void) {
        Sum sum = {};

        while ((f.n_changes = domain_table_settle(&f.table, f.changes)) > 0)
                for (size_t i = 0; i < f.n_changes; i++)
                        switch (f.changes[i].type) {
                        case CHANGE_PROCESS_GONE:
                                sum.n_gone++;
                                break;
                        case CHANGE_DOMAIN_FREED:
                                sum.n_freed++;
                                break;
                        case CHANGE_RECONCILED:
                                sum.n_reconciled++;
                                sum.reconciliation = *f.changes[i].reconciliation;
                                break;
                        default:
                                sum.n_other++;
                        }
        assert_int_equal(sum.n_other, 0);
        return sum;
}

static Sum rounds(unsigned n) {
        Sum sum = {};

        while (n-- > 0) {
                domain_table_begin_round(&f.table);
                sum.n_freed += settle().n_freed;
        }
        return sum;
}

/* What a look did not find goes, what it found and nobody told of comes, and what an event told meanwhile stays. */
static void test_look(void **state _unused_) {
        Sum sum;

        apply(enforced(1, 10, 10, 1 * SEC)); /* stays */
        apply(forked(10, 11, true, 1 * SEC + 1)); /* its end was lost */
        apply(forked(10, 12, false, 1 * SEC + 2)); /* likewise */
        apply(enforced(2, 20, 20, 1 * SEC + 3)); /* with its domain */

        apply(look_begins(2 * SEC));
        apply(sighted(1, 0, 2 * SEC + 1));
        apply(sighted(3, 1, 2 * SEC + 1));
        apply(found(1, 10, 10, 2 * SEC + 2));
        apply(found(3, 30, 30, 2 * SEC + 3));
        apply(forked(30, 31, false, 2 * SEC + 4));
        apply(look_ends(2 * SEC + 5, true));
        sum = settle();

        assert_int_equal(sum.n_gone, 2);
        assert_int_equal(sum.n_freed, 1);
        assert_int_equal(sum.n_reconciled, 1);
        assert_int_equal(sum.reconciliation.n_domains_added, 1);
        assert_int_equal(sum.reconciliation.n_domains_removed, 1);
        assert_int_equal(sum.reconciliation.n_processes_added, 1);
        assert_int_equal(sum.reconciliation.n_processes_removed, 2);
        assert_int_equal(f.counters.reconciliations, 1);
        assert_int_equal(f.counters.reconciled_added, 2);
        assert_int_equal(f.counters.reconciled_removed, 3);
        assert_int_equal(process(1, 10)->n_threads, 1);
        assert_int_equal(domain(3)->n_processes, 2);
        assert_int_equal(domain(3)->parent->id, 1);
        assert_int_equal(domain(2)->state, DOMAIN_DEALLOCATED);

        /* The kernel's count comes all the same. */
        apply(freed(2, 7, 3 * SEC));
        assert_changes(CHANGE_DOMAIN_UPDATED);
        assert_int_equal(domain_denials_unseen(domain(2)), 7);
}

/* Events run ahead of what they tell: the look comes in between. */
static void test_moment_before_look(void **state _unused_) {
        Sum sum;

        apply(created(1, 0, 9 * SEC + 500 * USEC_PER_MSEC)); /* nobody is in it yet */
        apply(created(2, 0, 9 * SEC + 500 * USEC_PER_MSEC));
        apply(enforced(2, 20, 20, 9 * SEC + 500 * USEC_PER_MSEC + 1)); /* its end was lost */
        apply(created(3, 0, 10 * SEC - 2));
        apply(enforced(3, 30, 30, 10 * SEC - 1)); /* about to be */
        apply(look_begins(10 * SEC));
        apply(look_ends(10 * SEC + 1, true));
        sum = settle();
        assert_int_equal(sum.reconciliation.n_domains_removed, 1);
        assert_int_equal(domain(1)->state, DOMAIN_ALLOCATED);
        assert_int_equal(domain(2)->state, DOMAIN_DEALLOCATED);
        assert_int_equal(process(3, 30)->n_threads, 1);

        apply(look_begins(20 * SEC));
        apply(look_ends(20 * SEC + 1, true));
        assert_int_equal(settle().reconciliation.n_domains_removed, 2);
        assert_int_equal(f.table.n_live, 0);
}

static void test_look_that_fails(void **state _unused_) {
        Sum sum;

        apply(enforced(1, 10, 10, 1 * SEC));
        apply(look_begins(2 * SEC));
        apply(sighted(2, 0, 2 * SEC));
        apply(look_ends(2 * SEC + 1, false));
        sum = settle();
        assert_int_equal(sum.n_reconciled, 1);
        assert_int_equal(sum.reconciliation.n_domains_added, 1);
        assert_int_equal(sum.n_gone + sum.n_freed, 0);
        apply(sighted(3, 0, 3 * SEC));
        assert_int_equal(f.counters.reconciled_added, 1);
}

static int64_t doubts(Fact fact) {
        fact.boot_usec = fact.time_usec;
        return domain_table_doubts(&f.table, &fact);
}

/* Of a thread that went on meanwhile, what is behind it is not told again. */
static void test_overtaken(void **state _unused_) {
        apply(look_begins(2 * SEC));
        apply(sighted(1, 0, 2 * SEC));
        apply(sighted(2, 1, 2 * SEC));
        apply(found(2, 10, 10, 2 * SEC));
        apply(look_ends(2 * SEC, true));
        settle();
        apply(enforced(1, 10, 10, 2 * SEC - 1));
        assert_changes(CHANGE_DOMAIN_UPDATED);
        assert_int_equal(process(2, 10)->n_threads, 1);
        assert_null(process(1, 10));

        assert_int_equal(doubts(forked(10, 11, false, 2 * SEC - 1)), 11);
        assert_int_equal(doubts(exited(10, 2 * SEC - 1)), 10);
        assert_int_equal(doubts(exited(10, 2 * SEC)), 0);
        assert_int_equal(doubts(forked(10, 11, false, 2 * SEC)), 0);
        assert_int_equal(doubts(forked(77, 11, false, 1)), 0);
        /* That one was looked at, too. */
        apply(found(2, 11, 11, 2 * SEC));
        assert_int_equal(doubts(forked(10, 11, false, 2 * SEC - 1)), 0);
}

/* --- what a look tells of programs --- */

static Fact found_running(uint64_t domain, int64_t tid, int64_t pid, const char *comm, const char *exe, uint64_t time) {
        Fact fact = found(domain, tid, pid, time);

        fact.seen.task.comm = text_from_string(comm);
        fact.seen.task.exe = exe ? text_from_string(exe) : TEXT_NULL;
        return fact;
}

static bool lacks_program(Fact fact) {
        return domain_table_lacks_program(&f.table, &fact.seen);
}

/* Once, of the thread that leads its process, or of the first that is found. */
static void test_program_is_read(void **state _unused_) {
        assert_true(lacks_program(found(1, 10, 10, 1)));
        assert_true(lacks_program(found(1, 11, 10, 1)));
        apply(found_running(1, 10, 10, "a", "/a", 1));
        assert_false(lacks_program(found(1, 10, 10, 2)));
        assert_false(lacks_program(found(1, 11, 10, 2)));
        assert_false(lacks_program(found_running(3, 30, 30, "b", "/b", 2)));
}

/* Since a denial named it, or an earlier landlockd, nobody followed it. */
static void test_program_has_changed(void **state _unused_) {
        Fact fact = denied(1, 10, 1);

        fact.denied.subject.comm = text_from_string("a");
        fact.denied.subject.exe = text_from_string("/a");
        apply(fact);
        assert_text(process(1, 10)->exe, "/a");

        assert_false(lacks_program(found(1, 11, 10, 2))); /* another of its threads does not know */
        apply(found_running(1, 11, 10, "other", NULL, 2));
        assert_int_equal(f.n_changes, 0);
        assert_text(process(1, 10)->comm, "a");

        assert_true(lacks_program(found(1, 10, 10, 3)));
        apply(found_running(1, 10, 10, "b", "/b", 3));
        assert_changes(CHANGE_PROCESS_UPDATED);
        assert_text(process(1, 10)->comm, "b");
        assert_text(process(1, 10)->exe, "/b");
}

/* Where the kernel is asked about whoever restricts itself, audit's word of who is in a domain is not needed: he may be
 * further in, or have ended, and nobody would tell of that. */
static void test_named_before_asked(void **state _unused_) {
        domain_table_expect(&f.table, ORIGIN_AUDIT, THREADS_ASKED);
        apply(denied(1, 10, 1));
        assert_null(process(1, 10));
        apply(found(2, 10, 10, 2));
        assert_non_null(process(2, 10));
        apply(exited(10, 3));
        assert_changes(CHANGE_PROCESS_GONE);

        domain_table_expect(&f.table, ORIGIN_AUDIT, THREADS_NOT_TOLD);
        apply(denied(3, 10, 4));
        assert_non_null(process(3, 10));
}

/* --- domains whose end nobody tells --- */

static Fact by_bpf(Fact fact) {
        fact.origins = ORIGIN_BPF;
        return fact;
}

static void make_family(void) {
        domain_table_expect(&f.table, ORIGIN_AUDIT, THREADS_TOLD);
        apply(by_bpf(created(1, 0, 100)));
        apply(by_bpf(enforced(1, 10, 10, 101)));
        apply(forked(10, 11, false, 102));
        apply(by_bpf(created(2, 1, 103)));
        apply(by_bpf(enforced(2, 11, 11, 104)));
        apply(exited(10, 105));
        assert_changes(CHANGE_PROCESS_GONE);
}

static void test_deserted(void **state _unused_) {
        make_family();
        assert_int_equal(rounds(DOMAIN_TABLE_ROUNDS_MAX).n_freed, 0); /* somebody lives below it */
        apply(exited(11, 106));
        assert_changes(CHANGE_PROCESS_GONE);
        assert_true(domain_table_waits(&f.table));
        assert_int_equal(rounds(DOMAIN_TABLE_ROUNDS_MAX - 1).n_freed, 0);
        assert_int_equal(rounds(1).n_freed, 2);
        assert_int_equal(domain(2)->state, DOMAIN_DEALLOCATED);
        assert_false(domain(2)->has_n_denials_kernel);
        assert_int_equal(domain(1)->state, DOMAIN_DEALLOCATED);
        assert_int_equal(domain(1)->freed_usec, 106);
        assert_false(domain_table_waits(&f.table));
}

/* What was not logged is known by the kernel's count, which is told before the end, or late. */
static void test_deserted_with_a_count(void **state _unused_) {
        make_family();
        apply(counted(2, 3, 105));
        assert_int_equal(f.n_changes, 0);
        apply(counted(2, 2, 105));
        apply(counted(7, 9, 105));
        assert_null(domain(7));
        assert_int_equal(domain(2)->n_denials_kernel, 3);
        assert_int_equal(domain_denials_unseen(domain(2)), 0);
        apply(exited(11, 106));
        assert_int_equal(rounds(DOMAIN_TABLE_ROUNDS_MAX).n_freed, 2);
        assert_int_equal(domain_denials_unseen(domain(2)), 3);
        assert_int_equal(f.counters.denials_unseen, 3);

        apply(counted(2, 5, 106));
        assert_changes(CHANGE_DOMAIN_UPDATED);
        assert_int_equal(domain_denials_unseen(domain(2)), 5);
        assert_int_equal(f.counters.denials_unseen, 5);
        apply(counted(2, 5, 106));
        assert_int_equal(f.n_changes, 0);
}

/* Nobody told of the end: the count that was told is not all. */
static void test_swept_with_a_count(void **state _unused_) {
        make_family();
        apply(counted(2, 3, 105));
        apply(look_begins(2 * SEC));
        apply(look_ends(2 * SEC, true));
        assert_int_equal(settle().n_freed, 2);
        assert_false(domain(2)->has_n_denials_kernel);
        assert_int_equal(f.counters.denials_unseen, 0);
}

/* Audit had something to say of it, and will tell its end. */
static void test_deserted_with_a_word(void **state _unused_) {
        make_family();
        apply(denied(2, 11, 105));
        apply(exited(11, 106));
        assert_int_equal(rounds(2 * DOMAIN_TABLE_ROUNDS_MAX).n_freed, 0);
        apply(freed(2, 1, 107));
        assert_changes(CHANGE_DOMAIN_FREED);
        assert_true(domain(2)->has_n_denials_kernel);
}

static void test_deserted_late_word(void **state _unused_) {
        make_family();
        apply(exited(11, 106));
        apply(denied(2, 11, 105));
        apply(freed(2, 1, 107));
        assert_changes(CHANGE_DOMAIN_FREED);
        assert_int_equal(f.changes[0].domain->n_denials_kernel, 1);
}

/* Some who are in it are not known, or may not be. */
static void test_deserted_perhaps(void **state _unused_) {
        make_family();
        apply(lost(LOSS_TRACE_OVERRUN, 106));
        apply(exited(11, 107));
        assert_int_equal(rounds(2 * DOMAIN_TABLE_ROUNDS_MAX).n_freed, 0);
        /* The child that was missed. */
        apply(look_begins(1 * SEC));
        apply(sighted(1, 0, 1 * SEC));
        apply(sighted(2, 1, 1 * SEC));
        apply(found(2, 12, 12, 1 * SEC));
        apply(look_ends(1 * SEC, true));
        assert_int_equal(settle().n_freed, 0);
        assert_int_equal(rounds(2 * DOMAIN_TABLE_ROUNDS_MAX).n_freed, 0);
        apply(exited(12, 1 * SEC + 1));
        assert_int_equal(rounds(2 * DOMAIN_TABLE_ROUNDS_MAX).n_freed, 2);
}

static void test_deserted_crowded(void **state _unused_) {
        domain_table_expect(&f.table, ORIGIN_AUDIT, THREADS_TOLD);
        apply(by_bpf(created(1, 0, 100)));
        apply(by_bpf(enforced(1, 1, 1, 101)));
        for (int64_t pid = 2; pid < 20; pid++)
                apply(forked(1, pid, false, 100 + pid));
        assert_true(f.counters.tasks_evicted > 0);
        for (int64_t pid = 1; pid < 20; pid++)
                apply(exited(pid, 200 + pid));
        assert_int_equal(domain(1)->n_processes, 0);
        assert_int_equal(rounds(2 * DOMAIN_TABLE_ROUNDS_MAX).n_freed, 0);
}

/* Trace events tell of ends. */
static void test_not_deserted(void **state _unused_) {
        domain_table_expect(&f.table, ORIGIN_AUDIT | ORIGIN_TRACE, THREADS_TOLD);
        apply(created(1, 0, 100));
        apply(enforced(1, 10, 10, 101));
        apply(exited(10, 102));
        assert_int_equal(rounds(2 * DOMAIN_TABLE_ROUNDS_MAX).n_freed, 0);
}

static Fact read_rule(uint64_t domain_id, uint64_t version) {
        return (Fact) {
                .type = FACT_RULE_ADDED,
                .origins = ORIGIN_BPF,
                .rule_added = { domain_id, { .version = version, .kind = RULE_PATH_BENEATH, .ino = version } },
        };
}

static Fact has_rules(uint64_t domain_id, uint64_t version) {
        Fact fact = sighted(domain_id, 0, 1);

        fact.sight.ruleset = domain_id;
        fact.sight.ruleset_version = version;
        fact.sight.has_ruleset = true;
        return fact;
}

/* What a domain has of the ruleset that it was made from, until that is told. */
static void test_rules(void **state _unused_) {
        Fact created = { .type = FACT_DOMAIN_CREATED, .origins = ORIGIN_TRACE, .time_usec = 2, .created = { .domain = 10 } };

        apply(read_rule(10, 1));
        apply(read_rule(10, 3));
        apply(has_rules(10, 4));
        assert_int_equal(f.n_changes, 1);
        assert_int_equal(f.changes[0].type, CHANGE_DOMAIN_ADDED);
        apply((Fact) { .type = FACT_RULESET_FREED, .origins = ORIGIN_BPF, .ruleset_freed = { 10, 4 } });
        assert_int_equal(domain(10)->ruleset->n_rules, 2);
        assert_false(text_known(domain(10)->ruleset->rules[0].path));
        assert_int_equal(ruleset_n_unknown_rules(domain(10)->ruleset, domain(10)->ruleset_version), 2);

        /* Again: nothing. */
        apply(has_rules(10, 4));
        assert_int_equal(f.n_changes, 0);

        created.created.ruleset = 7;
        created.created.ruleset_version = 2;
        apply(read_rule(7, 1));
        apply(created);
        assert_int_equal(domain(10)->ruleset_id, 7);
        assert_int_equal(domain(10)->ruleset->n_rules, 1);
        apply(has_rules(10, 4));
        assert_int_equal(domain(10)->ruleset_id, 7);
        assert_null(ruleset_table_get(&f.table.rulesets, 10));
}

/* One without any has a ruleset, too. */
static void test_no_rules(void **state _unused_) {
        apply(has_rules(10, 0));
        assert_true(domain(10)->has_ruleset);
        assert_int_equal(domain(10)->ruleset_id, 10);
        assert_null(domain(10)->ruleset);
}

int main(void) {
#define test(fn) cmocka_unit_test_setup_teardown(fn, model_set_up, model_tear_down)
        const struct CMUnitTest tests[] = {
                test(test_look),
                test(test_moment_before_look),
                test(test_look_that_fails),
                test(test_overtaken),
                test(test_program_is_read),
                test(test_program_has_changed),
                test(test_named_before_asked),
                test(test_deserted),
                test(test_deserted_with_a_count),
                test(test_swept_with_a_count),
                test(test_deserted_with_a_word),
                test(test_deserted_late_word),
                test(test_deserted_perhaps),
                test(test_deserted_crowded),
                test(test_not_deserted),
                test(test_rules),
                test(test_no_rules),
        };

        return cmocka_run_group_tests_name("domain-look", tests, NULL, NULL);
}
