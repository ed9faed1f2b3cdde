/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/domain-table.h"

#include <assert.h>
#include <errno.h>

/* The changes of one fact as they are written. */
typedef struct Changes {
        Change *list;
        size_t n;
        const Fact *fact;
} Changes;

int domain_table_init(DomainTable *table, const DomainTableLimits *limits, Counters *counters) {
        assert(limits->n_domains > 0);

        *table = (DomainTable) { .limits = *limits, .counters = counters };
        TAILQ_INIT(&table->live);
        TAILQ_INIT(&table->freed);
        task_table_init(&table->tasks, limits->n_tasks);
        return denial_log_init(&table->denials, limits->n_denials);
}

static void free_all(DomainList *list) {
        while (!TAILQ_EMPTY(list)) {
                Domain *domain = TAILQ_FIRST(list);

                TAILQ_REMOVE(list, domain, entry);
                domain_free(domain);
        }
}

void domain_table_done(DomainTable *table) {
        task_table_done(&table->tasks);
        free_all(&table->live);
        free_all(&table->freed);
        domain_free(table->evicted);
        id_map_done(&table->by_id);
        denial_log_done(&table->denials);
}

const Domain *domain_table_get(const DomainTable *table, uint64_t id) {
        return id_map_get(&table->by_id, id);
}

static void changed(Changes *changes, ChangeType type, const Domain *domain, const Denial *denial, const Loss *loss) {
        assert(changes->n < DOMAIN_TABLE_CHANGES_MAX);
        changes->list[changes->n++] = (Change) {
                .type = type,
                .origins = changes->fact->origins,
                .time_usec = changes->fact->time_usec,
                .node = changes->fact->node,
                .domain = domain,
                .denial = denial,
                .loss = loss,
        };
}

static void evict_one(DomainTable *table, Changes *changes) {
        Domain *domain = TAILQ_LAST(&table->freed, DomainList);

        if (domain) {
                TAILQ_REMOVE(&table->freed, domain, entry);
                table->n_freed--;
                table->counters->domains_evicted++;
        } else {
                domain = TAILQ_LAST(&table->live, DomainList);
                TAILQ_REMOVE(&table->live, domain, entry);
                table->n_live--;
                table->counters->domains_evicted_live++;
        }

        task_table_forget_domain(&table->tasks, domain);
        id_map_remove(&table->by_id, domain->id);
        table->evicted = domain;
        changed(changes, CHANGE_DOMAIN_EVICTED, domain, NULL, NULL);
}

static int add_domain(DomainTable *table, uint64_t id, Changes *changes, Domain **ret) {
        _cleanup_(domain_freep) Domain *domain = domain_new(id, changes->fact->time_usec);

        if (!domain || id_map_put(&table->by_id, id, domain) < 0)
                return -ENOMEM;

        if (table->n_live + table->n_freed == table->limits.n_domains)
                evict_one(table, changes);

        TAILQ_INSERT_HEAD(&table->live, domain, entry);
        table->n_live++;
        table->counters->domains++;
        *ret = TAKE_PTR(domain);
        return 1;
}

/* The domain that the fact is about, as seen just now. Returns 1 if it is new, 0 if not, -ENOMEM. */
static int see_domain(DomainTable *table, uint64_t id, Changes *changes, Domain **ret) {
        Domain *domain = id_map_get(&table->by_id, id);
        int is_new = 0;

        if (!domain) {
                is_new = add_domain(table, id, changes, &domain);
                if (is_new < 0)
                        return is_new;
        } else if (domain->state == DOMAIN_ALLOCATED && domain != TAILQ_FIRST(&table->live)) {
                TAILQ_REMOVE(&table->live, domain, entry);
                TAILQ_INSERT_HEAD(&table->live, domain, entry);
        }

        domain->origins |= changes->fact->origins;
        domain->first_seen_usec = MIN(domain->first_seen_usec, changes->fact->time_usec);
        domain->last_seen_usec = MAX(domain->last_seen_usec, changes->fact->time_usec);
        *ret = domain;
        return is_new;
}

static int apply_described(DomainTable *table, const DomainDescription *described, Changes *changes) {
        Domain *domain;
        int is_new, r;

        is_new = see_domain(table, described->domain, changes, &domain);
        if (is_new < 0)
                return is_new;

        r = domain_describe(domain, described);
        if (is_new)
                changed(changes, CHANGE_DOMAIN_ADDED, domain, NULL, NULL);
        else if (r > 0)
                changed(changes, CHANGE_DOMAIN_UPDATED, domain, NULL, NULL);
        return r < 0 ? r : 0;
}

static void count_blockers(Domain *domain, const BlockerSet *blockers) {
        for (uint64_t rest = blockers->known; rest; rest &= rest - 1)
                domain->n_blocked[__builtin_ctzll(rest)]++;
        domain->n_blocked_other += text_known(blockers->other);
}

static int apply_denied(DomainTable *table, const Denial *denied, Changes *changes) {
        const Denial *denial;
        Domain *domain;
        int64_t pid;
        int is_new;

        is_new = see_domain(table, denied->domain, changes, &domain);
        if (is_new < 0)
                return is_new;
        if (is_new)
                changed(changes, CHANGE_DOMAIN_ADDED, domain, NULL, NULL);

        denial = denial_log_push(&table->denials, denied);
        if (!denial)
                return -ENOMEM;

        /* Told after the domain's end, it is one that the settlement had missed. */
        if (domain_denials_unseen(domain) > 0)
                table->counters->denials_unseen--;
        domain->n_denials++;
        count_blockers(domain, &denial->blockers);
        table->counters->denials++;
        table->counters->denials_evicted = denial_log_evicted(&table->denials);
        changed(changes, CHANGE_DENIAL, domain, denial, NULL);

        if (domain->state != DOMAIN_ALLOCATED || !denial_subject_id(denial, SUBJECT_pid, &pid))
                return 0;
        /* The denial itself is kept; for want of memory only the view of its process is older. */
        if (task_table_see(&table->tasks, domain, pid, &denial->subject, denial->time_usec) < 0)
                table->counters->facts_dropped++;
        table->counters->tasks_evicted = table->tasks.n_evicted;
        return 0;
}

static int apply_freed(DomainTable *table, const DomainEnd *freed, Changes *changes) {
        Domain *domain;
        int is_new;

        is_new = see_domain(table, freed->domain, changes, &domain);
        if (is_new < 0)
                return is_new;
        if (domain->state == DOMAIN_DEALLOCATED)
                return 0;

        task_table_forget_domain(&table->tasks, domain);
        domain->state = DOMAIN_DEALLOCATED;
        domain->freed_usec = changes->fact->time_usec;
        domain->n_denials_kernel = freed->n_denials;
        domain->has_n_denials_kernel = freed->has_n_denials;
        table->counters->domains_freed++;
        table->counters->denials_unseen += domain_denials_unseen(domain);

        TAILQ_REMOVE(&table->live, domain, entry);
        table->n_live--;
        TAILQ_INSERT_HEAD(&table->freed, domain, entry);
        table->n_freed++;
        changed(changes, CHANGE_DOMAIN_FREED, domain, NULL, NULL);
        return 0;
}

static int apply(DomainTable *table, const Fact *fact, Changes *changes) {
        switch (fact->type) {
        case FACT_DOMAIN_DESCRIBED:
                return apply_described(table, &fact->described, changes);
        case FACT_DOMAIN_FREED:
                return apply_freed(table, &fact->freed, changes);
        case FACT_ACCESS_DENIED:
                return apply_denied(table, &fact->denied, changes);
        case FACT_EVENTS_LOST:
                table->loss = fact->lost;
                changed(changes, CHANGE_LOST, NULL, NULL, &table->loss);
                return 0;
        }
        assert(false);
        return -EINVAL;
}

size_t domain_table_apply(DomainTable *table, const Fact *fact, Change ret_changes[static DOMAIN_TABLE_CHANGES_MAX]) {
        Changes changes = { .list = ret_changes, .fact = fact };

        table->evicted = domain_free(table->evicted);
        if (apply(table, fact, &changes) < 0)
                table->counters->facts_dropped++;
        return changes.n;
}
