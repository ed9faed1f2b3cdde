/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-model-fixture.h"

static int set_up(void **state) {
        model_set_up(state);
        domain_table_expect(&f.table, ORIGIN_AUDIT | ORIGIN_TRACE, THREADS_TOLD);
        return 0;
}

static Fact audit(uint64_t domain, uint64_t ino, uint64_t time) {
        Fact fact = denied(domain, 0, time);

        fact.denied.origins = ORIGIN_AUDIT;
        fact.denied.event = time;
        fact.denied.object.ino = ino;
        fact.denied.object.has_ino = true;
        fact.denied.subject.exe = TEXT_LITERAL("/bin/sh");
        return fact;
}

static Fact trace(uint64_t domain, uint64_t ino, bool logged, uint64_t time) {
        Fact fact = denied(domain, 0, time);

        fact.origins = fact.denied.origins = ORIGIN_TRACE;
        fact.denied.object.ino = ino;
        fact.denied.object.has_ino = true;
        fact.denied.has_logged = true;
        fact.denied.logged = logged;
        fact.denied.subject = (DenialSubject) { .ids = { [SUBJECT_tid] = 7 }, .known_ids = UINT32_C(1) << SUBJECT_tid };
        return fact;
}

static Fact freed_by(unsigned origin, uint64_t domain, uint64_t n_denials) {
        Fact fact = freed(domain, n_denials, 900);

        fact.origins = origin;
        return fact;
}

/* Rounds, as the clock does; returns the denials that came out, and the ends. */
static size_t rounds(unsigned n, size_t *n_ends) {
        Change changes[DOMAIN_TABLE_CHANGES_MAX];
        size_t n_denials = 0;

        for (unsigned i = 0; i < n; i++) {
                size_t n_changes;

                domain_table_begin_round(&f.table);
                while ((n_changes = domain_table_settle(&f.table, changes)) > 0)
                        for (size_t j = 0; j < n_changes; j++) {
                                n_denials += changes[j].type == CHANGE_DENIAL;
                                if (n_ends)
                                        *n_ends += changes[j].type == CHANGE_DOMAIN_FREED;
                        }
        }
        return n_denials;
}

static void test_both(bool audit_first) {
        const Denial *d;
        int64_t tid;

        apply(audit_first ? audit(1, 5, 100) : trace(1, 5, true, 101));
        assert_changes(CHANGE_DOMAIN_ADDED);
        assert_true(domain_table_waits(&f.table));
        apply(audit_first ? trace(1, 5, true, 101) : audit(1, 5, 100));
        assert_changes(CHANGE_DENIAL);

        d = f.changes[0].denial;
        assert_int_equal(d->origins, ORIGIN_AUDIT | ORIGIN_TRACE);
        assert_int_equal(f.changes[0].origins, ORIGIN_AUDIT | ORIGIN_TRACE);
        assert_int_equal(d->time_usec, 101);
        assert_int_equal(d->event, 100);
        assert_text(d->subject.exe, "/bin/sh");
        assert_true(denial_subject_id(d, SUBJECT_tid, &tid));
        assert_int_equal(tid, 7);
        assert_int_equal(f.counters.denials, 1);
        assert_int_equal(f.counters.denials_joined, 1);
        assert_int_equal(f.counters.denials_joined_late, 0);
        assert_false(domain_table_waits(&f.table));
}

static void test_audit_first(void **state _unused_) {
        test_both(true);
}

static void test_trace_first(void **state _unused_) {
        test_both(false);
}

static void test_unlogged_does_not_wait(void **state _unused_) {
        apply(trace(1, 5, false, 100));
        assert_changes(CHANGE_DOMAIN_ADDED, CHANGE_DENIAL);
        assert_false(domain_table_waits(&f.table));
}

static void test_alone(void **state _unused_) {
        apply(audit(1, 5, 100));
        assert_int_equal(rounds(1, NULL), 0);
        assert_int_equal(rounds(1, NULL), 1);
        assert_int_equal(f.counters.denials, 1);

        /* Its other half comes late, and is no second denial. */
        apply(trace(1, 5, true, 101));
        assert_int_equal(f.n_changes, 0);
        assert_int_equal(rounds(4, NULL), 0);
        assert_int_equal(f.counters.denials, 1);
        assert_int_equal(f.counters.denials_joined, 1);
        assert_int_equal(f.counters.denials_joined_late, 1);

        /* The same denial again is one. */
        apply(trace(1, 5, true, 200));
        apply(audit(1, 5, 200));
        assert_int_equal(f.counters.denials, 2);
}

static void test_memory_ends(void **state _unused_) {
        apply(audit(1, 5, 100));
        rounds(DENIAL_JOIN_ROUNDS + DENIAL_JOIN_MEMORY_ROUNDS, NULL);
        assert_false(domain_table_waits(&f.table));
}

static void test_different_ones_stay_apart(void **state _unused_) {
        apply(audit(1, 5, 100));
        apply(trace(1, 6, true, 100));
        apply(trace(2, 5, true, 100));
        assert_int_equal(f.counters.denials, 0);
        assert_int_equal(rounds(2, NULL), 3);
}

/* Many alike: as many come out as there were, whatever one side lost. */
static void test_losses(void **state _unused_) {
        unsigned n_audit = 0, n_trace = 0;
        size_t n;

        srandom(7);
        for (unsigned i = 0; i < 1000; i++) {
                bool lost_by_audit = random() % 10 == 0;

                if (!lost_by_audit) {
                        apply(audit(1, 5, 100 + i));
                        n_audit++;
                }
                apply(trace(1, 5, true, 100 + i));
                n_trace++;
        }
        n = f.counters.denials + rounds(4, NULL);
        assert_int_equal(n, n_trace);
        assert_true(n_audit < n_trace);
        assert_int_equal(f.counters.denials_joined, n_audit);
}

/* A domain ends when all who tell of it said so, and its last denial is out. */
static void test_end_waits(void **state _unused_) {
        size_t n_ends = 0;

        apply(audit(1, 5, 100));
        apply(freed_by(ORIGIN_AUDIT, 1, 1));
        assert_int_equal(f.n_changes, 0);
        apply(freed_by(ORIGIN_TRACE, 1, 1));
        assert_int_equal(f.n_changes, 0);
        apply(trace(1, 5, true, 100));
        assert_changes(CHANGE_DENIAL, CHANGE_DOMAIN_FREED);
        assert_int_equal(f.counters.denials_unseen, 0);

        apply(trace(2, 5, false, 100));
        apply(freed_by(ORIGIN_TRACE, 2, 1));
        assert_changes(CHANGE_DOMAIN_FREED);

        /* The other one's word never comes. */
        apply(described(3, 100));
        apply(freed_by(ORIGIN_TRACE, 3, 0));
        assert_int_equal(f.n_changes, 0);
        rounds(DOMAIN_TABLE_ROUNDS_MAX - 1, &n_ends);
        assert_int_equal(n_ends, 0);
        rounds(1, &n_ends);
        assert_int_equal(n_ends, 1);
        assert_false(domain_table_waits(&f.table));
}

static void test_cap(void **state _unused_) {
        for (unsigned i = 0; i < 40000; i++)
                apply(audit(1, i, i));
        assert_true(f.table.join.n <= f.table.join.n_max);
        assert_int_equal(f.counters.denials + rounds(2, NULL), 40000);
}

static void test_one_source(void **state _unused_) {
        domain_table_expect(&f.table, ORIGIN_AUDIT, THREADS_NOT_TOLD);
        apply(audit(1, 5, 100));
        assert_changes(CHANGE_DOMAIN_ADDED, CHANGE_DENIAL);
        assert_false(domain_table_waits(&f.table));
}

int main(void) {
#define test(fn) cmocka_unit_test_setup_teardown(fn, set_up, model_tear_down)
        const struct CMUnitTest tests[] = {
                test(test_audit_first),
                test(test_trace_first),
                test(test_unlogged_does_not_wait),
                test(test_alone),
                test(test_memory_ends),
                test(test_different_ones_stay_apart),
                test(test_losses),
                test(test_end_waits),
                test(test_cap),
                test(test_one_source),
        };

        return cmocka_run_group_tests_name("denial-join", tests, NULL, NULL);
}
