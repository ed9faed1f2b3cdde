/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/process-table.h"

#include <assert.h>
#include <errno.h>

void process_table_init(ProcessTable *table, size_t n_processes_max, size_t n_threads_max) {
        /* Two, so that one can be made from another. */
        *table = (ProcessTable) { .n_processes_max = MAX(n_processes_max, (size_t) 2), .n_threads_max = n_threads_max };
        TAILQ_INIT(&table->processes);
        TAILQ_INIT(&table->evicted);
}

/* Takes the process out of the chain of those with its pid. */
static void unchain(ProcessTable *table, Process *process) {
        Process *first = id_map_remove(&table->by_pid, process->pid);

        if (first == process) {
                first = process->next_same_pid;
        } else {
                Process *p = first;

                while (p->next_same_pid != process)
                        p = p->next_same_pid;
                p->next_same_pid = process->next_same_pid;
        }

        /* Cannot fail: the slot of the removed key is free. */
        if (first)
                id_map_put(&table->by_pid, process->pid, first);
}

void process_table_remove_thread(ProcessTable *table, Thread *thread) {
        id_map_remove(&table->by_tid, thread->tid);
        LIST_REMOVE(thread, in_process);
        thread->process->n_threads--;
        table->n_threads--;
        free(thread);
}

Process *process_table_detach(ProcessTable *table, Process *process) {
        while (!LIST_EMPTY(&process->threads))
                process_table_remove_thread(table, LIST_FIRST(&process->threads));
        unchain(table, process);
        TAILQ_REMOVE(&process->domain->processes, process, in_domain);
        process->domain->n_processes--;
        TAILQ_REMOVE(&table->processes, process, in_table);
        table->n_processes--;
        return process;
}

Process *process_free(Process *process) {
        if (!process)
                return NULL;
        free((char *) process->comm.data);
        free((char *) process->exe.data);
        free(process);
        return NULL;
}

void process_table_done(ProcessTable *table) {
        while (!TAILQ_EMPTY(&table->processes))
                process_free(process_table_detach(table, TAILQ_FIRST(&table->processes)));
        assert(TAILQ_EMPTY(&table->evicted));
        id_map_done(&table->by_pid);
        id_map_done(&table->by_tid);
}

Thread *process_table_thread(const ProcessTable *table, int64_t tid) {
        return id_map_get(&table->by_tid, tid);
}

const Process *process_table_first(const ProcessTable *table, int64_t pid) {
        return id_map_get(&table->by_pid, pid);
}

bool process_table_only(const ProcessTable *table, int64_t pid) {
        const Process *process = id_map_get(&table->by_pid, pid);

        return process && !process->next_same_pid;
}

Process *process_table_get(const ProcessTable *table, const Domain *domain, int64_t pid) {
        Process *process = id_map_get(&table->by_pid, pid);

        while (process && process->domain != domain)
                process = process->next_same_pid;
        return process;
}

Process *process_table_inside(const ProcessTable *table, const Domain *domain, int64_t pid) {
        Process *process = id_map_get(&table->by_pid, pid);

        while (process && !domain_is_inside(process->domain, domain))
                process = process->next_same_pid;
        return process;
}

static void evict_oldest(ProcessTable *table) {
        Process *process = process_table_detach(table, TAILQ_LAST(&table->processes, ProcessList));

        TAILQ_INSERT_TAIL(&table->evicted, process, in_table);
        table->n_evicted++;
}

void process_table_limit(ProcessTable *table, size_t n_processes_max) {
        table->n_processes_max = MAX(n_processes_max, (size_t) 2);
        while (table->n_processes > table->n_processes_max)
                evict_oldest(table);
}

static int add(ProcessTable *table, Domain *domain, int64_t pid, Attribution attribution, Process **ret) {
        Process *first, *process;

        if (table->n_processes == table->n_processes_max)
                evict_oldest(table);

        process = calloc(1, sizeof(Process));
        if (!process)
                return -ENOMEM;
        *process = (Process) { .domain = domain, .pid = pid, .attribution = attribution };
        LIST_INIT(&process->threads);

        first = id_map_get(&table->by_pid, pid);
        if (first) {
                process->next_same_pid = first->next_same_pid;
                first->next_same_pid = process;
        } else if (id_map_put(&table->by_pid, pid, process) < 0) {
                free(process);
                return -ENOMEM;
        }

        TAILQ_INSERT_HEAD(&domain->processes, process, in_domain);
        domain->n_processes++;
        TAILQ_INSERT_HEAD(&table->processes, process, in_table);
        table->n_processes++;
        *ret = process;
        return 1;
}

void process_table_touch(ProcessTable *table, Process *process, uint64_t time_usec) {
        if (process != TAILQ_FIRST(&table->processes)) {
                TAILQ_REMOVE(&process->domain->processes, process, in_domain);
                TAILQ_INSERT_HEAD(&process->domain->processes, process, in_domain);
                TAILQ_REMOVE(&table->processes, process, in_table);
                TAILQ_INSERT_HEAD(&table->processes, process, in_table);
        }
        if (process->first_seen_usec == 0)
                process->first_seen_usec = time_usec;
        process->last_seen_usec = MAX(process->last_seen_usec, time_usec);
}

int process_table_see(ProcessTable *table, Domain *domain, int64_t pid, Attribution attribution, uint64_t time_usec,
                      Process **ret) {
        Process *process = process_table_get(table, domain, pid);
        int r = 0;

        if (!process) {
                r = add(table, domain, pid, attribution, &process);
                if (r < 0)
                        return r;
        }
        process->attribution = MIN(process->attribution, attribution);
        process_table_touch(table, process, time_usec);
        *ret = process;
        return r;
}

int process_table_restore(ProcessTable *table, Domain *domain, const Process *told, size_t n_threads, bool older) {
        const TaskDescription description = { .uid = told->uid, .has_uid = told->has_uid, .comm = told->comm, .exe = told->exe };
        Process *process;
        int r;

        r = process_table_see(table, domain, told->pid, told->attribution, told->last_seen_usec, &process);
        if (r < 0)
                return r;
        if (r > 0 && older) {
                TAILQ_REMOVE(&domain->processes, process, in_domain);
                TAILQ_INSERT_TAIL(&domain->processes, process, in_domain);
                TAILQ_REMOVE(&table->processes, process, in_table);
                TAILQ_INSERT_TAIL(&table->processes, process, in_table);
        }
        process->attribution = told->attribution;
        process->first_seen_usec = told->first_seen_usec;
        process->last_seen_usec = told->last_seen_usec;
        process->n_threads_before = n_threads;
        return MIN(r, process_describe(process, &description));
}

static int replace_text(Text *text, Text by) {
        Text copy;

        if (!text_known(by) || text_equal(*text, by))
                return 0;
        if (text_dup(by, &copy) < 0)
                return -ENOMEM;
        free((char *) text->data);
        *text = copy;
        return 1;
}

int process_describe(Process *process, const TaskDescription *task) {
        int comm, exe, changed = task->has_uid && (!process->has_uid || process->uid != task->uid);

        if (task->has_uid) {
                process->uid = task->uid;
                process->has_uid = true;
        }
        comm = replace_text(&process->comm, task->comm);
        exe = replace_text(&process->exe, task->exe);
        return comm < 0 || exe < 0 ? -ENOMEM : changed || comm || exe;
}

int process_table_add_thread(ProcessTable *table, Process *process, int64_t tid, Attribution attribution,
                             uint64_t boot_usec) {
        Thread *thread = process_table_thread(table, tid);

        if (thread) {
                LIST_REMOVE(thread, in_process);
                thread->process->n_threads--;
        } else {
                /* The process itself was touched last: nobody is evicted for a thread of his own. */
                if (table->n_threads >= table->n_threads_max && TAILQ_LAST(&table->processes, ProcessList) != process)
                        evict_oldest(table);
                if (table->n_threads >= table->n_threads_max) {
                        table->n_evicted++;
                        return -ENOSPC;
                }
                thread = calloc(1, sizeof(Thread));
                if (!thread)
                        return -ENOMEM;
                if (id_map_put(&table->by_tid, tid, thread) < 0) {
                        free(thread);
                        return -ENOMEM;
                }
                thread->tid = tid;
                table->n_threads++;
        }

        thread->process = process;
        thread->attribution = attribution;
        thread->seen_boot_usec = boot_usec;
        LIST_INSERT_HEAD(&process->threads, thread, in_process);
        process->n_threads++;
        return 0;
}

void process_table_forget_domain(ProcessTable *table, Domain *domain) {
        while (!TAILQ_EMPTY(&domain->processes))
                process_free(process_table_detach(table, TAILQ_FIRST(&domain->processes)));
}
