/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager-ask.h"

#include <errno.h>

bool manager_ask_is_stranger(const Change *change, Stranger *ret) {
        switch (change->type) {
        case CHANGE_DOMAIN_ADDED:
        case CHANGE_DOMAIN_UPDATED:
                if (change->domain->created_usec != 0 || !change->domain->has_creator_pid)
                        return false;
                *ret = (Stranger) { change->domain->id, change->domain->creator_pid, change->time_usec };
                return true;
        case CHANGE_PROCESS_ADDED:
                if (change->process->n_threads > 0)
                        return false;
                *ret = (Stranger) { change->domain->id, change->process->pid, change->time_usec };
                return true;
        default:
                return false;
        }
}

int manager_ask_domain(const DomainTable *table, BpfSnapshot *snapshot, int64_t tid, uint64_t *ret_domain) {
        const Thread *thread;

        if (snapshot)
                return bpf_snapshot_thread(snapshot, tid, ret_domain);
        thread = process_table_thread(&table->processes, tid);
        if (!thread || thread->attribution == ATTRIBUTION_INFERRED)
                return -EOPNOTSUPP;
        *ret_domain = thread->process->domain->id;
        return 0;
}

void manager_ask_restricted(const DomainTable *table, BpfSnapshot *snapshot, const TaskRestriction *restricted, FactSink sink) {
        const Thread *thread;

        if (bpf_snapshot_task(snapshot, restricted->tid, sink) <= 0 || !restricted->process_wide)
                return;
        thread = process_table_thread(&table->processes, restricted->tid);
        if (thread)
                bpf_snapshot_process(snapshot, thread->process->pid, sink);
}
