/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads and processes: which are in which domain. */
#include <errno.h>

#include "model/domain-table-changes.h"

static void process_changed(Changes *changes, ChangeType type, const Process *process) {
        changes_add(changes, type, process->domain)->process = process;
}

/* A process of which no thread is left is gone. */
static void let_go(Changes *changes, Process *process) {
        if (process->n_threads > 0)
                return;
        process_table_detach(&changes->table->processes, process);
        TAILQ_INSERT_TAIL(&changes->table->gone, process, in_table);
        process_changed(changes, CHANGE_PROCESS_GONE, process);
        domain_table_desert(changes, process->domain);
}

/* What of it was not known. */
static int describe_rest(Process *process, const TaskDescription *task) {
        const TaskDescription rest = {
                .uid = task->uid,
                .has_uid = task->has_uid && !process->has_uid,
                .comm = text_known(process->comm) ? TEXT_NULL : task->comm,
                .exe = text_known(process->exe) ? TEXT_NULL : task->exe,
        };

        return process_describe(process, &rest);
}

/* The process is in the domain; `task` is what is known of it, or of one of its other threads. */
static int see_process(Changes *changes, Domain *domain, int64_t pid, const TaskDescription *task,
                       Attribution attribution, Process **ret) {
        DomainTable *table = changes->table;
        Process *process;
        int is_new, r;

        is_new = process_table_see(&table->processes, domain, pid, attribution, changes->time_usec, &process);
        if (is_new < 0)
                return is_new;
        r = is_new || task->tid == pid ? process_describe(process, task) : describe_rest(process, task);
        if (is_new) {
                domain_table_resettle(changes, domain);
                table->counters->processes++;
                domain_table_count_found(changes, &table->reconciliation.n_processes_added);
                process_changed(changes, CHANGE_PROCESS_ADDED, process);
        } else if (r > 0)
                process_changed(changes, CHANGE_PROCESS_UPDATED, process);
        *ret = process;
        return r < 0 ? r : is_new;
}

TaskDescription domain_table_complete_task(const DomainTable *table, const TaskDescription *task) {
        const Thread *thread = process_table_thread(&table->processes, task->tid);
        TaskDescription known = *task;

        if (!thread)
                return known;
        if (!known.has_pid)
                known.pid = thread->process->pid;
        if (!known.has_uid)
                known.uid = thread->process->uid;
        known.has_pid = true;
        known.has_uid |= thread->process->has_uid;
        known.comm = text_known(known.comm) ? known.comm : thread->process->comm;
        known.exe = text_known(known.exe) ? known.exe : thread->process->exe;
        return known;
}

/* Returns 1 if there was room for it, 0 if not, -ENOMEM. */
static int add_thread(Changes *changes, Process *process, int64_t tid, Attribution attribution) {
        int r = process_table_add_thread(&changes->table->processes, process, tid, attribution, changes->boot_usec);

        if (r == -ENOSPC)
                process->domain->crowded = true;
        return r == -ENOSPC ? 0 : r < 0 ? r : 1;
}

/* Of a thread that is where it was known to be. What is known of its program is kept: an event told it. */
static int know_better(Changes *changes, Thread *thread, const TaskDescription *task, Attribution attribution) {
        Process *process = thread->process;
        bool surer = attribution < process->attribution;
        int r;

        thread->attribution = MIN(thread->attribution, attribution);
        process->attribution = MIN(process->attribution, attribution);
        r = describe_rest(process, task);
        if (surer || r > 0)
                process_changed(changes, CHANGE_PROCESS_UPDATED, process);
        return MIN(r, 0);
}

/* The thread is in the domain now, wherever it was before. */
static int put_thread(Changes *changes, Domain *domain, const TaskDescription *task, Attribution attribution) {
        DomainTable *table = changes->table;
        Thread *thread = process_table_thread(&table->processes, task->tid);
        Process *before = thread ? thread->process : NULL, *process;
        TaskDescription known;
        int r;

        if (before && before->domain == domain)
                return know_better(changes, thread, task, attribution);
        /* What moves is the same process; seen last, it is not the one that makes room. */
        if (before)
                process_table_touch(&table->processes, before, changes->time_usec);
        known = domain_table_complete_task(table, task);
        /* A thread whose process nobody named is not guessed to be a process. */
        if (!known.has_pid)
                return 0;

        r = see_process(changes, domain, known.pid, &known, attribution, &process);
        if (r < 0)
                return r;
        /* Making room may have evicted the process that it was in, and the thread with it. */
        thread = process_table_thread(&table->processes, task->tid);
        before = thread ? thread->process : NULL;
        r = add_thread(changes, process, task->tid, attribution);
        if (r <= 0)
                return r;
        if (before)
                let_go(changes, before);
        return 0;
}

/* The weakest of all calls and threads is what holds for the domain. */
static bool weaken(Domain *domain, const DomainEnforcement *enforced) {
        bool changed = !domain->has_enforcement || (domain->process_wide && !enforced->process_wide) ||
                       (domain->no_new_privs && !enforced->no_new_privs);

        domain->process_wide = enforced->process_wide && (!domain->has_enforcement || domain->process_wide);
        domain->no_new_privs = enforced->no_new_privs && (!domain->has_enforcement || domain->no_new_privs);
        domain->has_enforcement = true;
        return changed;
}

int domain_table_apply_enforced(Changes *changes, const DomainEnforcement *enforced) {
        const Thread *thread;
        Domain *domain;
        int is_new;
        bool changed;

        is_new = domain_table_see(changes, enforced->domain, &domain);
        if (is_new < 0)
                return is_new;
        changed = weaken(domain, enforced);
        if (is_new)
                changes_add(changes, CHANGE_DOMAIN_ADDED, domain);
        else if (changed)
                changes_add(changes, CHANGE_DOMAIN_UPDATED, domain);

        /* Nobody gets out again: whoever is known to be further inside has only gone through here. */
        thread = process_table_thread(&changes->table->processes, enforced->task.tid);
        if (domain->state != DOMAIN_ALLOCATED || (thread && thread->process->domain != domain &&
                                                  domain_is_inside(thread->process->domain, domain)))
                return 0;
        return put_thread(changes, domain, &enforced->task, ATTRIBUTION_KERNEL);
}

/* A thread with this ID is dead, whatever became of the word of its end. */
static void forget_thread(Changes *changes, int64_t tid) {
        ProcessTable *processes = &changes->table->processes;
        Thread *thread = process_table_thread(processes, tid);
        Process *process;

        if (!thread)
                return;
        process = thread->process;
        process_table_remove_thread(processes, thread);
        process->last_seen_usec = MAX(process->last_seen_usec, changes->time_usec);
        let_go(changes, process);
}

static bool is_older(uint64_t boot_usec, const Thread *thread) {
        return boot_usec != 0 && boot_usec < thread->seen_boot_usec;
}

/* What happened before a look at the thread is in what was seen then, or is about another one that had its ID. */
static bool is_old(const Changes *changes, const Thread *thread) {
        return thread && is_older(changes->boot_usec, thread);
}

int domain_table_apply_forked(Changes *changes, const TaskFork *forked) {
        ProcessTable *processes = &changes->table->processes;
        const Thread *parent = process_table_thread(processes, forked->parent_tid);
        Process *process;
        Attribution attribution;
        int r;

        /* Before the last news of its parent, that was elsewhere. */
        if (!parent || forked->tid == forked->parent_tid || is_old(changes, parent) ||
            is_old(changes, process_table_thread(processes, forked->tid)))
                return 0;
        forget_thread(changes, forked->tid);
        parent = process_table_thread(processes, forked->parent_tid);
        process = parent->process;
        attribution = parent->attribution == ATTRIBUTION_INFERRED ? ATTRIBUTION_INFERRED : ATTRIBUTION_INHERITED;

        /* Seen last, it is not the one that makes room: its texts are borrowed. */
        process_table_touch(processes, process, changes->time_usec);
        if (!forked->is_thread) {
                const TaskDescription child = {
                        .uid = process->uid,
                        .has_uid = process->has_uid,
                        .comm = process->comm,
                        .exe = process->exe,
                };

                r = see_process(changes, process->domain, forked->tid, &child, attribution, &process);
                if (r < 0)
                        return r;
        }
        return MIN(add_thread(changes, process, forked->tid, attribution), 0);
}

int domain_table_apply_execed(Changes *changes, const TaskExec *execed) {
        ProcessTable *processes = &changes->table->processes;
        Thread *thread = process_table_thread(processes, execed->old_tid);
        Attribution attribution;
        Process *process;
        int r;

        if (!thread || is_old(changes, thread))
                return 0;
        process = thread->process;
        attribution = thread->attribution;
        process_table_touch(processes, process, changes->time_usec);

        if (execed->task.tid != execed->old_tid) {
                /* It took over the ID of the thread that led its process, which is dead like all the others. */
                process_table_remove_thread(processes, thread);
                r = add_thread(changes, process, execed->task.tid, attribution);
                if (r <= 0)
                        return r;
        }
        r = process_describe(process, &execed->task);
        if (r < 0)
                return r;
        process_changed(changes, CHANGE_PROCESS_UPDATED, process);
        return 0;
}

int64_t domain_table_doubts(const DomainTable *table, const Fact *fact) {
        const bool is_fork = fact->type == FACT_TASK_FORKED;
        const Thread *thread, *child;

        if (!is_fork && fact->type != FACT_TASK_EXITED)
                return 0;
        thread = process_table_thread(&table->processes, is_fork ? fact->forked.parent_tid : fact->exited.tid);
        if (!thread || !is_older(fact->boot_usec, thread))
                return 0;
        if (!is_fork)
                return fact->exited.tid;
        child = process_table_thread(&table->processes, fact->forked.tid);
        return child && is_older(fact->boot_usec, child) ? 0 : fact->forked.tid;
}

int domain_table_apply_exited(Changes *changes, const TaskExit *exited) {
        /* Also what is older than a look at the thread: it was exiting then. */
        forget_thread(changes, exited->tid);
        return 0;
}

bool domain_table_lacks_program(const DomainTable *table, const TaskSight *seen) {
        const TaskDescription *task = &seen->task;
        const Process *process;
        const Thread *thread;
        const Domain *domain;

        if (!task->has_pid || text_known(task->exe))
                return false;
        thread = process_table_thread(&table->processes, task->tid);
        if (thread)
                return task->tid == task->pid && !text_known(thread->process->exe);
        domain = id_map_get(&table->by_id, seen->domain);
        process = domain ? process_table_get(&table->processes, domain, task->pid) : NULL;
        return !process || task->tid == task->pid;
}

bool domain_table_lacks_subject(const DomainTable *table, const Denial *denial) {
        int64_t tid;

        return denial_subject_id(denial, SUBJECT_tid, &tid) && denial_shows_membership(denial) &&
                !domain_table_follows(table, tid);
}

int domain_table_apply_seen(Changes *changes, const TaskSight *seen) {
        const ProcessTable *processes = &changes->table->processes;
        Thread *thread = process_table_thread(processes, seen->task.tid);
        Domain *domain;
        int is_new, r;

        /* What was only inferred yields to what is known, and what is told late to what was told since. */
        if (thread && (seen->attribution != ATTRIBUTION_KERNEL || is_old(changes, thread)))
                return 0;

        is_new = domain_table_see(changes, seen->domain, &domain);
        if (is_new < 0)
                return is_new;
        if (is_new)
                changes_add(changes, CHANGE_DOMAIN_ADDED, domain);
        if (domain->state != DOMAIN_ALLOCATED)
                return 0;

        r = put_thread(changes, domain, &seen->task, seen->attribution);
        thread = process_table_thread(processes, seen->task.tid);
        if (r >= 0 && thread) {
                process_table_touch(&changes->table->processes, thread->process, changes->time_usec);
                thread->seen_boot_usec = changes->boot_usec;
        }
        return r;
}

int domain_table_apply_gone(Changes *changes, const ProcessEnd *gone) {
        ProcessTable *processes = &changes->table->processes;
        const Domain *domain = id_map_get(&changes->table->by_id, gone->domain);
        Process *process = domain ? process_table_get(processes, domain, gone->pid) : NULL;

        /* One that has threads is known better than by looking for it. */
        if (process)
                let_go(changes, process);
        return 0;
}

/* What is known of the process, the denial need not tell. */
static void describe_subject(const Process *process, Denial *denial) {
        DenialSubject *subject = &denial->subject;
        const uint32_t pid = UINT32_C(1) << SUBJECT_pid, uid = UINT32_C(1) << SUBJECT_uid;

        if (!(subject->known_ids & pid))
                subject->ids[SUBJECT_pid] = process->pid;
        if (!(subject->known_ids & uid) && process->has_uid) {
                subject->ids[SUBJECT_uid] = process->uid;
                subject->known_ids |= uid;
        }
        subject->known_ids |= pid;
        if (!text_known(subject->comm))
                subject->comm = process->comm;
        if (!text_known(subject->exe))
                subject->exe = process->exe;
}

static TaskDescription task_of(const Denial *denial) {
        TaskDescription task = { .comm = denial->subject.comm, .exe = denial->subject.exe };

        task.has_pid = denial_subject_id(denial, SUBJECT_pid, &task.pid);
        task.has_uid = denial_subject_id(denial, SUBJECT_uid, &task.uid);
        denial_subject_id(denial, SUBJECT_tid, &task.tid);
        return task;
}

/* The thread is known, and so is where it is: unless the word of a nested domain that it went into was lost. */
static int see_thread(Changes *changes, Domain *domain, Thread *thread, Denial *denial) {
        Process *process = thread->process;

        process_table_touch(&changes->table->processes, process, changes->time_usec);
        describe_subject(process, denial);
        if (domain_is_inside(process->domain, domain) || !denial_shows_membership(denial))
                return 0;
        if (thread->attribution != ATTRIBUTION_INFERRED && !domain_is_inside(domain, process->domain))
                return 0;
        return put_thread(changes, domain, &(TaskDescription) { .tid = thread->tid }, ATTRIBUTION_KERNEL);
}

int domain_table_see_subject(Changes *changes, Domain *domain, Denial *denial) {
        ProcessTable *processes = &changes->table->processes;
        const TaskDescription task = task_of(denial);
        Thread *thread = task.tid != 0 ? process_table_thread(processes, task.tid) : NULL;
        Process *process;
        int r;

        if (thread)
                return see_thread(changes, domain, thread, denial);
        if (!task.has_pid || !denial_shows_membership(denial))
                return 0;
        if (task.tid != 0)
                return put_thread(changes, domain, &task, ATTRIBUTION_KERNEL);

        process = process_table_inside(processes, domain, task.pid);
        if (process) {
                process_table_touch(processes, process, changes->time_usec);
                r = process_describe(process, &task);
                if (process->attribution == ATTRIBUTION_INFERRED) {
                        process->attribution = ATTRIBUTION_KERNEL;
                        process_changed(changes, CHANGE_PROCESS_UPDATED, process);
                }
                return r < 0 ? r : 0;
        }
        /* Where events tell of its processes, this one is still to come, or has gone again. */
        if (domain_table_knows_members(changes->table, domain))
                return 0;
        r = see_process(changes, domain, task.pid, &task, ATTRIBUTION_KERNEL, &process);
        return r < 0 ? r : 0;
}
