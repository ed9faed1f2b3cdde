/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-model-fixture.h"

static const Process *only_process(uint64_t domain) {
        const Domain *d = domain_table_get(&f.table, domain);

        assert_int_equal(d->n_processes, 1);
        return TAILQ_FIRST(&d->processes);
}

static const Thread *thread(int64_t tid) {
        return process_table_thread(&f.table.processes, tid);
}

static void test_fork_and_exit(void **state _unused_) {
        const Process *process;

        apply(created(1, 0, 100));
        apply(enforced(1, 42, 42, 101));
        assert_changes(CHANGE_DOMAIN_UPDATED, CHANGE_PROCESS_ADDED);
        process = only_process(1);
        assert_int_equal(process->attribution, ATTRIBUTION_KERNEL);
        assert_text(process->comm, "sandboxer");
        assert_int_equal(process->n_threads, 1);

        apply(forked(42, 43, false, 110));
        assert_changes(CHANGE_PROCESS_ADDED);
        assert_int_equal(f.changes[0].process->pid, 43);
        assert_int_equal(f.changes[0].process->attribution, ATTRIBUTION_INHERITED);
        assert_text(f.changes[0].process->comm, "sandboxer");
        apply(forked(43, 44, true, 111));
        assert_int_equal(f.n_changes, 0);
        assert_int_equal(thread(44)->process->pid, 43);
        apply(exited(43, 112));
        assert_int_equal(f.n_changes, 0);
        apply(exited(44, 113));
        assert_changes(CHANGE_PROCESS_GONE);
        assert_int_equal(f.changes[0].process->pid, 43);
        assert_int_equal(f.changes[0].process->last_seen_usec, 113);

        /* Those of whom nothing is known stay unknown. */
        apply(forked(7, 8, false, 120));
        apply(exited(7, 121));
        assert_int_equal(f.n_changes, 0);
        assert_false(domain_table_follows(&f.table, 8));
        assert_true(domain_table_follows(&f.table, 42));
}

/* One thread alone restricts itself; then it goes on into a nested domain. */
static void test_thread_moves(void **state _unused_) {
        apply(created(1, 0, 100));
        apply(enforced(1, 42, 42, 101));
        apply(forked(42, 43, true, 102));
        apply(created(2, 1, 103));
        apply(enforced(2, 43, 42, 104));
        assert_changes(CHANGE_DOMAIN_UPDATED, CHANGE_PROCESS_ADDED);
        assert_int_equal(only_process(1)->n_threads, 1);
        assert_int_equal(only_process(2)->pid, 42);

        apply(enforced(2, 42, 42, 105));
        assert_changes(CHANGE_PROCESS_GONE);
        assert_int_equal(domain_table_get(&f.table, 1)->n_processes, 0);
        assert_int_equal(only_process(2)->n_threads, 2);
}

/* A process that nobody named is not guessed from a thread. */
static void test_unknown_process(void **state _unused_) {
        apply(created(1, 0, 100));
        apply(enforced(1, 43, 0, 101));
        assert_int_equal(domain_table_get(&f.table, 1)->n_processes, 0);
}

static void test_weakest_wins(void **state _unused_) {
        Fact weak = enforced(1, 43, 42, 102);
        const Domain *domain;

        apply(enforced(1, 42, 42, 101));
        domain = domain_table_get(&f.table, 1);
        assert_true(domain->process_wide && domain->no_new_privs);
        weak.enforced.no_new_privs = false;
        apply(weak);
        assert_changes(CHANGE_DOMAIN_UPDATED);
        apply(enforced(1, 44, 42, 103));
        assert_int_equal(f.n_changes, 0);
        assert_true(domain->process_wide);
        assert_false(domain->no_new_privs);
}

static void test_exec(void **state _unused_) {
        Fact exec = {
                .type = FACT_TASK_EXECED,
                .origins = ORIGIN_TRACE,
                .time_usec = 110,
                .execed = { .old_tid = 43, .task = { .tid = 42, .comm = TEXT_LITERAL("cat"), .exe = TEXT_LITERAL("/bin/cat") } },
        };

        apply(enforced(1, 42, 42, 101));
        apply(forked(42, 43, true, 102));
        apply(exited(42, 109));
        apply(exec);
        assert_changes(CHANGE_PROCESS_UPDATED);
        assert_text(only_process(1)->comm, "cat");
        assert_text(only_process(1)->exe, "/bin/cat");
        assert_int_equal(only_process(1)->n_threads, 1);
        assert_non_null(thread(42));
        assert_null(thread(43));
}

/* The word of an exit was lost, and its ID belongs to somebody else now. */
static void test_reused_id(void **state _unused_) {
        apply(enforced(1, 42, 42, 101));
        apply(forked(42, 43, false, 102));
        apply(enforced(2, 50, 50, 103));
        apply(forked(50, 43, false, 104));
        assert_changes(CHANGE_PROCESS_GONE, CHANGE_PROCESS_ADDED);
        assert_int_equal(thread(43)->process->domain->id, 2);
        assert_int_equal(domain_table_get(&f.table, 1)->n_processes, 1);
}

static Fact seen(uint64_t domain, int64_t tid, Attribution attribution) {
        return (Fact) {
                .type = FACT_TASK_SEEN,
                .time_usec = 200,
                .seen = {
                        .domain = domain,
                        .task = { .tid = tid, .pid = tid, .has_pid = true },
                        .attribution = attribution,
                },
        };
}

static void test_inference_yields(void **state _unused_) {
        Fact now = seen(1, 61, ATTRIBUTION_KERNEL);

        apply(enforced(1, 42, 42, 101));
        apply(seen(2, 42, ATTRIBUTION_INFERRED));
        assert_int_equal(f.n_changes, 0);

        apply(described(2, 102));
        apply(seen(2, 60, ATTRIBUTION_INFERRED));
        assert_changes(CHANGE_PROCESS_ADDED);
        apply(forked(60, 61, false, 203));
        assert_int_equal(f.changes[0].process->attribution, ATTRIBUTION_INFERRED);
        apply(denied(2, 61, 204));
        assert_int_equal(thread(61)->process->attribution, ATTRIBUTION_KERNEL);
        /* That was told late. */
        apply(seen(1, 61, ATTRIBUTION_KERNEL));
        assert_int_equal(thread(61)->process->domain->id, 2);
        now.time_usec = 205;
        apply(now);
        assert_int_equal(thread(61)->process->domain->id, 1);
        apply(enforced(1, 60, 60, 206));
        assert_int_equal(domain_table_get(&f.table, 2)->n_processes, 0);
}

/* Events that a look at the threads was ahead of. */
static void test_older_than_the_look(void **state _unused_) {
        apply(described(1, 100));
        apply(seen(1, 60, ATTRIBUTION_INFERRED));
        apply(seen(1, 61, ATTRIBUTION_INFERRED));

        apply(forked(60, 61, false, 149));
        assert_int_equal(f.n_changes, 0);
        assert_int_equal(domain_table_get(&f.table, 1)->n_processes, 2);
        /* Where its parent was before the look is not known. */
        apply(forked(60, 62, false, 149));
        assert_int_equal(f.n_changes, 0);

        /* It was looked at on its way out. */
        apply(exited(61, 199));
        assert_changes(CHANGE_PROCESS_GONE);
        apply(forked(60, 61, false, 202));
        assert_changes(CHANGE_PROCESS_ADDED);
}

/* What an outer domain denies does not take a process out of the inner one. */
static void test_denial_by_outer_domain(void **state _unused_) {
        apply(created(1, 0, 100));
        apply(created(2, 1, 101));
        apply(enforced(2, 42, 42, 102));
        apply(denied(1, 42, 103));
        assert_changes(CHANGE_DENIAL);
        assert_int_equal(domain_table_get(&f.table, 1)->n_processes, 0);
        assert_int_equal(only_process(2)->last_seen_usec, 103);
}

/* The word of a nested domain's enforcement was lost: its denial tells. */
static void test_denial_by_inner_domain(void **state _unused_) {
        Fact fact = denied(2, 0, 103);

        apply(enforced(1, 42, 42, 100));
        apply(created(2, 1, 101));
        fact.denied.subject.ids[SUBJECT_tid] = 42;
        fact.denied.subject.known_ids = UINT32_C(1) << SUBJECT_tid;
        apply(fact);
        assert_int_equal(thread(42)->process->domain->id, 2);
}

/* Who asks to be traced, or makes the kernel send a signal, need not be in the domain that denies it. */
static void test_other_partys_thread(void **state _unused_) {
        Fact fact = denied(1, 42, 100);

        fact.denied.blockers.known = UINT64_C(1) << BLOCKER_PTRACE;
        fact.denied.syscall = (DenialSyscall) { .name = TEXT_LITERAL("ptrace"), .has_args = true };
        apply(fact);
        fact.denied.blockers.known = UINT64_C(1) << BLOCKER_SCOPE_SIGNAL;
        fact.denied.syscall.name = TEXT_LITERAL("write");
        apply(fact);
        assert_int_equal(domain_table_get(&f.table, 1)->n_processes, 0);
        fact.denied.syscall.name = TEXT_LITERAL("kill");
        apply(fact);
        assert_int_equal(domain_table_get(&f.table, 1)->n_processes, 1);
}

/* A domain ends before the word of its processes' ends came: each is told to be gone, however many they are. */
static void test_end_with_processes(void **state _unused_) {
        size_t n_gone = 0, n_freed = 0;

        apply(enforced(1, 10, 10, 100));
        for (int64_t tid = 11; tid < 18; tid++)
                apply(forked(10, tid, false, 101));
        apply(freed(1, 0, 200));
        do
                for (size_t i = 0; i < f.n_changes; i++) {
                        n_gone += f.changes[i].type == CHANGE_PROCESS_GONE;
                        n_freed += f.changes[i].type == CHANGE_DOMAIN_FREED;
                }
        while ((f.n_changes = domain_table_settle(&f.table, f.changes)) > 0);
        assert_int_equal(n_gone, 8);
        assert_int_equal(n_freed, 1);
        assert_false(domain_table_waits(&f.table));
        apply(exited(11, 201));
        assert_int_equal(f.n_changes, 0);
}

static void test_thread_cap(void **state _unused_) {
        apply(enforced(1, 1, 1, 100));
        for (int64_t tid = 2; tid < 40; tid++)
                apply(forked(1, tid, true, 100 + tid));
        assert_int_equal(f.table.processes.n_threads, 16);
        assert_int_equal(f.counters.tasks_evicted, 23);
        apply(enforced(1, 100, 100, 200));
        assert_int_equal(f.counters.tasks_evicted, 24);
        assert_int_equal(f.table.processes.n_threads, 1);
        assert_int_equal(f.counters.facts_dropped, 0);
}

/* The time of day is set back between two events. */
static void test_clock_set_back(void **state _unused_) {
        const Fact exec = {
                .type = FACT_TASK_EXECED,
                .origins = ORIGIN_TRACE,
                .time_usec = 50,
                .boot_usec = 103,
                .execed = { .old_tid = 43, .task = { .tid = 43, .comm = TEXT_LITERAL("cat") } },
        };

        apply(enforced(1, 42, 42, 101));
        apply(forked(42, 43, false, 102));
        apply(exec);
        assert_changes(CHANGE_PROCESS_UPDATED);
}

/* Who was only inferred to be there is, and is told so once; what was not known of it is now. */
static void test_known_better(void **state _unused_) {
        Fact look = seen(1, 42, ATTRIBUTION_KERNEL);

        apply(described(1, 100));
        apply(seen(1, 42, ATTRIBUTION_INFERRED));
        apply(look);
        assert_changes(CHANGE_PROCESS_UPDATED);
        assert_int_equal(only_process(1)->attribution, ATTRIBUTION_KERNEL);
        apply(look);
        assert_int_equal(f.n_changes, 0);

        look.seen.task.comm = TEXT_LITERAL("late");
        apply(look);
        assert_changes(CHANGE_PROCESS_UPDATED);
        look.seen.task.comm = TEXT_LITERAL("later");
        apply(look);
        assert_int_equal(f.n_changes, 0);
        assert_text(only_process(1)->comm, "late");
}

int main(void) {
#define test(fn) cmocka_unit_test_setup_teardown(fn, model_set_up, model_tear_down)
        const struct CMUnitTest tests[] = {
                test(test_fork_and_exit),
                test(test_thread_moves),
                test(test_unknown_process),
                test(test_weakest_wins),
                test(test_exec),
                test(test_reused_id),
                test(test_inference_yields),
                test(test_older_than_the_look),
                test(test_denial_by_outer_domain),
                test(test_denial_by_inner_domain),
                test(test_other_partys_thread),
                test(test_end_with_processes),
                test(test_thread_cap),
                test(test_clock_set_back),
                test(test_known_better),
        };

        return cmocka_run_group_tests_name("domain-tasks", tests, NULL, NULL);
}
