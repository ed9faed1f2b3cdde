/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How domains come to be, nest, and end. */

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lifecycle.h"

enum { LAYERS_MAX = 16 };

static void run_plain(void) {
        domain_make(&handles_write);
        refuse(3);
        hold_and_exit();
}

static void run_never_denied(void) {
        domain_make(&handles_write);
        hold_and_exit();
}

static void run_nested(void) {
        Ruleset ruleset;

        for (unsigned i = 0; i < LAYERS_MAX; i++) {
                domain_make(i % 2 ? &handles_read : &handles_write);
                refuse(1);
        }
        /* What would be one layer too many never becomes a domain. */
        ruleset = ruleset_new(&handles_read);
        if (landlock_abi_restrict_self(ruleset.fd, 0) >= 0 || errno != E2BIG)
                sandbox_die("a domain too deep was made");
        ruleset_close(&ruleset);
        hold_and_exit();
}

/* Each domain is made by another process, and all of them live. */
static void run_nested_processes(void) {
        for (unsigned i = 0; i < LAYERS_MAX; i++) {
                domain_make(&handles_write);
                refuse(1);
                if (i + 1 < LAYERS_MAX && task_fork(0) > 0)
                        break;
        }
        hold_and_exit();
}

/* Two domains side by side in one. */
static void run_siblings(void) {
        domain_make(&handles_read);
        task_run(run_plain);
        task_run(run_never_denied);
        hold_and_exit();
}

/* Not with no_new_privs, but by the privilege that makes that unnecessary. */
static void run_privileged(void) {
        Ruleset ruleset = ruleset_new(&handles_write);

        domain_enter(&ruleset, 0);
        ruleset_close(&ruleset);
        refuse(1);
        hold_and_exit();
}

/* The creator is gone, its domain is its child's. */
static void confine_and_fork(void) {
        domain_make(&handles_write);
        if (task_fork(0) > 0)
                _exit(EXIT_SUCCESS);
        refuse(1);
        hold_and_exit();
}

static void run_outlives_creator(void) {
        for (unsigned i = 0; i < 50; i++)
                reap(task_run(confine_and_fork));
        hold_and_exit();
}

/* The innermost domain keeps those around it, in which nobody is left. */
static void confine_twice_and_fork(void) {
        domain_make(&handles_write);
        confine_and_fork();
}

static void run_outlives_parent(void) {
        reap(task_run(confine_twice_and_fork));
        hold_and_exit();
}

/* All who were in the domain are gone. Who is outside of it has a file that one of them opened. */
static void run_outlives_all(void) {
        pid_t pid;

        pid = task_fork(CLONE_FILES);
        if (pid == 0) {
                domain_set_by_file(domain_make(&handles_write));
                refuse(1);
                if (open("file", O_RDONLY | O_CLOEXEC) < 0)
                        sandbox_die("file: %m");
                _exit(EXIT_SUCCESS);
        }
        reap(pid);
        hold_and_exit();
}

/* --- threads ------------------------------------------------------------------------------------------------------- */

static pthread_barrier_t ready;

static void thread_waits(void) {
        hold();
}

/* Its threads and processes are in its domain. */
static void thread_confined(void) {
        domain_make(&handles_write);
        refuse(2);
        thread_run(thread_waits);
        task_run(hold_and_exit);
        pthread_barrier_wait(&ready);
        hold();
}

static void thread_confined_twice(void) {
        domain_make(&handles_write);
        domain_make(&handles_read);
        refuse(1);
        pthread_barrier_wait(&ready);
        hold();
}

/* Two threads confine themselves, the others of the process stay outside. */
static void run_thread_one(void) {
        pthread_barrier_init(&ready, NULL, 3);
        thread_run(thread_confined);
        thread_run(thread_confined_twice);
        thread_run(thread_waits);
        pthread_barrier_wait(&ready);
        if (open("file", O_WRONLY | O_CLOEXEC) < 0)
                sandbox_die("a thread outside of the domain was refused");
        hold_and_exit();
}

static void confine_all(void) {
        Ruleset ruleset = ruleset_new(&handles_write);

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                sandbox_die("no_new_privs: %m");
        domain_enter(&ruleset, LANDLOCK_RESTRICT_SELF_TSYNC);
        ruleset_close(&ruleset);
}

static void run_threads_sync(void) {
        for (unsigned i = 0; i < 5; i++)
                thread_run(thread_waits);
        confine_all();
        refuse(1);
        thread_run(thread_waits);
        hold_and_exit();
}

static void thread_confines_all(void) {
        confine_all();
        refuse(1);
        pthread_barrier_wait(&ready);
        hold();
}

/* By a thread that is not the leader. */
static void run_threads_sync_other(void) {
        pthread_barrier_init(&ready, NULL, 2);
        thread_run(thread_waits);
        thread_run(thread_confines_all);
        pthread_barrier_wait(&ready);
        refuse(1);
        hold_and_exit();
}

static void thread_goes_ahead(void) {
        domain_make(&handles_read);
        pthread_barrier_wait(&ready);
        hold();
}

/* Threads that are in domains of their own are taken out of them. */
static void run_threads_sync_over(void) {
        pthread_barrier_init(&ready, NULL, 3);
        thread_run(thread_goes_ahead);
        thread_run(thread_goes_ahead);
        pthread_barrier_wait(&ready);
        confine_all();
        refuse(1);
        hold_and_exit();
}

static void thread_ends(void) {
        domain_make(&handles_write);
        refuse(1);
        pthread_barrier_wait(&ready);
}

/* The domain ends before the process of the thread that was in it. */
static void run_thread_ends(void) {
        pthread_barrier_init(&ready, NULL, 2);
        thread_run(thread_ends);
        pthread_barrier_wait(&ready);
        threads_wait_for_end();
        hold_and_exit();
}

const Lifecycle domain_lifecycles[] = {
        { .name = "plain", .abi = 1, .run = run_plain },
        { .name = "never-denied", .abi = 1, .run = run_never_denied },
        { .name = "nested", .abi = 1, .run = run_nested },
        { .name = "nested-processes", .abi = 1, .run = run_nested_processes },
        { .name = "siblings", .abi = 1, .run = run_siblings },
        { .name = "privileged", .abi = 1, .run = run_privileged },
        { .name = "outlives-creator", .abi = 1, .run = run_outlives_creator },
        { .name = "outlives-parent", .abi = 1, .run = run_outlives_parent },
        { .name = "outlives-all", .abi = 1, .run = run_outlives_all },
        { .name = "thread-one", .abi = 1, .run = run_thread_one },
        { .name = "thread-ends", .abi = 1, .run = run_thread_ends },
        { .name = "threads-sync", .abi = 8, .run = run_threads_sync },
        { .name = "threads-sync-other", .abi = 8, .run = run_threads_sync_other },
        { .name = "threads-sync-over", .abi = 8, .run = run_threads_sync_over },
        {},
};
