/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager-survivors.h"

#include <stdlib.h>

#include "base/macros.h"
#include "source/proc-survivor.h"

/* A process whose threads are all in the same domain, as far as it was followed. */
static bool is_whole(const Process *process) {
        return process->attribution == ATTRIBUTION_INHERITED || process->domain->process_wide;
}

static ProcSurvivor describe(const ProcessTable *processes, const Process *process) {
        return (ProcSurvivor) {
                .domain = process->domain->id,
                .pid = process->pid,
                .seen_usec = process->last_seen_usec,
                /* Threads of a process that was in several domains cannot be told apart. */
                .n_threads = process_table_only(processes, process->pid) ? process->n_threads_before : 0,
                .attribution = process->attribution,
                .whole = is_whole(process),
        };
}

void manager_survivors_report(const DomainTable *table, uint64_t since_usec, FactSink sink) {
        const ProcessTable *processes = &table->processes;
        _cleanup_free_ ProcSurvivor *survivors = calloc(processes->n_processes + 1, sizeof(ProcSurvivor));
        const Process *process;
        size_t n = 0;

        if (!survivors)
                return;
        TAILQ_FOREACH(process, &processes->processes, in_table)
                survivors[n++] = describe(processes, process);
        proc_survivor_report(survivors, n, since_usec, sink);
}
