/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What /proc knows of a thread: which process it belongs to, whose it is and what it runs. Trace events name threads by
 * their number alone. */
#pragma once

#include <limits.h>

#include "model/fact.h"
#include "model/task-identity.h"

/* comm as the kernel writes it for its own threads, the longest there are. */
#define PROC_COMM_SIZE 64

typedef struct ProcProgram {
        char buffer[PATH_MAX];
} ProcProgram;

typedef struct ProcTask {
        int64_t tid, pid, uid;
        uint64_t start_boottime_usec;
        bool has_pid, has_uid;
        bool one_uid; /* it runs with the rights of that uid alone */
        bool dead; /* has exited, and waits to be reaped */
        Text comm, exe; /* in what is below; unknown if /proc does not tell */
        char comm_buffer[PROC_COMM_SIZE];
        ProcProgram program;
} ProcTask;

/* The latest time, by the boot clock, at which a thread can be said to have begun that was there at this one (realtime).
 * 0: that was before the boot. */
uint64_t proc_task_boottime(uint64_t realtime_usec);

/* Reads of a living thread. -ESRCH if there is none, or if it began after the given time: another one had the number
 * then. */
int proc_task_read(int64_t tid, uint64_t not_after_boottime_usec, ProcTask *ret);

/* The same of an open /proc/TID or /proc/PID/task/TID. It holds on to the thread: once that has exited, reading fails,
 * whoever has its number then. */
int proc_task_read_at(int directory, int64_t tid, uint64_t not_after_boottime_usec, ProcTask *ret);

/* The same, of which only its name and whether it is dead are read: the rest takes longer. */
int proc_task_read_name_at(int directory, int64_t tid, uint64_t not_after_boottime_usec, ProcTask *ret);

/* What the process of a living thread runs, and no more: the text is in `program`. Unknown if /proc does not tell. For
 * who has just seen the thread: that it began before is not checked. The kernel gives a number again when all others have
 * had their turn, and the clock of /proc is coarser than the time since. */
Text proc_task_read_program(int64_t tid, ProcProgram *program);

/* A TaskIdentify. */
int proc_task_identify(int64_t tid, TaskIdentity *ret);

/* As far as it is known. The texts are those of `task`. */
TaskDescription proc_task_describe(const ProcTask *task);
