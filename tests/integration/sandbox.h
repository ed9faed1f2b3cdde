/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program that sandboxes itself and is really refused, and says exactly what the kernel refused it: the
 * ground truth that landlockd's output is held against. It shares no code with the daemon, or an error in
 * that code would be in both and cancel out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "landlock-abi.h"
#include "sandbox-die.h"
#include "sandbox-truth.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum {
        THREADS_MAX = 1000,
        EXIT_USAGE = 2,
        EXIT_UNSUPPORTED = 77, /* automake's code for a skipped test */
};

typedef struct Kind Kind;

/* What one kind runs in: a process of its own whose working directory is a directory of its own. */
typedef struct Sandbox {
        const Kind *kind;
        const char *program; /* absolute path of this program */
        const char *dir;     /* absolute path of the working directory */
        uint64_t count;      /* times that each thread makes each access */
        unsigned threads;
        Truth *truth; /* shared with the process that prints it */
} Sandbox;

/* One way of being refused. */
struct Kind {
        const char *name;
        int abi;                           /* Landlock ABI that brought it */
        const char *(*unsupported)(void);  /* why this system cannot do it; NULL or returning NULL: it can */
        void (*run)(Sandbox *s);
        const void *data; /* for run() */
};

/* Tables of kinds end with one without a name. */
extern const Kind fs_kinds[], topology_kinds[], net_kinds[], unix_kinds[], task_kinds[], layer_kinds[],
        log_kinds[], hostile_kinds[];

/* Puts the calling thread in a new domain, with no rules or with those of a ruleset of which it takes the
 * file descriptor. Returns the domain's number in the truth, from 1. */
unsigned sandbox_restrict(Sandbox *s, const LandlockRuleset *ruleset, unsigned flags);
unsigned sandbox_enter(Sandbox *s, int ruleset_fd, unsigned flags);

/* Returns 0 or more when the access was granted, a negative errno when it was refused. */
typedef int (*Attempt)(const void *arg);

/* Defines attempt_NAME() as one system call, which may use `arg`. */
#define ATTEMPT(name, call)                           \
        static int attempt_##name(const void *arg) {  \
                (void) arg;                           \
                return (call) < 0 ? -errno : 0;       \
        }

/* Makes the attempt count times in each thread, all threads at once. Ends the process unless every single
 * one was refused with `error`. Returns how many were made. */
uint64_t sandbox_attempt(const Sandbox *s, Attempt attempt, const void *arg, int error);

/* A process outside of every domain that is made later. It lives until the caller and all that the caller
 * forked have gone, or until outsider_end(). */
typedef struct Outsider {
        pid_t pid;
        int alive_fd; /* closed: it ends */
} Outsider;

/* comm: its name, at most 15 bytes. new_group: puts it in a process group of its own. */
Outsider outsider_start(const char *comm, bool new_group);

/* Ends it and says whether it ended so, rather than by a signal that should have been refused. */
bool outsider_end(Outsider *outsider);

/* Waits for a child. Ends the process unless the child exited 0. */
void sandbox_wait(pid_t pid);

/* Starts this program from `path` to make `count` write attempts on "file", confined by a domain of its own
 * or not, and waits until all of them have been refused. Returns its process ID. */
pid_t sandbox_exec_attempt(const char *path, uint64_t count, bool confined);

/* The other side of it: argv of the program started so. */
int sandbox_exec_main(int argc, char *argv[]);

/* What kinds use whose point is not the access itself: opening "file" for writing or for reading. */
extern const LandlockRuleset write_ruleset, read_ruleset;
int attempt_write(const void *arg);
int attempt_read(const void *arg);
int attempt_read_write(const void *arg);

/* Makes the attempt, which is about "file", and adds its refusal to the truth. Returns it, borrowed. */
Refusal *sandbox_refuse(Sandbox *s, unsigned domain, const char *blockers, Attempt attempt);

/* Modes beside the kinds. They return an exit code. */
int sandbox_demo(int abi, unsigned hold_sec);
int sandbox_flood(uint64_t count, unsigned threads, bool json);
int sandbox_many(unsigned n_domains, unsigned hold_sec, bool json);
