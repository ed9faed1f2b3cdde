/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/task-table.h"

#include <assert.h>
#include <errno.h>

void task_table_init(TaskTable *table, size_t n_max) {
        assert(n_max > 0);
        *table = (TaskTable) { .n_max = n_max };
        TAILQ_INIT(&table->tasks);
}

/* Takes the task out of the chain of those with its pid. */
static void unchain(TaskTable *table, Task *task) {
        Task *first = id_map_remove(&table->by_pid, task->pid);

        if (first == task) {
                first = task->next_same_pid;
        } else {
                Task *t = first;

                while (t->next_same_pid != task)
                        t = t->next_same_pid;
                t->next_same_pid = task->next_same_pid;
        }

        /* Cannot fail: the slot of the removed key is free. */
        if (first)
                id_map_put(&table->by_pid, task->pid, first);
}

static void forget(TaskTable *table, Task *task) {
        unchain(table, task);
        TAILQ_REMOVE(&task->domain->tasks, task, in_domain);
        task->domain->n_tasks--;
        TAILQ_REMOVE(&table->tasks, task, in_table);
        table->n_tasks--;
        free((char *) task->comm.data);
        free((char *) task->exe.data);
        free(task);
}

void task_table_done(TaskTable *table) {
        while (!TAILQ_EMPTY(&table->tasks))
                forget(table, TAILQ_FIRST(&table->tasks));
        id_map_done(&table->by_pid);
}

static int add(TaskTable *table, Domain *domain, int64_t pid, uint64_t time_usec, Task **ret) {
        Task *first, *task;

        if (table->n_tasks == table->n_max) {
                forget(table, TAILQ_LAST(&table->tasks, TaskList));
                table->n_evicted++;
        }

        task = calloc(1, sizeof(Task));
        if (!task)
                return -ENOMEM;
        *task = (Task) {
                .domain = domain,
                .pid = pid,
                .attribution = ATTRIBUTION_KERNEL,
                .first_seen_usec = time_usec,
        };

        first = id_map_get(&table->by_pid, pid);
        if (first) {
                task->next_same_pid = first->next_same_pid;
                first->next_same_pid = task;
        } else if (id_map_put(&table->by_pid, pid, task) < 0) {
                free(task);
                return -ENOMEM;
        }

        TAILQ_INSERT_HEAD(&domain->tasks, task, in_domain);
        domain->n_tasks++;
        TAILQ_INSERT_HEAD(&table->tasks, task, in_table);
        table->n_tasks++;
        *ret = task;
        return 0;
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

int task_table_see(TaskTable *table, Domain *domain, int64_t pid, const DenialSubject *subject, uint64_t time_usec) {
        Task *task = id_map_get(&table->by_pid, pid);
        int r;

        while (task && task->domain != domain)
                task = task->next_same_pid;

        if (!task) {
                r = add(table, domain, pid, time_usec, &task);
                if (r < 0)
                        return r;
        } else if (task != TAILQ_FIRST(&table->tasks)) {
                TAILQ_REMOVE(&domain->tasks, task, in_domain);
                TAILQ_INSERT_HEAD(&domain->tasks, task, in_domain);
                TAILQ_REMOVE(&table->tasks, task, in_table);
                TAILQ_INSERT_HEAD(&table->tasks, task, in_table);
        }

        task->last_seen_usec = MAX(task->last_seen_usec, time_usec);
        if (subject->known_ids & (UINT32_C(1) << SUBJECT_uid)) {
                task->uid = subject->ids[SUBJECT_uid];
                task->has_uid = true;
        }
        r = replace_text(&task->comm, subject->comm);
        return r < 0 ? r : replace_text(&task->exe, subject->exe);
}

void task_table_forget_domain(TaskTable *table, Domain *domain) {
        while (!TAILQ_EMPTY(&domain->tasks))
                forget(table, TAILQ_FIRST(&domain->tasks));
}
