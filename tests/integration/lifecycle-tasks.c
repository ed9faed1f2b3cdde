/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How processes and threads come into a domain, change under way, and leave; a few, or very many. */

#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lifecycle.h"

extern char **environ;

static void fork_and_hold(void) {
        task_run(hold_and_exit);
        hold_and_exit();
}

/* Double fork: its parent is gone, and so is its session. */
static void fork_daemon(void) {
        if (task_fork(0) > 0)
                _exit(EXIT_SUCCESS);
        if (setsid() < 0)
                sandbox_die("setsid: %m");
        hold_and_exit();
}

static void run_forks(void) {
        task_run(hold_and_exit); /* before: outside */
        domain_make(&handles_write);
        task_run(hold_and_exit);
        task_run(fork_and_hold);
        reap(task_run(fork_daemon));
        task_fork(CLONE_PARENT);
        refuse(1);
        hold_and_exit();
}

static void run_pid_namespace(void) {
        domain_make(&handles_write);
        if (task_fork(CLONE_NEWPID) > 0)
                refuse(1);
        hold_and_exit();
}

/* argv of what vfork() and posix_spawn() start. */
static char *const sh_held[] = { (char[]) { "sh" }, (char[]) { "-c" }, (char[]) { SH_HELD }, NULL };

static void run_vfork(void) {
        pid_t pid;

        domain_make(&handles_write);
        pid = vfork();
        if (pid < 0)
                sandbox_die("vfork: %m");
        if (pid == 0) {
                if (fcntl(UNSETTLED_FD, F_SETFD, 0) == 0)
                        execv("/bin/sh", sh_held);
                _exit(EXIT_FAILURE);
        }
        task_made(pid);
        refuse(1);
        hold_and_exit();
}

static void run_spawn(void) {
        posix_spawn_file_actions_t actions;
        pid_t pid;

        domain_make(&handles_write);
        /* To itself: it is inherited. */
        if (posix_spawn_file_actions_init(&actions) != 0 ||
            posix_spawn_file_actions_adddup2(&actions, UNSETTLED_FD, UNSETTLED_FD) != 0 ||
            posix_spawn(&pid, "/bin/sh", &actions, NULL, sh_held, environ) != 0)
                sandbox_die("posix_spawn failed");
        posix_spawn_file_actions_destroy(&actions);
        task_made(pid);
        refuse(1);
        hold_and_exit();
}

static void run_exec(void) {
        domain_make(&handles_write);
        refuse(1);
        exec_refused();
}

/* None of its denials is logged. */
static void run_exec_unlogged(void) {
        domain_make(&handles_write);
        exec_refused();
}

static void run_exec_chain(void) {
        exec_chain(3);
}

static void run_identity(void) {
        domain_make(&handles_write);
        refuse(1);
        if (prctl(PR_SET_NAME, "\" \x1b[m\n\xff") < 0 || setresgid(65534, 65534, 65534) < 0 ||
            setresuid(65534, 65534, 65534) < 0)
                sandbox_die("identity: %m");
        /* What is known of it is asked at the next execve(2) only. */
        exec_held();
}

/* --- threads that execute or outlive their leader -------------------------------------------------------------------- */

static void thread_waits(void) {
        hold();
}

static void thread_confined_executes(void) {
        domain_make(&handles_write);
        refuse(1);
        exec_held();
}

/* The leader, and who else there was, ends; the domain of the thread becomes the process's. */
static void run_thread_execs(void) {
        thread_run(thread_waits);
        thread_run(thread_confined_executes);
        hold();
}

static void thread_nested_executes(void) {
        domain_make(&handles_write);
        exec_chain(1);
}

/* Here they were in a domain of their own. */
static void run_thread_execs_nested(void) {
        domain_make(&handles_write);
        refuse(1);
        thread_run(thread_waits);
        thread_run(thread_nested_executes);
        hold();
}

/* How /proc shows the state of the leader. */
static char leader_state(void) {
        char line[256] = {}, *name_end;
        FILE *stat;

        stat = fopen("/proc/self/stat", "re");
        if (!stat || !fgets(line, sizeof(line), stat))
                sandbox_die("/proc/self/stat: %m");
        fclose(stat);
        name_end = strrchr(line, ')');
        return name_end ? name_end[2] : 0;
}

static void thread_outlives_leader(void) {
        while (leader_state() != 'Z')
                usleep(1000);
        refuse(1);
        thread_run(thread_waits);
        hold_and_exit();
}

static void run_leader_exits(void) {
        domain_make(&handles_write);
        thread_run(thread_outlives_leader);
        pthread_exit(NULL);
}

const Lifecycle task_lifecycles[] = {
        { .name = "forks", .abi = 1, .run = run_forks },
        { .name = "pid-namespace", .abi = 1, .run = run_pid_namespace },
        { .name = "vfork", .abi = 1, .run = run_vfork },
        { .name = "spawn", .abi = 1, .run = run_spawn },
        { .name = "exec", .abi = 1, .run = run_exec },
        { .name = "exec-unlogged", .abi = 1, .run = run_exec_unlogged },
        { .name = "exec-chain", .abi = 1, .run = run_exec_chain },
        { .name = "identity", .abi = 1, .run = run_identity },
        { .name = "thread-execs", .abi = 1, .run = run_thread_execs },
        { .name = "thread-execs-nested", .abi = 1, .run = run_thread_execs_nested },
        { .name = "leader-exits", .abi = 1, .run = run_leader_exits },
        {},
};

/* --- very many -------------------------------------------------------------------------------------------------------- */

static void do_nothing(void) {
}

static void fork_child(void) {
        reap(task_run(do_nothing));
}

static void confine_child(void) {
        domain_make(&handles_write);
}

static void confine_and_refuse(void) {
        domain_make(&handles_write);
        refuse(1);
}

static void confine_and_hold(void) {
        confine_and_refuse();
        hold_and_exit();
}

static void run_short_lived(void) {
        for (unsigned i = 0; i < 200; i++)
                reap(task_run(i % 2 ? confine_child : confine_and_refuse));
        hold_and_exit();
}

/* Most children end at once, some have children of their own, and a few of these outlive them. */
static void run_fork_storm(void) {
        enum { AT_ONCE = 25 };
        pid_t pids[AT_ONCE];

        domain_make(&handles_write);
        for (unsigned i = 0; i < arg_children; i += AT_ONCE) {
                unsigned n = arg_children - i < AT_ONCE ? arg_children - i : AT_ONCE;

                for (unsigned j = 0; j < n; j++)
                        pids[j] = task_run(j == 0 ? fork_child : j == 1 && i % 100 == 0 ? fork_daemon : do_nothing);
                for (unsigned j = 0; j < n; j++)
                        reap(pids[j]);
        }
        refuse(1);
        hold_and_exit();
}

static void run_many_domains(void) {
        for (unsigned i = 0; i < arg_domains; i++)
                task_run(confine_and_hold);
        hold_and_exit();
}

const Lifecycle mass_lifecycles[] = {
        { .name = "short-lived", .abi = 1, .run = run_short_lived },
        { .name = "fork-storm", .abi = 1, .run = run_fork_storm },
        { .name = "many-domains", .abi = 1, .run = run_many_domains },
        {},
};
