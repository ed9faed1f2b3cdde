/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps that kinds are made of. Each checks what the kernel answered and ends the process over anything
 * unexpected: a truth that was only assumed would be worth nothing. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "sandbox.h"

unsigned sandbox_enter(Sandbox *s, int ruleset_fd, unsigned flags) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                sandbox_die("no_new_privs: %m");
        if (landlock_abi_restrict_self(ruleset_fd, flags) < 0)
                sandbox_die("landlock_restrict_self: %m");
        close(ruleset_fd);
        return truth_add_domain(s->truth, getpid());
}

unsigned sandbox_restrict(Sandbox *s, const LandlockRuleset *ruleset, unsigned flags) {
        int fd;

        fd = landlock_abi_create_ruleset(ruleset);
        if (fd < 0)
                sandbox_die("landlock_create_ruleset: %m");
        return sandbox_enter(s, fd, flags);
}

typedef struct AttemptLoop {
        Attempt attempt;
        const void *arg;
        uint64_t count;
        int error;
        pthread_barrier_t barrier;
} AttemptLoop;

static void *attempt_loop(void *userdata) {
        AttemptLoop *loop = userdata;

        pthread_barrier_wait(&loop->barrier);
        for (uint64_t i = 0; i < loop->count; i++) {
                int r = loop->attempt(loop->arg);

                if (r >= 0)
                        sandbox_die("what had to be refused was granted");
                if (r != -loop->error)
                        sandbox_die("refused with %s instead of %s", strerrorname_np(-r),
                                    strerrorname_np(loop->error));
        }
        return NULL;
}

uint64_t sandbox_attempt(const Sandbox *s, Attempt attempt, const void *arg, int error) {
        AttemptLoop loop = { .attempt = attempt, .arg = arg, .count = s->count, .error = error };
        pthread_t threads[THREADS_MAX];

        /* The calling thread is one of them, so that one thread means no other. */
        pthread_barrier_init(&loop.barrier, NULL, s->threads);
        for (unsigned i = 1; i < s->threads; i++)
                if (pthread_create(&threads[i], NULL, attempt_loop, &loop) != 0)
                        sandbox_die("no thread");
        attempt_loop(&loop);
        for (unsigned i = 1; i < s->threads; i++)
                pthread_join(threads[i], NULL);
        pthread_barrier_destroy(&loop.barrier);
        return s->count * s->threads;
}

static void outsider_main(int alive_fd, int ready_fd, const char *comm, bool new_group) __attribute__((noreturn));

static void outsider_main(int alive_fd, int ready_fd, const char *comm, bool new_group) {
        char c;

        if (prctl(PR_SET_NAME, comm) < 0 || (new_group && setpgid(0, 0) < 0))
                sandbox_die("outsider: %m");
        if (write(ready_fd, "", 1) != 1)
                sandbox_die("outsider: %m");
        while (read(alive_fd, &c, 1) < 0 && errno == EINTR)
                ;
        _exit(EXIT_SUCCESS);
}

Outsider outsider_start(const char *comm, bool new_group) {
        int alive[2], ready[2];
        char c;
        pid_t pid;

        if (pipe2(alive, O_CLOEXEC) < 0 || pipe2(ready, O_CLOEXEC) < 0)
                sandbox_die("pipe: %m");
        pid = fork();
        if (pid < 0)
                sandbox_die("fork: %m");
        if (pid == 0) {
                close(alive[1]);
                outsider_main(alive[0], ready[1], comm, new_group);
        }
        close(alive[0]);
        close(ready[1]);
        if (read(ready[0], &c, 1) != 1)
                sandbox_die("the outsider did not start");
        close(ready[0]);
        return (Outsider) { .pid = pid, .alive_fd = alive[1] };
}

bool outsider_end(Outsider *outsider) {
        int status;

        close(outsider->alive_fd);
        if (waitpid(outsider->pid, &status, 0) < 0)
                sandbox_die("waitpid: %m");
        return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

void sandbox_wait(pid_t pid) {
        int status;

        if (waitpid(pid, &status, 0) < 0)
                sandbox_die("waitpid: %m");
        if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS)
                _exit(EXIT_FAILURE); /* it has said why */
}

const LandlockRuleset write_ruleset = { .handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE };
const LandlockRuleset read_ruleset = { .handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE };

static int attempt_open(int flags) {
        return open("file", flags | O_CLOEXEC) < 0 ? -errno : 0;
}

int attempt_write(const void *arg) {
        (void) arg;
        return attempt_open(O_WRONLY);
}

int attempt_read(const void *arg) {
        (void) arg;
        return attempt_open(O_RDONLY);
}

int attempt_read_write(const void *arg) {
        (void) arg;
        return attempt_open(O_RDWR);
}

Refusal *sandbox_refuse(Sandbox *s, unsigned domain, const char *blockers, Attempt attempt) {
        Refusal *refusal;
        uint64_t n;

        n = sandbox_attempt(s, attempt, NULL, EACCES);
        refusal = truth_add(s->truth, domain, blockers, n);
        refusal_set_file(refusal, s->dir, "file");
        return refusal;
}

/* Beside what it needs to know it is given arguments that no log, terminal or JSON may take at their word. */
pid_t sandbox_exec_attempt(const char *path, uint64_t count, bool confined) {
        char number[21];
        pid_t pid;

        snprintf(number, sizeof(number), "%ju", (uintmax_t) count);
        pid = fork();
        if (pid < 0)
                sandbox_die("fork: %m");
        if (pid == 0) {
                execl(path, "sandbox", confined ? "confined-attempt" : "attempt", number, "a b", "\"quoted\"\n",
                      "\x1b[31mred", "\xff\xfe", "", NULL);
                sandbox_die("%s: %m", path);
        }
        sandbox_wait(pid);
        return pid;
}

int sandbox_exec_main(int argc, char *argv[]) {
        Sandbox s = { .threads = 1, .count = 1, .truth = truth_new() };

        if (argc < 3)
                sandbox_die("%s: takes a count", argv[1]);
        s.count = strtoull(argv[2], NULL, 10);
        if (strcmp(argv[1], "confined-attempt") == 0)
                sandbox_restrict(&s, &write_ruleset, 0);
        sandbox_attempt(&s, attempt_write, NULL, EACCES);
        return EXIT_SUCCESS;
}
