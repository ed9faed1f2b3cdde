/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process in a domain, its threads, and how that is known. */
#pragma once

#include <sys/queue.h>

#include "base/text.h"
#include "model/origin.h"

typedef struct Domain Domain;
typedef struct Process Process;
typedef struct Thread Thread;

/* Landlock restricts threads, not processes. A thread is in one innermost domain, and thereby in all around it. */
struct Thread {
        int64_t tid; /* in the initial PID namespace */
        Process *process;
        Attribution attribution;
        uint64_t seen_boot_usec; /* when an event told that it is there, or a look; 0: unknown */
        LIST_ENTRY(Thread) in_process;
};

typedef LIST_HEAD(ThreadList, Thread) ThreadList;

/* The threads of one process that are in one domain: threads can restrict themselves one by one, so that a process
 * may be in several. Without trace events its threads are not known and neither is its end: `last_seen_usec` is
 * then all that is claimed. */
struct Process {
        Domain *domain; /* innermost, as far as that is known */
        int64_t pid; /* thread group ID in the initial PID namespace */
        int64_t uid;
        bool has_uid;
        Attribution attribution; /* the best of its threads */
        Text comm, exe; /* raw; owned */
        uint64_t first_seen_usec, last_seen_usec;
        ThreadList threads; /* those that are known */
        size_t n_threads;
        size_t n_threads_before; /* that an earlier landlockd knew, if they are still to be found again */
        Process *next_same_pid;
        TAILQ_ENTRY(Process) in_domain, in_table;
};

typedef TAILQ_HEAD(ProcessList, Process) ProcessList;
