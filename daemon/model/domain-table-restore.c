/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/domain-table-restore.h"

#include <errno.h>

#include "model/domain-table-changes.h"

/* Making room may have put processes out. */
static void free_evicted(DomainTable *table) {
        Process *process;

        while ((process = TAILQ_FIRST(&table->processes.evicted))) {
                TAILQ_REMOVE(&table->processes.evicted, process, in_table);
                process_free(process);
        }
}

/* ---- rulesets ---- */

int domain_table_restore_ruleset(DomainTable *table, const Ruleset *told, RestoreFrom from) {
        int r = ruleset_table_restore(&table->rulesets, told);

        /* Domains that were made from it may still come, and keep it. */
        if (from == RESTORE_FROM_EVENT)
                ruleset_table_restore_end(&table->rulesets, told->id);
        return r;
}

/* ---- domains ---- */

/* Returns 1 if it is new, 0, -ENOMEM. */
static int see_domain(DomainTable *table, uint64_t id, uint64_t time_usec, unsigned origins, Domain **ret) {
        Change list[DOMAIN_TABLE_CHANGES_MAX];
        Changes changes = { .table = table, .list = list, .origins = origins, .time_usec = time_usec };

        domain_table_free_published(table);
        return domain_table_see(&changes, id, ret);
}

static int replace_text(Text *text, Text by) {
        Text copy;

        if (!text_known(by) || text_equal(*text, by))
                return 0;
        if (text_dup(by, &copy) < 0)
                return -ENOMEM;
        free((char *) text->data);
        *text = copy;
        return 0;
}

static int set_values(Domain *domain, const Domain *told) {
        domain->mode = told->mode;
        domain->origins = told->origins;
        domain->parent_id = told->parent_id;
        domain->has_parent = told->has_parent;
        domain->ruleset_id = told->ruleset_id;
        domain->ruleset_version = told->ruleset_version;
        domain->has_ruleset = told->has_ruleset;
        domain->handled = told->handled;
        domain->has_handled = told->has_handled;
        domain->creator_tid = told->creator_tid;
        domain->has_creator_tid = told->has_creator_tid;
        domain->has_enforcement = told->has_enforcement;
        domain->process_wide = told->process_wide;
        domain->no_new_privs = told->no_new_privs;
        domain->created_usec = told->created_usec;
        domain->creator_pid = told->creator_pid;
        domain->has_creator_pid = told->has_creator_pid;
        domain->creator_uid = told->creator_uid;
        domain->has_creator_uid = told->has_creator_uid;
        domain->first_seen_usec = told->first_seen_usec;
        domain->last_seen_usec = told->last_seen_usec;
        domain->n_denials = told->n_denials;
        domain->n_denials_kernel = told->n_denials_kernel;
        domain->has_n_denials_kernel = told->has_n_denials_kernel;
        memcpy(domain->n_blocked, told->n_blocked, sizeof(domain->n_blocked));
        domain->n_blocked_other = told->n_blocked_other;
        if (replace_text(&domain->creator_comm, told->creator_comm) < 0 ||
            replace_text(&domain->label, told->label) < 0)
                return -ENOMEM;
        return replace_text(&domain->creator_exe, told->creator_exe);
}

/* What it was made from and what it is nested in, if that is there. */
static void link_domain(DomainTable *table, Domain *domain) {
        if (domain->has_ruleset && !domain->ruleset)
                domain->ruleset = ruleset_table_ref(&table->rulesets, domain->ruleset_id, domain->ruleset_version);
        if (domain->has_parent && domain->parent_id != 0 && !domain->parent) {
                Domain *parent = id_map_get(&table->by_id, domain->parent_id);

                if (parent && !domain_is_inside(parent, domain))
                        domain_join_family(domain, parent);
        }
}

/* It was evicted and seen again, and the word of it is not known any more. */
static void unlink_domain(DomainTable *table, Domain *domain, const Domain *told) {
        if (domain->ruleset && (!told->has_ruleset || told->ruleset_id != domain->ruleset_id)) {
                ruleset_table_unref(&table->rulesets, domain->ruleset);
                domain->ruleset = NULL;
        }
        if (domain->parent && (!told->has_parent || told->parent_id != domain->parent_id))
                domain_leave_parent(domain);
}

static void set_freed(DomainTable *table, Domain *domain, const Domain *told, RestoreFrom from) {
        process_table_forget_domain(&table->processes, domain);
        domain->state = DOMAIN_DEALLOCATED;
        domain->freed_usec = told->freed_usec;
        TAILQ_REMOVE(&table->live, domain, entry);
        table->n_live--;
        if (from == RESTORE_FROM_LIST)
                TAILQ_INSERT_TAIL(&table->freed, domain, entry);
        else
                TAILQ_INSERT_HEAD(&table->freed, domain, entry);
        table->n_freed++;
}

int domain_table_restore_domain(DomainTable *table, const Domain *told, RestoreFrom from) {
        Domain *domain;
        int r;

        r = see_domain(table, told->id, told->last_seen_usec, told->origins, &domain);
        if (r < 0)
                return r;
        if (r > 0 && from == RESTORE_FROM_LIST) {
                TAILQ_REMOVE(&table->live, domain, entry);
                TAILQ_INSERT_TAIL(&table->live, domain, entry);
        }

        unlink_domain(table, domain, told);
        r = set_values(domain, told);
        link_domain(table, domain);
        if (told->state == DOMAIN_DEALLOCATED && domain->state == DOMAIN_ALLOCATED)
                set_freed(table, domain, told, from);
        return r;
}

void domain_table_restore_eviction(DomainTable *table, uint64_t id) {
        Domain *domain = id_map_remove(&table->by_id, id);

        if (!domain)
                return;
        process_table_forget_domain(&table->processes, domain);
        domain_leave_family(domain);
        ruleset_table_unref(&table->rulesets, domain->ruleset);
        domain->ruleset = NULL;
        if (domain->state == DOMAIN_ALLOCATED) {
                TAILQ_REMOVE(&table->live, domain, entry);
                table->n_live--;
        } else {
                TAILQ_REMOVE(&table->freed, domain, entry);
                table->n_freed--;
        }
        domain_free(domain);
}

/* ---- processes ---- */

int domain_table_restore_process(DomainTable *table, uint64_t id, const Process *told, size_t n_threads, RestoreFrom from) {
        Domain *domain = id_map_get(&table->by_id, id);
        int r = 0;

        /* It may still come. */
        if (!domain)
                r = see_domain(table, id, told->last_seen_usec, 0, &domain);
        if (r < 0 || domain->state != DOMAIN_ALLOCATED)
                return MIN(r, 0);
        r = process_table_restore(&table->processes, domain, told, n_threads, from == RESTORE_FROM_LIST);
        free_evicted(table);
        return r;
}

void domain_table_restore_process_gone(DomainTable *table, uint64_t id, int64_t pid) {
        Domain *domain = id_map_get(&table->by_id, id);
        Process *process = domain ? process_table_get(&table->processes, domain, pid) : NULL;

        if (process)
                process_free(process_table_detach(&table->processes, process));
}

/* ---- denials ---- */

static void see_subject(DomainTable *table, Domain *domain, const Denial *told) {
        TaskDescription task = { .comm = told->subject.comm, .exe = told->subject.exe };
        Process *process;

        if (!denial_subject_id(told, SUBJECT_pid, &task.pid))
                return;
        process = process_table_inside(&table->processes, domain, task.pid);
        if (!process)
                return;
        process_table_touch(&table->processes, process, told->time_usec);
        /* Where threads are followed, what they run is told by events of its own. */
        task.has_uid = denial_subject_id(told, SUBJECT_uid, &task.uid);
        if (!denial_subject_id(told, SUBJECT_tid, &task.tid))
                process_describe(process, &task);
}

static int count_denial(DomainTable *table, const Denial *told) {
        Domain *domain;
        int r;

        r = see_domain(table, told->domain, told->time_usec, told->origins, &domain);
        if (r < 0)
                return r;
        domain_count_denial(domain, told);
        see_subject(table, domain, told);
        return 0;
}

int domain_table_restore_denial(DomainTable *table, const Denial *told, RestoreFrom from) {
        int r = denial_log_restore(&table->denials, told);

        if (from == RESTORE_FROM_LIST)
                return r;
        return MIN(r, count_denial(table, told));
}

/* ---- begin and end ---- */

void domain_table_restore_begin(DomainTable *table) {
        /* One that had to make room for another is told to be gone after the other has come. */
        process_table_limit(&table->processes, table->limits.n_processes + DOMAIN_TABLE_CHANGES_MAX);
}

static void link_all(DomainTable *table) {
        Domain *domain;

        TAILQ_FOREACH(domain, &table->live, entry)
                link_domain(table, domain);
        TAILQ_FOREACH(domain, &table->freed, entry)
                link_domain(table, domain);
}

void domain_table_restore_list_end(DomainTable *table) {
        link_all(table);
        ruleset_table_restore_end(&table->rulesets, 0);
}

void domain_table_restore_end(DomainTable *table) {
        domain_table_free_published(table);
        link_all(table);
        process_table_limit(&table->processes, table->limits.n_processes);
        free_evicted(table);
        table->processes.n_evicted = 0;
        table->denials.n_evicted = 0;
}
