/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the table takes for each domain and for each thread, by the allocator's own count, and that it keeps to its caps. */
#include "test.h"

#include <malloc.h>

#include "model/domain-table.h"

#ifdef __has_feature
#define SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

#define N_DOMAINS 100000
#define N_THREADS 500000
#define THREADS_PER_DOMAIN (N_THREADS / N_DOMAINS)

#define BYTES_PER_DOMAIN_MAX 1024
#define BYTES_PER_THREAD_MAX 200

#define FIRST_DOMAIN UINT64_C(0x1466dc891)
#define FIRST_THREAD 1000

static Counters counters;
static DomainTable table;

static void apply(Fact fact) {
        Change changes[DOMAIN_TABLE_CHANGES_MAX];

        fact.origins = ORIGIN_TRACE;
        fact.time_usec = UINT64_C(1795308514891000);
        domain_table_apply(&table, &fact, changes);
}

static size_t allocated(void) {
        const struct mallinfo2 info = mallinfo2();

        return info.uordblks + info.hblkhd;
}

static int64_t leader(uint64_t i) {
        return FIRST_THREAD + (int64_t) i * THREADS_PER_DOMAIN;
}

static TaskDescription creator(uint64_t i) {
        return (TaskDescription) {
                .tid = leader(i),
                .pid = leader(i),
                .uid = 1000,
                .has_pid = true,
                .has_uid = true,
                .comm = TEXT_LITERAL("pool-sandboxed"),
                .exe = TEXT_LITERAL("/usr/libexec/sandboxed-application"),
        };
}

static void make_domain(uint64_t i) {
        apply((Fact) {
                .type = FACT_DOMAIN_CREATED,
                .created = { .domain = FIRST_DOMAIN + 3 * i, .creator = creator(i) },
        });
}

static void make_threads(uint64_t i) {
        apply((Fact) {
                .type = FACT_DOMAIN_ENFORCED,
                .enforced = { .domain = FIRST_DOMAIN + 3 * i, .task = creator(i), .process_wide = true, .no_new_privs = true },
        });
        for (int64_t k = 1; k < THREADS_PER_DOMAIN; k++)
                apply((Fact) { .type = FACT_TASK_FORKED, .forked = { leader(i), leader(i) + k, true } });
}

/* Twice as many as there is room for. */
static void test_caps(void **state _unused_) {
        for (uint64_t i = N_DOMAINS; i < 2 * N_DOMAINS; i++) {
                make_domain(i);
                make_threads(i);
        }
        assert_int_equal(table.n_live, N_DOMAINS);
        assert_int_equal(table.processes.n_threads, N_THREADS);
        assert_int_equal(counters.domains_evicted_live, N_DOMAINS);
        assert_int_equal(counters.facts_dropped, 0);
}

static size_t measure(void (*make)(uint64_t i)) {
        const size_t before = allocated();

        for (uint64_t i = 0; i < N_DOMAINS; i++)
                make(i);
        return allocated() - before;
}

static void test_size(void **state _unused_) {
        const size_t domain = measure(make_domain) / N_DOMAINS, thread = measure(make_threads) / N_THREADS;

        print_message("# %zu bytes for each domain, %zu for each thread, with its fifth of a process\n", domain, thread);
        /* A sanitizer's allocator does not count. */
        if (SANITIZED)
                return;
        assert_in_range(domain, 1, BYTES_PER_DOMAIN_MAX);
        assert_in_range(thread, 1, BYTES_PER_THREAD_MAX);
}

static int set_up(void **state _unused_) {
        const DomainTableLimits limits = {
                .n_domains = N_DOMAINS,
                .n_denials = 16,
                .n_processes = N_DOMAINS,
                .n_threads = N_THREADS,
                .n_rulesets = 16,
                .n_rules = 16,
        };

        return domain_table_init(&table, &limits, &counters);
}

static int tear_down(void **state _unused_) {
        domain_table_done(&table);
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_size),
                cmocka_unit_test(test_caps),
        };

        return cmocka_run_group_tests_name("table-memory", tests, set_up, tear_down);
}
