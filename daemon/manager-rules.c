/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager-rules.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

/* In one turn of the loop. */
#define TURN_USEC (2 * USEC_PER_MSEC)

/* Threads that are asked at each. */
#define THREADS_MAX 16

struct ManagerRules {
        const DomainTable *table;
        BpfSnapshot *snapshot;
        FactSink sink;
        struct event *next;
        uint64_t *wanted; /* the domains whose rules are still to be read */
        size_t n_wanted;
};

static bool is_missing(const Domain *domain) {
        return domain && domain->state == DOMAIN_ALLOCATED && !domain->has_ruleset;
}

/* Those that are in it, or in one nested in it. Returns their number, at most THREADS_MAX. */
static size_t find_threads(const Domain *domain, size_t n, int64_t tids[static THREADS_MAX]) {
        const Process *process;
        const Domain *child;
        const Thread *thread;

        TAILQ_FOREACH(process, &domain->processes, in_domain)
                LIST_FOREACH(thread, &process->threads, in_process) {
                        if (n == THREADS_MAX)
                                return n;
                        tids[n++] = thread->tid;
                }
        TAILQ_FOREACH(child, &domain->children, sibling)
                n = find_threads(child, n, tids);
        return n;
}

/* What cannot be read, because all in it have ended, stays unknown until the next look. */
static void read_rules(ManagerRules *rules, uint64_t id) {
        const Domain *domain = domain_table_get(rules->table, id);
        int64_t tids[THREADS_MAX];
        size_t n = is_missing(domain) ? find_threads(domain, 0, tids) : 0;

        for (size_t i = 0; i < n && is_missing(domain_table_get(rules->table, id)); i++)
                if (bpf_snapshot_rules(rules->snapshot, tids[i], id, rules->sink) == -E2BIG)
                        return; /* which takes long, and is the same for all threads */
}

static void schedule(ManagerRules *rules) {
        evtimer_add(rules->next, &(const struct timeval) {});
}

static void forget_all(ManagerRules *rules) {
        free(rules->wanted);
        rules->wanted = NULL;
        rules->n_wanted = 0;
}

static void on_next(evutil_socket_t fd _unused_, short what _unused_, void *userdata) {
        uint64_t until_usec = clock_monotonic_usec() + TURN_USEC;
        ManagerRules *rules = userdata;

        while (rules->n_wanted > 0 && clock_monotonic_usec() < until_usec)
                read_rules(rules, rules->wanted[--rules->n_wanted]);
        if (rules->n_wanted > 0)
                schedule(rules);
        else
                forget_all(rules);
}

int manager_rules_new(
                ManagerRules **ret, struct event_base *base, const DomainTable *table, BpfSnapshot *snapshot,
                FactSink sink) {
        _cleanup_(manager_rules_freep) ManagerRules *rules = calloc(1, sizeof(ManagerRules));

        if (!rules)
                return -ENOMEM;
        rules->table = table;
        rules->snapshot = snapshot;
        rules->sink = sink;
        rules->next = evtimer_new(base, on_next, rules);
        if (!rules->next)
                return -ENOMEM;
        *ret = TAKE_PTR(rules);
        return 0;
}

ManagerRules *manager_rules_free(ManagerRules *rules) {
        if (!rules)
                return NULL;

        FREE_IF_SET(event_free, rules->next);
        forget_all(rules);
        free(rules);
        return NULL;
}

void manager_rules_want_all(ManagerRules *rules) {
        const Domain *domain;
        size_t n = 0;

        forget_all(rules);
        TAILQ_FOREACH(domain, &rules->table->live, entry)
                n += is_missing(domain);
        rules->wanted = calloc(n + 1, sizeof(*rules->wanted));
        if (!rules->wanted)
                return;
        TAILQ_FOREACH(domain, &rules->table->live, entry)
                if (is_missing(domain))
                        rules->wanted[rules->n_wanted++] = domain->id;
        schedule(rules);
}
