/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Denials: each told by one source or by two, published and counted once. */
#include <errno.h>

#include "model/domain-table-changes.h"

/* Audit tells those that are logged; the others, of which one is there at most, tell all. */
static bool told_twice(unsigned origins) {
        return (origins & ORIGIN_AUDIT) && (origins & ~(unsigned) ORIGIN_AUDIT);
}

static int publish(Changes *changes, Domain *domain, const Denial *denied) {
        Counters *counters = changes->table->counters;
        const Denial *denial = denial_log_push(&changes->table->denials, denied);
        Change *change;

        if (!denial)
                return -ENOMEM;

        /* Told after the domain's end, it is one that the settlement had missed. */
        if (domain_denials_unseen(domain) > 0)
                counters->denials_unseen--;
        domain_count_denial(domain, denial);
        counters->denials++;
        counters->denials_evicted = changes->table->denials.n_evicted;

        change = changes_add(changes, CHANGE_DENIAL, domain);
        change->origins = denial->origins;
        change->time_usec = denial->time_usec;
        change->denial = denial;
        return 0;
}

/* A half for which no other one came in time. */
static void publish_alone(Changes *changes, Denial *denial) {
        Domain *domain = id_map_get(&changes->table->by_id, denial->domain);

        denial_free(changes->table->settled);
        changes->table->settled = denial;
        /* A domain with halves is evicted last: only memory can be wanting. */
        if (!domain || publish(changes, domain, denial) < 0) {
                changes->table->counters->facts_dropped++;
                return;
        }
        if (domain->n_halves > 0)
                domain->n_halves--;
        domain_table_try_end(changes, domain);
}

bool domain_table_settle_denial(Changes *changes) {
        Denial *denial = denial_join_expired(&changes->table->join);

        if (!denial)
                return false;
        publish_alone(changes, denial);
        return true;
}

static int wait_for_twin(Changes *changes, Domain *domain, const Denial *denial) {
        int r = denial_join_wait(&changes->table->join, denial);

        if (r < 0)
                return r;
        domain->n_halves++;
        /* At the cap another one makes room. */
        domain_table_settle_denial(changes);
        return 0;
}

static int publish_joined(Changes *changes, Domain *domain, const Denial *a, const Denial *b) {
        const Denial joined = denial_join_merge(a, b);
        int r;

        changes->table->counters->denials_joined++;
        r = publish(changes, domain, &joined);
        if (domain->n_halves > 0)
                domain->n_halves--;
        domain_table_try_end(changes, domain);
        return r;
}

static int join_or_publish(Changes *changes, Domain *domain, const Denial *denial) {
        DomainTable *table = changes->table;
        _cleanup_(denial_freep) Denial *twin = NULL;

        if ((denial->has_logged && !denial->logged) || told_twice(denial->origins))
                return publish(changes, domain, denial);

        switch (denial_join_take(&table->join, denial, &twin)) {
        case DENIAL_TWIN_WAITING:
                return publish_joined(changes, domain, denial, twin);
        case DENIAL_TWIN_ALONE:
                table->counters->denials_joined++;
                table->counters->denials_joined_late++;
                return 0;
        case DENIAL_TWIN_NONE:
                break;
        }

        if (told_twice(table->expected))
                return wait_for_twin(changes, domain, denial);
        return publish(changes, domain, denial);
}

int domain_table_apply_denied(Changes *changes, const Denial *denied) {
        Denial denial = *denied;
        Domain *domain;
        int is_new;

        is_new = domain_table_see(changes, denied->domain, &domain);
        if (is_new < 0)
                return is_new;
        if (is_new)
                changes_add(changes, CHANGE_DOMAIN_ADDED, domain);

        /* The denial itself is kept; for want of memory only the view of its process is older. */
        if (domain->state == DOMAIN_ALLOCATED && domain_table_see_subject(changes, domain, &denial) < 0)
                changes->table->counters->facts_dropped++;
        return join_or_publish(changes, domain, &denial);
}
