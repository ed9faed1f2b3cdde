/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager-rules.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

/* In one turn of the loop. */
#define TURN_USEC (2 * USEC_PER_MSEC)

/* A domain is told to be made just before its first thread gets into it, and that may end before others are known.
 * So it is tried again, twice as long after each time. */
#define PAUSE_MIN_USEC (10 * USEC_PER_MSEC)
#define TRIES_MAX 8

/* Threads that are asked at each. */
#define THREADS_MAX 16

typedef struct Wanted {
        uint64_t domain;
        unsigned n_tries;
} Wanted;

struct ManagerRules {
        const DomainTable *table;
        BpfSnapshot *snapshot;
        FactSink sink;
        struct event *next;
        Wanted *wanted;
        size_t n_wanted, n_room;
        size_t n_done; /* of them, in this pass */
        uint64_t pause_usec;
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

/* Returns whether they are missing still, and may be read later. */
static bool read_rules(ManagerRules *rules, uint64_t id) {
        const Domain *domain = domain_table_get(rules->table, id);
        int64_t tids[THREADS_MAX];
        size_t n = is_missing(domain) ? find_threads(domain, 0, tids) : 0;

        for (size_t i = 0; i < n && is_missing(domain_table_get(rules->table, id)); i++)
                if (bpf_snapshot_rules(rules->snapshot, tids[i], id, rules->sink) == -E2BIG)
                        return false; /* which takes long, and is the same for all threads */
        return is_missing(domain_table_get(rules->table, id));
}

static void schedule(ManagerRules *rules, uint64_t usec) {
        const struct timeval pause = { usec / USEC_PER_SEC, usec % USEC_PER_SEC };

        evtimer_add(rules->next, &pause);
}

/* What cannot be read stays unknown until the next look. */
static void try_next(ManagerRules *rules) {
        size_t i = rules->n_done;

        if (read_rules(rules, rules->wanted[i].domain) && ++rules->wanted[i].n_tries < TRIES_MAX)
                rules->n_done++;
        else
                rules->wanted[i] = rules->wanted[--rules->n_wanted];
}

static void forget_all(ManagerRules *rules) {
        free(rules->wanted);
        rules->wanted = NULL;
        rules->n_wanted = rules->n_room = rules->n_done = 0;
}

static void on_next(evutil_socket_t fd _unused_, short what _unused_, void *userdata) {
        uint64_t until_usec = clock_monotonic_usec() + TURN_USEC;
        ManagerRules *rules = userdata;

        while (rules->n_done < rules->n_wanted && clock_monotonic_usec() < until_usec)
                try_next(rules);
        if (rules->n_done < rules->n_wanted) {
                schedule(rules, 0);
                return;
        }
        if (rules->n_wanted == 0) {
                forget_all(rules);
                return;
        }
        rules->n_done = 0;
        schedule(rules, rules->pause_usec);
        rules->pause_usec *= 2;
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

/* As many as there can be domains. */
static bool make_room(ManagerRules *rules) {
        size_t n = MIN(rules->n_room * 2 + 64, rules->table->limits.n_domains);
        Wanted *wanted;

        if (rules->n_wanted < rules->n_room)
                return true;
        if (n <= rules->n_wanted)
                return false;
        wanted = reallocarray(rules->wanted, n, sizeof(*wanted));
        if (!wanted)
                return false;
        rules->wanted = wanted;
        rules->n_room = n;
        return true;
}

void manager_rules_want(ManagerRules *rules, uint64_t domain) {
        if (!is_missing(domain_table_get(rules->table, domain)) || !make_room(rules))
                return;
        rules->wanted[rules->n_wanted++] = (Wanted) { .domain = domain };
        rules->pause_usec = PAUSE_MIN_USEC;
        schedule(rules, 0);
}

void manager_rules_want_all(ManagerRules *rules) {
        const Domain *domain;

        forget_all(rules);
        TAILQ_FOREACH(domain, &rules->table->live, entry)
                if (is_missing(domain))
                        manager_rules_want(rules, domain->id);
}
