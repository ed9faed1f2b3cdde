/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager-rules.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

/* In one turn of the loop. */
#define TURN_USEC (2 * USEC_PER_MSEC)

struct ManagerRules {
        const DomainTable *table;
        struct event *next;
        BpfSnapshot *snapshot;
        FactSink sink;
        uint64_t *ids; /* of the domains of which rules are missing; what is left of them: those before n_ids */
        size_t n_ids;
};

static bool is_wanted(const Domain *domain) {
        return domain->state == DOMAIN_ALLOCATED && domain->created_usec == 0 && !domain->has_ruleset;
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

/* What cannot be read stays unknown: the next look comes back to it. */
static void read_one(ManagerRules *rules) {
        const Domain *domain = domain_table_get(rules->table, rules->ids[--rules->n_ids]);
        int64_t tid = domain && is_wanted(domain) ? find_thread(domain) : 0;

        if (tid != 0)
                (void) bpf_snapshot_rules(rules->snapshot, tid, domain->id, rules->sink);
}

static void schedule(ManagerRules *rules) {
        if (rules->n_ids > 0 && !evtimer_pending(rules->next, NULL))
                evtimer_add(rules->next, &(struct timeval) {});
}

static void on_next(evutil_socket_t fd _unused_, short what _unused_, void *userdata) {
        uint64_t until_usec = clock_monotonic_usec() + TURN_USEC;
        ManagerRules *rules = userdata;

        while (rules->n_ids > 0 && clock_monotonic_usec() < until_usec)
                read_one(rules);
        if (rules->n_ids == 0) {
                free(rules->ids);
                rules->ids = NULL;
        }
        schedule(rules);
}

int manager_rules_new(ManagerRules **ret, struct event_base *base, const DomainTable *table) {
        _cleanup_(manager_rules_freep) ManagerRules *rules = calloc(1, sizeof(ManagerRules));

        if (!rules)
                return -ENOMEM;
        rules->table = table;
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

void manager_rules_request(ManagerRules *rules, BpfSnapshot *snapshot, FactSink sink) {
        const Domain *domain;

        free(rules->ids);
        rules->n_ids = 0;
        rules->ids = reallocarray(NULL, rules->table->n_live + 1, sizeof(*rules->ids));
        if (!rules->ids)
                return;
        rules->snapshot = snapshot;
        rules->sink = sink;
        TAILQ_FOREACH(domain, &rules->table->live, entry)
                if (is_wanted(domain))
                        rules->ids[rules->n_ids++] = domain->id;
        schedule(rules);
}
