/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program that makes Landlock domains, and processes and threads in them, in every life-cycle that they can have,
 * and tells exactly what it made: the ground truth that landlockd's tables are held against. Like the sandbox
 * program, which is about denials, it shares no code with the daemon.
 *
 * A life-cycle is run in a process of its own outside of every domain, whose working directory has the files of
 * sandbox-dir.h. Whoever is to live on calls hold(). Then the truth is printed a first time; all are let go; when
 * all have ended it is printed a second time. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "lifecycle-truth.h"
#include "sandbox-die.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

typedef struct Lifecycle {
        const char *name;
        int abi; /* Landlock ABI that it takes */
        void (*run)(void);
} Lifecycle;

/* Tables end with one without a name. */
extern const Lifecycle domain_lifecycles[], ruleset_lifecycles[], task_lifecycles[], mass_lifecycles[];

extern unsigned arg_domains, arg_children;

/* File descriptors of every process. Standard input is what hold() waits on. */
enum {
        TRUTH_FD = 8,
        UNSETTLED_FD = 9, /* open in all that still make something; one digit, for sh */
};

/* Maps TRUTH_FD, into which all that follows is told. */
void steps_init(void);

typedef struct Ruleset {
        int fd;
        unsigned index; /* in the truth */
        LandlockRuleset attr;
} Ruleset;

Ruleset ruleset_new(const LandlockRuleset *attr);
void ruleset_allow_path(const Ruleset *ruleset, const char *path, uint64_t access);
void ruleset_allow_port(const Ruleset *ruleset, uint64_t port, uint64_t access);
void ruleset_close(Ruleset *ruleset);

/* Handle opening a file for writing, or for reading, and nothing else. */
extern const LandlockRuleset handles_write, handles_read;

/* Restricts the calling thread; with LANDLOCK_RESTRICT_SELF_TSYNC, all threads of the process. Returns the index of
 * the domain in the truth. */
unsigned domain_enter(const Ruleset *ruleset, unsigned flags);

/* The same with a ruleset of its own that is then closed. */
unsigned domain_make(const LandlockRuleset *attr);

/* Waits until so many domains have been made. */
void domains_wait(unsigned n);

/* The domain lives on in an open file. */
void domain_set_by_file(unsigned domain);

/* Has the calling thread refused so many times, to open "file" for writing. Its domain must handle that. */
void refuse(unsigned times);

/* Like fork(2), with flags of clone3(2) that leave the caller's memory alone. In a PID namespace of its own the child
 * cannot tell who it is, and must tell nothing else. */
pid_t task_fork(uint64_t flags);

/* As above; the parent returns at once, the child runs fn and ends. */
pid_t task_run(void (*fn)(void));

/* The calling thread made a process that does not tell itself. */
void task_made(pid_t pid);

/* Returns when there is a thread that runs fn and ends with it. */
void thread_run(void (*fn)(void));

/* Waits until the calling thread is the only one of its process. */
void threads_wait_for_end(void);

/* Waits for a child. Ends the process unless the child exited 0. */
void reap(pid_t pid);

/* The calling process makes nothing more: all its threads have been made what they shall be. */
void settle(void);

/* Waits, settled or not, until all are let go. */
void hold(void);
void hold_and_exit(void) __attribute__((noreturn));

/* What sh does to hold, the second after having been refused once to write to "file". */
#define SH_HELD "exec 9>&-; read -r line; exit 0"
#define SH_REFUSED "true 2>&- >file && exit 1; " SH_HELD

/* Executes sh that holds so. */
void exec_held(void) __attribute__((noreturn));
void exec_refused(void) __attribute__((noreturn));

/* Executes this program, which makes n domains, each after the execve(2) that it begins with, and then holds. */
void exec_chain(unsigned n) __attribute__((noreturn));

/* The other side of it: argv of the program started so. */
void chain_main(char *argv[]) __attribute__((noreturn));
