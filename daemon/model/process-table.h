/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which processes and threads are in which domains. At either cap the process not seen for longest is evicted, with
 * its threads. */
#pragma once

#include "base/id-map.h"
#include "model/domain.h"

typedef struct ProcessTable {
        IdMap by_pid;          /* pid → first of its processes */
        IdMap by_tid;          /* tid → Thread */
        ProcessList processes; /* most recently seen first */
        ProcessList evicted;   /* no longer in the table; for the caller to take, after each call that can add */
        size_t n_processes, n_processes_max;
        size_t n_threads, n_threads_max;
        uint64_t n_evicted;
} ProcessTable;

void process_table_init(ProcessTable *table, size_t n_processes_max, size_t n_threads_max);
void process_table_done(ProcessTable *table);

/* NULL if it is not known to be in a domain. */
Thread *process_table_thread(const ProcessTable *table, int64_t tid);

/* Another cap of processes, at least 2. */
void process_table_limit(ProcessTable *table, size_t n_processes_max);

/* Its threads in one domain; in the others: by next_same_pid. NULL if it is not known to be in any. */
const Process *process_table_first(const ProcessTable *table, int64_t pid);

/* Whether it is in one domain alone. */
bool process_table_only(const ProcessTable *table, int64_t pid);

/* The threads of process `pid` in `domain`; NULL if it is not known to be in it. */
Process *process_table_get(const ProcessTable *table, const Domain *domain, int64_t pid);

/* The same, in the domain or in one nested in it. */
Process *process_table_inside(const ProcessTable *table, const Domain *domain, int64_t pid);

/* Records that process `pid` was in `domain` at `time_usec`, whatever is known of its threads. Returns 1 if that is
 * new, 0 if not, -ENOMEM. */
int process_table_see(ProcessTable *table, Domain *domain, int64_t pid, Attribution attribution, uint64_t time_usec,
                      Process **ret);

/* Records that it was there still. */
void process_table_touch(ProcessTable *table, Process *process, uint64_t time_usec);

/* One that an earlier landlockd knew is in the domain, as it told it; likewise. `older`: than all that are in the table. */
int process_table_restore(ProcessTable *table, Domain *domain, const Process *told, size_t n_threads, bool older);

/* What is known of its program replaces what was. Returns 1 if it was something else, 0, -ENOMEM. */
int process_describe(Process *process, const TaskDescription *task);

/* Records that a thread is in the process, which was touched last. One that was in another is moved. -ENOSPC at the
 * cap if all threads are this process's, -ENOMEM. */
int process_table_add_thread(ProcessTable *table, Process *process, int64_t tid, Attribution attribution,
                             uint64_t boot_usec);

/* Forgets a thread. Its process stays, perhaps without threads. */
void process_table_remove_thread(ProcessTable *table, Thread *thread);

/* Takes a process out of the table, with its threads; it still names its domain. To be freed by the caller. */
Process *process_table_detach(ProcessTable *table, Process *process);
Process *process_free(Process *process);

/* Forgets every process of the domain: a domain that the kernel freed has none. */
void process_table_forget_domain(ProcessTable *table, Domain *domain);
