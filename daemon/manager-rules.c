/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager-rules.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

/* In one turn of the loop. */
#define TURN_USEC (2 * USEC_PER_MSEC)

struct ManagerRules {
        const DomainTable *table;
        BpfSnapshot *snapshot;
        FactSink sink;
        struct event *next;
        uint64_t *ids; /* of domains of which rules are missing, the next one last */
        size_t n_ids, n_room;
};

static bool is_wanted(const Domain *domain) {
        return domain->state == DOMAIN_ALLOCATED && !domain->has_ruleset;
}

/* One that is in it, or in one nested in it; 0 if none is known. */
static int64_t find_thread(const Domain *domain) {
        const Process *process;
        const Domain *child;
        int64_t tid = 0;

        TAILQ_FOREACH(process, &domain->processes, in_domain)
                if (!LIST_EMPTY(&process->threads))
                        return LIST_FIRST(&process->threads)->tid;
        TAILQ_FOREACH(child, &domain->children, sibling) {
                tid = find_thread(child);
                if (tid != 0)
                        break;
        }
        return tid;
}

/* What cannot be read stays unknown: the next look comes back to it. The youngest first, as it may be the first to end. */
static void read_one(ManagerRules *rules) {
        const Domain *domain = domain_table_get(rules->table, rules->ids[--rules->n_ids]);
        int64_t tid = domain && is_wanted(domain) ? find_thread(domain) : 0;

        if (tid != 0)
                (void) bpf_snapshot_rules(rules->snapshot, tid, domain->id, rules->sink);
}

static void on_next(evutil_socket_t fd _unused_, short what _unused_, void *userdata) {
        uint64_t until_usec = clock_monotonic_usec() + TURN_USEC;
        ManagerRules *rules = userdata;

        while (rules->n_ids > 0 && clock_monotonic_usec() < until_usec)
                read_one(rules);
        if (rules->n_ids > 0) {
                evtimer_add(rules->next, &(struct timeval) {});
                return;
        }
        free(rules->ids);
        rules->ids = NULL;
        rules->n_room = 0;
}

int manager_rules_new(
                ManagerRules **ret, struct event_base *base, const DomainTable *table, BpfSnapshot *snapshot, FactSink sink) {
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
        free(rules->ids);
        free(rules);
        return NULL;
}

/* As many as there can be domains. */
static bool make_room(ManagerRules *rules) {
        size_t n = MIN(rules->n_room * 2 + 64, rules->table->limits.n_domains);
        uint64_t *ids;

        if (rules->n_ids < rules->n_room)
                return true;
        if (n <= rules->n_ids)
                return false;
        ids = reallocarray(rules->ids, n, sizeof(*ids));
        if (!ids)
                return false;
        rules->ids = ids;
        rules->n_room = n;
        return true;
}

void manager_rules_want(ManagerRules *rules, uint64_t domain) {
        if (!make_room(rules))
                return;
        if (rules->n_ids == 0)
                evtimer_add(rules->next, &(struct timeval) {});
        rules->ids[rules->n_ids++] = domain;
}

void manager_rules_want_all(ManagerRules *rules) {
        const Domain *domain;

        rules->n_ids = 0;
        TAILQ_FOREACH(domain, &rules->table->live, entry)
                if (is_wanted(domain))
                        manager_rules_want(rules, domain->id);
}
