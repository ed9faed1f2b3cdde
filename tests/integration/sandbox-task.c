/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a process does to other processes: signals by every road, and tracing. In some of these the denied
 * process is not the one that makes the system call, or there is no system call at all. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "sandbox.h"

static const LandlockRuleset signal_ruleset = { .scoped = LANDLOCK_SCOPE_SIGNAL };

/* Signal 0 asks whether a signal would be permitted: granted by mistake, it does nothing. */
ATTEMPT(signal, kill(*(const pid_t *) arg, 0))
ATTEMPT(trace, ptrace(PTRACE_SEIZE, *(const pid_t *) arg, NULL, NULL))

static void run_signal(Sandbox *s) {
        const char *comm = s->kind->data;
        Outsider outsider;
        unsigned domain;
        uint64_t n;

        outsider = outsider_start(comm, false);
        domain = sandbox_restrict(s, &signal_ruleset, 0);
        n = sandbox_attempt(s, attempt_signal, &outsider.pid, EPERM);
        refusal_set_process(truth_add(s->truth, domain, "scope.signal", n), outsider.pid, comm);
}

/* One system call, refused once for each process of the group. */
static void run_signal_group(Sandbox *s) {
        static const char *const comms[] = { "leader", "second", "third" };
        Outsider outsiders[ARRAY_SIZE(comms)];
        unsigned domain;
        pid_t group;
        uint64_t n;

        for (size_t i = 0; i < ARRAY_SIZE(comms); i++) {
                outsiders[i] = outsider_start(comms[i], i == 0);
                if (setpgid(outsiders[i].pid, outsiders[0].pid) < 0)
                        sandbox_die("setpgid: %m");
        }
        group = -outsiders[0].pid;
        domain = sandbox_restrict(s, &signal_ruleset, 0);
        n = sandbox_attempt(s, attempt_signal, &group, EPERM);
        for (size_t i = 0; i < ARRAY_SIZE(comms); i++)
                refusal_set_process(truth_add(s->truth, domain, "scope.signal", n), outsiders[i].pid, comms[i]);
}

static pid_t writer_start(int go_fd, int data_fd) {
        pid_t pid;
        char c;

        pid = fork();
        if (pid < 0)
                sandbox_die("fork: %m");
        if (pid > 0)
                return pid;
        _exit(read(go_fd, &c, 1) == 1 && write(data_fd, "", 1) == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* The confined process asks for SIGIO to be sent to the outsider; it is refused when someone else, who is not
 * confined, writes. The record's SYSCALL is the writer's. */
static void run_signal_io(Sandbox *s) {
        int go[2], data[2];
        Outsider outsider;
        Refusal *refusal;
        unsigned domain;
        pid_t writer;

        if (pipe2(go, O_CLOEXEC) < 0 || pipe2(data, O_CLOEXEC) < 0)
                sandbox_die("pipe: %m");
        outsider = outsider_start("owner", false);
        writer = writer_start(go[0], data[1]);
        domain = sandbox_restrict(s, &signal_ruleset, 0);
        if (fcntl(data[0], F_SETOWN, outsider.pid) < 0 || fcntl(data[0], F_SETFL, O_ASYNC) < 0)
                sandbox_die("fcntl: %m");
        if (write(go[1], "", 1) != 1)
                sandbox_die("write: %m");
        sandbox_wait(writer);
        if (!outsider_end(&outsider))
                sandbox_die("SIGIO was sent");
        refusal = truth_add(s->truth, domain, "scope.signal", 1);
        refusal_set_process(refusal, outsider.pid, "owner");
        refusal->pid = writer;
}

/* A child's request to be killed when its parent dies counts as a signal by the parent, which is refused
 * after the parent's last system call. */
static void run_signal_death(Sandbox *s) {
        int alive[2];
        Refusal *refusal;
        pid_t parent, child;
        int status;
        char c;

        /* The child outlives its parent and is then this process's, which is not confined. */
        if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || pipe2(alive, O_CLOEXEC) < 0)
                sandbox_die("subreaper: %m");
        parent = fork();
        if (parent < 0)
                sandbox_die("fork: %m");
        if (parent == 0) {
                int ready[2];

                close(alive[1]);
                if (pipe2(ready, O_CLOEXEC) < 0)
                        sandbox_die("pipe: %m");
                if (fork() == 0) {
                        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NAME, "survivor") < 0 ||
                            write(ready[1], "", 1) != 1)
                                sandbox_die("survivor: %m");
                        _exit(read(alive[0], &c, 1) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
                }
                if (read(ready[0], &c, 1) != 1)
                        sandbox_die("no survivor");
                sandbox_restrict(s, &signal_ruleset, 0);
                _exit(EXIT_SUCCESS);
        }
        close(alive[0]);
        sandbox_wait(parent);
        close(alive[1]);
        child = wait(&status);
        if (child < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS)
                sandbox_die("the survivor was killed");
        refusal = truth_add(s->truth, 1, "scope.signal", 1);
        refusal_set_process(refusal, child, "survivor");
        refusal->in_syscall = false;
}

static void run_ptrace(Sandbox *s) {
        Outsider outsider;
        unsigned domain;
        uint64_t n;

        outsider = outsider_start("traced", false);
        domain = sandbox_restrict(s, &write_ruleset, 0);
        n = sandbox_attempt(s, attempt_trace, &outsider.pid, EPERM);
        refusal_set_process(truth_add(s->truth, domain, "ptrace", n), outsider.pid, "traced");
}

/* The child asks, the parent's domain refuses: to be traced by a confined parent would let the parent out. */
static void run_ptrace_traceme(Sandbox *s) {
        int go[2];
        Refusal *refusal;
        unsigned domain;
        pid_t child;
        char c;

        if (pipe2(go, O_CLOEXEC) < 0)
                sandbox_die("pipe: %m");
        child = fork();
        if (child < 0)
                sandbox_die("fork: %m");
        if (child == 0) {
                if (prctl(PR_SET_NAME, "tracee") < 0 || read(go[0], &c, 1) != 1)
                        sandbox_die("tracee: %m");
                for (uint64_t i = 0; i < s->count; i++)
                        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 || errno != EPERM)
                                sandbox_die("PTRACE_TRACEME was not refused");
                _exit(EXIT_SUCCESS);
        }
        domain = sandbox_restrict(s, &write_ruleset, 0);
        if (write(go[1], "", 1) != 1)
                sandbox_die("write: %m");
        sandbox_wait(child);
        refusal = truth_add(s->truth, domain, "ptrace", s->count);
        refusal_set_process(refusal, child, "tracee");
        refusal->pid = child;
}

const Kind task_kinds[] = {
        { .name = "scope.signal", .abi = 6, .run = run_signal, .data = "outsider" },
        { .name = "scope.signal-group", .abi = 6, .run = run_signal_group },
        { .name = "scope.signal-sigio", .abi = 6, .run = run_signal_io },
        { .name = "scope.signal-pdeath", .abi = 6, .run = run_signal_death },
        { .name = "ptrace", .abi = 1, .run = run_ptrace },
        { .name = "ptrace-traceme", .abi = 1, .run = run_ptrace_traceme },
        { .name = "hostile-ocomm", .abi = 6, .run = run_signal, .data = "\" pid=1\n\xff\x1b[m" },
        {},
};
