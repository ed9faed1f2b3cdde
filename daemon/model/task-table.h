/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which processes were seen in which domains. At the cap the one not seen for longest is evicted. */
#pragma once

#include "base/id-map.h"
#include "model/domain.h"

typedef struct TaskTable {
        IdMap by_pid;   /* pid → first of its tasks */
        TaskList tasks; /* most recently seen first */
        size_t n_tasks, n_max;
        uint64_t n_evicted;
} TaskTable;

void task_table_init(TaskTable *table, size_t n_max);
void task_table_done(TaskTable *table);

/* Records that `pid` was in `domain` at `time_usec`; what is known of it replaces what was. -ENOMEM. */
int task_table_see(TaskTable *table, Domain *domain, int64_t pid, const DenialSubject *subject, uint64_t time_usec);

/* Forgets every process of the domain: a domain that the kernel freed has none. */
void task_table_forget_domain(TaskTable *table, Domain *domain);
