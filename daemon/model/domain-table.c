/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table itself, and what each fact does to it: those about domains and rulesets here, the others in the files below. */
#include "model/domain-table.h"

#include <assert.h>
#include <errno.h>

#include "model/domain-table-changes.h"

/* Denials that wait for their other half, or came without. */
#define HALVES_MAX 16384

int domain_table_init(DomainTable *table, const DomainTableLimits *limits, Counters *counters) {
        *table = (DomainTable) { .limits = *limits, .counters = counters };
        /* A fact can name a domain and its parent, and both have to stay while it is applied. */
        table->limits.n_domains = MAX(limits->n_domains, (size_t) 4);
        TAILQ_INIT(&table->live);
        TAILQ_INIT(&table->freed);
        TAILQ_INIT(&table->ending);
        TAILQ_INIT(&table->evicted);
        TAILQ_INIT(&table->gone);
        denial_join_init(&table->join, HALVES_MAX);
        ruleset_table_init(&table->rulesets, limits->n_rulesets, limits->n_rules, counters);
        process_table_init(&table->processes, limits->n_processes, limits->n_threads);
        return denial_log_init(&table->denials, limits->n_denials);
}

static void forget_ruleset(DomainTable *table, Domain *domain) {
        ruleset_table_unref(&table->rulesets, domain->ruleset);
        domain->ruleset = NULL;
}

static void free_all(DomainTable *table, DomainList *list) {
        while (!TAILQ_EMPTY(list)) {
                Domain *domain = TAILQ_FIRST(list);

                TAILQ_REMOVE(list, domain, entry);
                domain_leave_family(domain);
                forget_ruleset(table, domain);
                domain_free(domain);
        }
}

void domain_table_free_published(DomainTable *table) {
        while (!TAILQ_EMPTY(&table->gone)) {
                Process *process = TAILQ_FIRST(&table->gone);

                TAILQ_REMOVE(&table->gone, process, in_table);
                process_free(process);
        }
        free_all(table, &table->evicted);
        table->settled = denial_free(table->settled);
        ruleset_table_collect(&table->rulesets);
}

void domain_table_done(DomainTable *table) {
        domain_table_free_published(table);
        process_table_done(&table->processes);
        free_all(table, &table->live);
        free_all(table, &table->freed);
        ruleset_table_done(&table->rulesets);
        denial_join_done(&table->join);
        id_map_done(&table->by_id);
        denial_log_done(&table->denials);
}

const Domain *domain_table_get(const DomainTable *table, uint64_t id) {
        return id_map_get(&table->by_id, id);
}

bool domain_table_follows(const DomainTable *table, int64_t tid) {
        return process_table_thread(&table->processes, tid);
}

static int apply_described(Changes *changes, const DomainDescription *described) {
        Domain *domain;
        int is_new, r;

        is_new = domain_table_see(changes, described->domain, &domain);
        if (is_new < 0)
                return is_new;

        r = domain_describe(domain, described);
        if (is_new)
                changes_add(changes, CHANGE_DOMAIN_ADDED, domain);
        else if (r > 0)
                changes_add(changes, CHANGE_DOMAIN_UPDATED, domain);
        return r < 0 ? r : 0;
}

/* Only a record that lies makes a circle. Returns whether that is news. */
static bool set_parent(Domain *domain, uint64_t parent_id, Domain *parent) {
        if (domain->has_parent || (parent && domain_is_inside(parent, domain)))
                return false;
        domain->parent_id = parent_id;
        domain->has_parent = true;
        domain_join_family(domain, parent);
        return true;
}

/* A parent outlives its children in the kernel: it is there, whether it was seen before or not. */
static int see_parent(Changes *changes, uint64_t id, Domain **ret) {
        Domain *parent = NULL;
        int is_new;

        if (id == 0)
                return 0;
        is_new = domain_table_see(changes, id, &parent);
        if (is_new < 0)
                return is_new;
        if (is_new)
                changes_add(changes, CHANGE_DOMAIN_ADDED, parent);
        *ret = parent;
        return 0;
}

/* What it was made from is known better than what it has of it. */
static void set_ruleset(DomainTable *table, Domain *domain, uint64_t id, uint64_t version) {
        forget_ruleset(table, domain);
        domain->ruleset_id = id;
        domain->ruleset_version = version;
        domain->has_ruleset = true;
        domain->ruleset = ruleset_table_ref(&table->rulesets, id, version);
}

static int describe_creation(Changes *changes, Domain *domain, const DomainCreation *created) {
        const TaskDescription creator = domain_table_complete_task(changes->table, &created->creator);
        const DomainDescription description = {
                .creator_pid = creator.pid,
                .has_creator_pid = creator.has_pid,
                .creator_uid = creator.uid,
                .has_creator_uid = creator.has_uid,
                .creator_comm = creator.comm,
                .creator_exe = creator.exe,
                .label = created->label,
        };

        domain->created_usec = changes->time_usec;
        domain->creator_tid = created->creator.tid;
        domain->has_creator_tid = true;
        if (created->ruleset != 0)
                set_ruleset(changes->table, domain, created->ruleset, created->ruleset_version);
        return domain_describe(domain, &description);
}

static int apply_created(Changes *changes, const DomainCreation *created) {
        Domain *parent = NULL, *domain;
        int is_new, r;

        r = see_parent(changes, created->parent, &parent);
        if (r < 0)
                return r;
        is_new = domain_table_see(changes, created->domain, &domain);
        if (is_new < 0)
                return is_new;
        if (domain->created_usec != 0)
                return 0;

        set_parent(domain, created->parent, parent);
        r = describe_creation(changes, domain, created);
        changes_add(changes, is_new ? CHANGE_DOMAIN_ADDED : CHANGE_DOMAIN_UPDATED, domain);
        return r < 0 ? r : 0;
}

static int apply_counted(Changes *changes, const DomainCount *counted) {
        Domain *domain = id_map_get(&changes->table->by_id, counted->domain);

        if (domain)
                domain_table_take_count(changes, domain, counted->n_denials);
        return 0;
}

static int apply_sight(Changes *changes, const DomainSight *sight) {
        Domain *parent = NULL, *domain;
        bool changed = false;
        int is_new, r = 0;

        if (sight->has_parent)
                r = see_parent(changes, sight->parent, &parent);
        if (r < 0)
                return r;
        is_new = domain_table_see(changes, sight->described.domain, &domain);
        if (is_new < 0)
                return is_new;

        domain_table_resettle(changes, domain);
        if (sight->has_parent)
                changed = set_parent(domain, sight->parent, parent);
        if (sight->has_handled && !domain->has_handled) {
                domain->handled = sight->handled;
                domain->has_handled = changed = true;
        }
        if (sight->has_n_denials)
                domain_table_take_count(changes, domain, sight->n_denials);
        if (sight->has_ruleset && !domain->has_ruleset) {
                set_ruleset(changes->table, domain, sight->ruleset, sight->ruleset_version);
                changed = true;
        }
        r = domain_describe(domain, &sight->described);
        if (is_new)
                changes_add(changes, CHANGE_DOMAIN_ADDED, domain);
        else if (changed || r > 0)
                changes_add(changes, CHANGE_DOMAIN_UPDATED, domain);
        return r < 0 ? r : 0;
}

static int apply_freed(Changes *changes, const DomainEnd *freed) {
        Domain *domain;
        int is_new;

        is_new = domain_table_see(changes, freed->domain, &domain);
        if (is_new < 0)
                return is_new;
        if (freed->has_n_denials)
                domain_table_take_count(changes, domain, freed->n_denials);
        if (domain->state == DOMAIN_DEALLOCATED)
                return 0;

        domain_table_end_told(changes, domain);
        return 0;
}

static int apply_ruleset_created(Changes *changes, const RulesetCreation *created) {
        Ruleset *ruleset;
        int r;

        r = ruleset_table_create(&changes->table->rulesets, created, changes->time_usec, &ruleset);
        if (r > 0)
                changes_add(changes, CHANGE_RULESET_CREATED, NULL)->ruleset = ruleset;
        return r;
}

static int apply_rule_added(Changes *changes, const RuleAddition *added) {
        const Rule *rule;
        Ruleset *ruleset;
        int r;

        r = ruleset_table_add_rule(&changes->table->rulesets, added, &ruleset, &rule);
        if (r > 0) {
                Change *change = changes_add(changes, CHANGE_RULE_ADDED, NULL);

                change->ruleset = ruleset;
                change->rule = rule;
        }
        return r;
}

static int apply_ruleset_freed(Changes *changes, const RulesetEnd *freed) {
        Ruleset *ruleset;
        int r;

        r = ruleset_table_freed(&changes->table->rulesets, freed, &ruleset);
        if (r > 0)
                changes_add(changes, CHANGE_RULESET_FREED, NULL)->ruleset = ruleset;
        return r;
}

static int apply_lost(Changes *changes, const Loss *lost) {
        changes->table->unsure |= lost->cause == LOSS_TRACE_OVERRUN || lost->cause == LOSS_TRACING_OFF;
        changes->table->loss = *lost;
        changes_add(changes, CHANGE_LOST, NULL)->loss = &changes->table->loss;
        return 0;
}

static int apply(Changes *changes, const Fact *fact) {
        switch (fact->type) {
        case FACT_RULESET_CREATED:
                return apply_ruleset_created(changes, &fact->ruleset_created);
        case FACT_RULE_ADDED:
                return apply_rule_added(changes, &fact->rule_added);
        case FACT_RULESET_FREED:
                return apply_ruleset_freed(changes, &fact->ruleset_freed);
        case FACT_DOMAIN_CREATED:
                return apply_created(changes, &fact->created);
        case FACT_DOMAIN_ENFORCED:
                return domain_table_apply_enforced(changes, &fact->enforced);
        case FACT_DOMAIN_DESCRIBED:
                return apply_described(changes, &fact->described);
        case FACT_DOMAIN_COUNTED:
                return apply_counted(changes, &fact->counted);
        case FACT_DOMAIN_FREED:
                return apply_freed(changes, &fact->freed);
        case FACT_ACCESS_DENIED:
                return domain_table_apply_denied(changes, &fact->denied);
        case FACT_TASK_RESTRICTED:
                return 0; /* which is not told to the table, but what the kernel answers */
        case FACT_TASK_FORKED:
                return domain_table_apply_forked(changes, &fact->forked);
        case FACT_TASK_EXECED:
                return domain_table_apply_execed(changes, &fact->execed);
        case FACT_TASK_EXITED:
                return domain_table_apply_exited(changes, &fact->exited);
        case FACT_DOMAIN_SEEN:
                return apply_sight(changes, &fact->sight);
        case FACT_TASK_SEEN:
                return domain_table_apply_seen(changes, &fact->seen);
        case FACT_PROCESS_GONE:
                return domain_table_apply_gone(changes, &fact->gone);
        case FACT_SNAPSHOT_BEGUN:
                domain_table_begin_look(changes);
                return 0;
        case FACT_SNAPSHOT_ENDED:
                domain_table_end_look(changes, &fact->snapshot_ended);
                return 0;
        case FACT_EVENTS_LOST:
                return apply_lost(changes, &fact->lost);
        }
        assert(false);
        return -EINVAL;
}

/* Those that made room for others are gone as far as anybody can tell. */
static void tell_evicted_processes(Changes *changes) {
        ProcessTable *processes = &changes->table->processes;
        Process *process;

        while ((process = TAILQ_FIRST(&processes->evicted))) {
                process->domain->crowded = true;
                TAILQ_REMOVE(&processes->evicted, process, in_table);
                TAILQ_INSERT_TAIL(&changes->table->gone, process, in_table);
                changes_add(changes, CHANGE_PROCESS_GONE, process->domain)->process = process;
        }
        changes->table->counters->tasks_evicted = processes->n_evicted;
}

size_t domain_table_apply(DomainTable *table, const Fact *fact, Change ret_changes[static DOMAIN_TABLE_CHANGES_MAX]) {
        Changes changes = {
                .table = table,
                .list = ret_changes,
                .origins = fact->origins,
                .time_usec = fact->time_usec,
                .boot_usec = fact->boot_usec,
                .node = fact->node,
        };

        domain_table_free_published(table);
        if (apply(&changes, fact) < 0)
                table->counters->facts_dropped++;
        tell_evicted_processes(&changes);
        return changes.n;
}

void domain_table_expect(DomainTable *table, unsigned origins, ThreadsTold threads_told) {
        table->expected = origins;
        table->threads_told = threads_told;
}

bool domain_table_waits(const DomainTable *table) {
        return !denial_join_idle(&table->join) || !TAILQ_EMPTY(&table->ending);
}

void domain_table_begin_round(DomainTable *table) {
        denial_join_next_round(&table->join);
}

static void settle_end(Changes *changes) {
        Domain *domain;

        TAILQ_FOREACH(domain, &changes->table->ending, ending) {
                domain_table_try_end(changes, domain);
                if (changes->n > 0)
                        return;
        }
}

size_t domain_table_settle(DomainTable *table, Change ret_changes[static DOMAIN_TABLE_CHANGES_MAX]) {
        Changes changes = {
                .table = table,
                .list = ret_changes,
                .origins = ORIGIN_BPF,
                .time_usec = table->reconciliation.since_usec,
        };

        domain_table_free_published(table);
        if (domain_table_sweep(&changes))
                return changes.n;
        while (changes.n == 0 && domain_table_settle_denial(&changes))
                ;
        if (changes.n == 0)
                settle_end(&changes);
        return changes.n;
}
