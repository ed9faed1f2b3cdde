/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* After a look at all that lives in the kernel: what is not there any more goes.
 *
 * Whatever the look told, and whatever an event told since it began, was seen since then. The rest was not. Lists are
 * kept by last sight, so that the rest is at their ends. */
#include "base/clock.h"
#include "model/domain-table-changes.h"

/* Whoever tells of a thread may do so just before it gets into the domain, where the look would find it: so what was told
 * in the last moment before the look is left alone. If it did end in that moment, and the word of it was lost, there will
 * be another look. */
#define MOMENT_USEC (50 * USEC_PER_MSEC)

/* A domain is told to be made before its first thread gets into it, and may have to wait for others to be stopped. */
#define ENTRY_USEC (1 * USEC_PER_SEC)

static bool was_missed(const DomainTable *table, uint64_t seen_usec, uint64_t grace_usec) {
        return seen_usec + grace_usec < table->reconciliation.since_usec;
}

void domain_table_begin_look(Changes *changes) {
        changes->table->reconciliation = (Reconciliation) { .since_usec = changes->time_usec };
        changes->table->looking_since_boot_usec = changes->boot_usec;
        changes->table->looking = true;
        changes->table->sweeping = false;
}

/* Threads that were not found, of a process that was. */
static void sweep_threads(DomainTable *table, Process *process) {
        Thread *thread, *next;

        for (thread = LIST_FIRST(&process->threads); thread; thread = next) {
                next = LIST_NEXT(thread, in_process);
                if (thread->seen_boot_usec + MOMENT_USEC < table->looking_since_boot_usec)
                        process_table_remove_thread(&table->processes, thread);
        }
}

void domain_table_end_look(Changes *changes, const SnapshotEnd *ended) {
        DomainTable *table = changes->table;
        Process *process;

        if (!table->looking)
                return;
        table->looking = false;
        table->reconciled = true;
        if (!ended->is_complete)
                return;
        table->sweeping = true;
        table->unsure = false;
        TAILQ_FOREACH(process, &table->processes.processes, in_table)
                if (process->last_seen_usec >= table->reconciliation.since_usec)
                        sweep_threads(table, process);
}

static bool sweep_process(Changes *changes) {
        DomainTable *table = changes->table;
        Process *process = TAILQ_LAST(&table->processes.processes, ProcessList);

        if (!process || !was_missed(table, process->last_seen_usec, MOMENT_USEC))
                return false;
        process_table_detach(&table->processes, process);
        TAILQ_INSERT_TAIL(&table->gone, process, in_table);
        table->reconciliation.n_processes_removed++;
        changes_add(changes, CHANGE_PROCESS_GONE, process->domain)->process = process;
        return true;
}

/* The domain not seen for longest, of those that somebody has been in. */
static Domain *first_missed(const DomainTable *table) {
        Domain *domain;

        TAILQ_FOREACH_REVERSE(domain, &table->live, DomainList, entry) {
                if (!was_missed(table, domain->last_seen_usec, MOMENT_USEC))
                        return NULL;
                if (was_missed(table, domain->last_seen_usec, ENTRY_USEC) || domain->has_enforcement)
                        return domain;
        }
        return NULL;
}

/* Nobody lives in it or below it. Its end was lost; an open file may keep it in the kernel, where it restricts nobody
 * any more. How often it denied is not known. */
static bool sweep_domain(Changes *changes) {
        DomainTable *table = changes->table;
        Domain *domain = first_missed(table);

        if (!domain)
                return false;
        table->reconciliation.n_domains_removed++;
        domain_table_end_unseen(changes, domain);
        return true;
}

static void tell_sum(Changes *changes) {
        DomainTable *table = changes->table;
        const Reconciliation *r = &table->reconciliation;

        table->reconciled = false;
        table->counters->reconciliations++;
        table->counters->reconciled_added += r->n_domains_added + r->n_processes_added;
        table->counters->reconciled_removed += r->n_domains_removed + r->n_processes_removed;
        changes_add(changes, CHANGE_RECONCILED, NULL)->reconciliation = r;
}

bool domain_table_sweep(Changes *changes) {
        DomainTable *table = changes->table;

        if (table->sweeping && (sweep_process(changes) || sweep_domain(changes)))
                return true;
        table->sweeping = false;
        if (!table->reconciled)
                return false;
        tell_sum(changes);
        return true;
}
