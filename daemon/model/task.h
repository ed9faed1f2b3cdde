/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process in a domain, and how that is known. */
#pragma once

#include <sys/queue.h>

#include "base/text.h"
#include "model/origin.h"

typedef struct Domain Domain;
typedef struct Task Task;

/* One process seen in one domain. A process in nested domains has one Task for each that denied it something;
 * audit alone does not tell when a process ends, so `last_seen_usec` is all that is claimed. */
struct Task {
        Domain *domain;
        int64_t pid; /* process in the initial PID namespace */
        int64_t uid;
        bool has_uid;
        Attribution attribution;
        Text comm, exe; /* raw; owned */
        uint64_t first_seen_usec, last_seen_usec;
        Task *next_same_pid;
        TAILQ_ENTRY(Task) in_domain, in_table;
};

typedef TAILQ_HEAD(TaskList, Task) TaskList;
