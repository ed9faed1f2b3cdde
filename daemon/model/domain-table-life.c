/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of a domain in the table: seen, counted, ended, evicted. */
#include <assert.h>
#include <errno.h>

#include "model/domain-table-changes.h"

Change *changes_add(Changes *changes, ChangeType type, const Domain *domain) {
        Change *change;

        assert(changes->n < DOMAIN_TABLE_CHANGES_MAX);
        change = &changes->list[changes->n++];
        *change = (Change) {
                .type = type,
                .origins = changes->origins,
                .time_usec = changes->time_usec,
                .node = changes->node,
                .domain = domain,
        };
        return change;
}

/* One with a denial that waits stays, if another one can go: the denial is still to be published. */
static Domain *oldest(DomainList *list) {
        Domain *domain;

        TAILQ_FOREACH_REVERSE(domain, list, DomainList, entry)
                if (domain->n_halves == 0)
                        return domain;
        return TAILQ_LAST(list, DomainList);
}

static void evict_one(Changes *changes) {
        DomainTable *table = changes->table;
        Domain *domain = oldest(&table->freed);

        if (domain) {
                TAILQ_REMOVE(&table->freed, domain, entry);
                table->n_freed--;
                table->counters->domains_evicted++;
        } else {
                domain = oldest(&table->live);
                TAILQ_REMOVE(&table->live, domain, entry);
                table->n_live--;
                table->counters->domains_evicted_live++;
                if (domain->end_origins != 0)
                        TAILQ_REMOVE(&table->ending, domain, ending);
        }

        process_table_forget_domain(&table->processes, domain);
        domain_leave_family(domain);
        id_map_remove(&table->by_id, domain->id);
        TAILQ_INSERT_TAIL(&table->evicted, domain, entry);
        changes_add(changes, CHANGE_DOMAIN_EVICTED, domain);
}

void domain_table_count_found(Changes *changes, uint64_t *count) {
        /* What an event tells meanwhile is no repair. */
        if (changes->table->looking && (changes->origins & ORIGIN_BPF))
                (*count)++;
}

static int add_domain(Changes *changes, uint64_t id, Domain **ret) {
        DomainTable *table = changes->table;
        _cleanup_(domain_freep) Domain *domain = domain_new(id, changes->time_usec);

        if (!domain || id_map_put(&table->by_id, id, domain) < 0)
                return -ENOMEM;

        if (table->n_live + table->n_freed == table->limits.n_domains)
                evict_one(changes);

        TAILQ_INSERT_HEAD(&table->live, domain, entry);
        table->n_live++;
        table->counters->domains++;
        domain_table_count_found(changes, &table->reconciliation.n_domains_added);
        *ret = TAKE_PTR(domain);
        return 1;
}

int domain_table_see(Changes *changes, uint64_t id, Domain **ret) {
        DomainTable *table = changes->table;
        Domain *domain = id_map_get(&table->by_id, id);
        int is_new = 0;

        if (!domain) {
                is_new = add_domain(changes, id, &domain);
                if (is_new < 0)
                        return is_new;
        } else if (domain->state == DOMAIN_ALLOCATED && domain != TAILQ_FIRST(&table->live)) {
                TAILQ_REMOVE(&table->live, domain, entry);
                TAILQ_INSERT_HEAD(&table->live, domain, entry);
        }

        domain->origins |= changes->origins;
        domain->first_seen_usec = MIN(domain->first_seen_usec, changes->time_usec);
        domain->last_seen_usec = MAX(domain->last_seen_usec, changes->time_usec);
        *ret = domain;
        return is_new;
}

/* The kernel's count only grows, until the end is told. */
void domain_table_take_count(Changes *changes, Domain *domain, uint64_t n_denials) {
        uint64_t n_unseen = domain_denials_unseen(domain);
        bool is_final = domain->state == DOMAIN_DEALLOCATED && !domain->deserted;

        if (domain->has_n_denials_kernel && (is_final || domain->n_denials_kernel >= n_denials))
                return;
        domain->n_denials_kernel = n_denials;
        domain->has_n_denials_kernel = true;
        if (domain->state != DOMAIN_DEALLOCATED)
                return;
        /* Its end was inferred before the kernel told all of its count. */
        changes->table->counters->denials_unseen += domain_denials_unseen(domain) - n_unseen;
        changes_add(changes, CHANGE_DOMAIN_UPDATED, domain);
}

/* Left are those whose exit is told later than the end of their domain, or was lost. Those that were never followed go
 * without a word: nobody told of their end ever. Returns false if there are more than can be told now. */
static bool let_followed_go(Changes *changes, Domain *domain) {
        DomainTable *table = changes->table;
        Process *process, *next;

        for (process = TAILQ_FIRST(&domain->processes); process; process = next) {
                next = TAILQ_NEXT(process, in_domain);
                if (process->n_threads == 0)
                        continue;
                /* Room is kept for the end, and for what may come of a fact besides. */
                if (changes->n >= DOMAIN_TABLE_CHANGES_MAX - 4)
                        return false;
                process_table_detach(&table->processes, process);
                TAILQ_INSERT_TAIL(&table->gone, process, in_table);
                changes_add(changes, CHANGE_PROCESS_GONE, domain)->process = process;
        }
        return true;
}

/* Who tells of its end. Audit does of those only that it told of before. */
static unsigned end_tellers(const DomainTable *table, const Domain *domain) {
        return table->expected & (~(unsigned) ORIGIN_AUDIT | domain->origins);
}

static void begin_end(DomainTable *table, Domain *domain, uint64_t time_usec) {
        domain->end_usec = time_usec;
        domain->end_round = table->join.round;
        TAILQ_INSERT_TAIL(&table->ending, domain, ending);
}

static bool has_living_child(const Domain *domain) {
        const Domain *child;

        TAILQ_FOREACH(child, &domain->children, sibling)
                if (child->state == DOMAIN_ALLOCATED)
                        return true;
        return false;
}

bool domain_table_knows_members(const DomainTable *table, const Domain *domain) {
        return domain->created_usec != 0 || table->threads_told == THREADS_ASKED ||
                (table->threads_told == THREADS_TOLD && (domain->origins & ORIGIN_BPF));
}

/* Returns whether it is. A round or two are left for what audit may still say of it. */
static bool desert(DomainTable *table, Domain *domain, unsigned origins, uint64_t time_usec) {
        if (domain->state != DOMAIN_ALLOCATED || domain->end_origins != 0 || domain->n_processes > 0 || domain->crowded ||
            table->threads_told == THREADS_NOT_TOLD || !domain_table_knows_members(table, domain) || end_tellers(table, domain) != 0 ||
            has_living_child(domain))
                return false;
        begin_end(table, domain, time_usec);
        domain->end_origins = origins;
        domain->deserted = true;
        return true;
}

static void end_domain(Changes *changes, Domain *domain) {
        DomainTable *table = changes->table;
        Change *change;

        if (!let_followed_go(changes, domain))
                return;
        process_table_forget_domain(&table->processes, domain);
        TAILQ_REMOVE(&table->ending, domain, ending);
        domain->state = DOMAIN_DEALLOCATED;
        domain->freed_usec = domain->end_usec;
        table->counters->domains_freed++;
        table->counters->denials_unseen += domain_denials_unseen(domain);

        TAILQ_REMOVE(&table->live, domain, entry);
        table->n_live--;
        TAILQ_INSERT_HEAD(&table->freed, domain, entry);
        table->n_freed++;
        change = changes_add(changes, CHANGE_DOMAIN_FREED, domain);
        change->origins = domain->end_origins;
        change->time_usec = domain->end_usec;
        /* It has waited as long, if anybody did. */
        if (domain->parent && desert(table, domain->parent, domain->end_origins, domain->end_usec))
                domain->parent->end_round = domain->end_round;
}

void domain_table_try_end(Changes *changes, Domain *domain) {
        const DomainTable *table = changes->table;
        unsigned tellers = end_tellers(table, domain);
        bool is_told = !domain->deserted && (domain->end_origins & tellers) == tellers;

        if (domain->state != DOMAIN_ALLOCATED || domain->end_origins == 0 || domain->n_halves > 0 ||
            (domain->deserted && table->unsure))
                return;
        if (is_told || table->join.round - domain->end_round >= DOMAIN_TABLE_ROUNDS_MAX)
                end_domain(changes, domain);
}

void domain_table_desert(Changes *changes, Domain *domain) {
        desert(changes->table, domain, changes->origins, changes->time_usec);
}

void domain_table_resettle(Changes *changes, Domain *domain) {
        if (!domain->deserted || domain->state != DOMAIN_ALLOCATED)
                return;
        TAILQ_REMOVE(&changes->table->ending, domain, ending);
        domain->end_origins = 0;
        domain->deserted = false;
}

void domain_table_end_unseen(Changes *changes, Domain *domain) {
        /* What the kernel told before is not all, unless it told the end. */
        if (domain->end_origins == 0 || domain->deserted)
                domain->has_n_denials_kernel = false;
        if (domain->end_origins == 0)
                TAILQ_INSERT_TAIL(&changes->table->ending, domain, ending);
        domain->end_origins |= changes->origins;
        domain->end_usec = changes->time_usec;
        end_domain(changes, domain);
}

void domain_table_end_told(Changes *changes, Domain *domain) {
        domain_table_resettle(changes, domain);
        if (domain->end_origins == 0)
                begin_end(changes->table, domain, changes->time_usec);
        domain->end_origins |= changes->origins;
        domain_table_try_end(changes, domain);
}
