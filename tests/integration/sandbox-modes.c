/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Modes for load, and one for people to look at. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "sandbox-dir.h"
#include "sandbox.h"

/* Starts a process that removes the directory when the write end of the pipe is closed, by whatever end of the
 * process that holds it: one that is confined could not. */
static pid_t cleaner_start(const char *dir, int *ret_fd) {
        int fds[2];
        pid_t pid;
        char c;

        if (pipe2(fds, O_CLOEXEC) < 0)
                sandbox_die("pipe: %m");
        pid = fork();
        if (pid < 0)
                sandbox_die("fork: %m");
        if (pid == 0) {
                close(fds[1]);
                signal(SIGINT, SIG_IGN);
                signal(SIGTERM, SIG_IGN);
                while (read(fds[0], &c, 1) < 0 && errno == EINTR)
                        ;
                sandbox_dir_remove(dir);
                _exit(EXIT_SUCCESS);
        }
        close(fds[0]);
        *ret_fd = fds[1];
        return pid;
}

/* In this very process, so that whoever started it knows the domain by it, and can kill it. */
int sandbox_flood(uint64_t count, unsigned threads, bool json) {
        char dir[PATH_MAX];
        Sandbox s = { .dir = dir, .count = count, .threads = threads, .truth = truth_new() };
        pid_t cleaner;
        int fd;

        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        sandbox_dir_make(dir);
        cleaner = cleaner_start(dir, &fd);
        sandbox_dir_enter(dir);
        s.truth->pid = getpid();
        sandbox_refuse(&s, sandbox_restrict(&s, &write_ruleset, 0), "fs.write_file", attempt_write);
        truth_print(s.truth, "flood", json);
        truth_free(s.truth);
        close(fd);
        sandbox_wait(cleaner);
        return EXIT_SUCCESS;
}

static void many_child(const char *dir, int done_fd, int alive_fd) __attribute__((noreturn));

static void many_child(const char *dir, int done_fd, int alive_fd) {
        Sandbox s = { .dir = dir, .count = 1, .threads = 1, .truth = truth_new() };
        char c;

        sandbox_restrict(&s, &write_ruleset, 0);
        sandbox_attempt(&s, attempt_write, NULL, EACCES);
        if (write(done_fd, "", 1) != 1)
                sandbox_die("write: %m");
        close(done_fd);
        while (read(alive_fd, &c, 1) < 0)
                ;
        _exit(EXIT_SUCCESS);
}

/* Waits until every child has been refused, or has failed. */
static bool many_wait(int done_fd, unsigned n) {
        char c;

        while (n > 0 && read(done_fd, &c, 1) == 1)
                n--;
        return n == 0;
}

static void many_print(const char *dir, unsigned n_domains, bool json) {
        Truth *truth = truth_new();

        truth->pid = getpid();
        truth->n_domains = n_domains;
        refusal_set_file(truth_add(truth, 0, "fs.write_file", n_domains), dir, "file");
        truth_print(truth, "many", json);
        truth_free(truth);
}

int sandbox_many(unsigned n_domains, unsigned hold_sec, bool json) {
        int done[2], alive[2];
        char dir[PATH_MAX];
        bool ok;

        sandbox_dir_make(dir);
        sandbox_dir_enter(dir);
        if (pipe2(done, O_CLOEXEC) < 0 || pipe2(alive, O_CLOEXEC) < 0)
                sandbox_die("pipe: %m");
        for (unsigned i = 0; i < n_domains; i++) {
                pid_t pid = fork();

                if (pid == 0) {
                        close(alive[1]);
                        many_child(dir, done[1], alive[0]);
                }
                if (pid < 0) {
                        fprintf(stderr, "sandbox: many: fork: %m\n");
                        break;
                }
        }
        close(done[1]);
        ok = many_wait(done[0], n_domains);
        if (ok) {
                many_print(dir, n_domains, json);
                sleep(hold_sec);
        }
        close(alive[1]);
        while (wait(NULL) > 0 || errno == EINTR)
                ;
        sandbox_dir_remove(dir);
        return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Nothing of what the demo tries would do any harm if it were granted: the file is opened without a change to
 * it and closed again, the connection is to this host, and signal 0 only asks for permission. */
static int demo_open(const void *arg) {
        int fd;

        fd = open(arg, O_WRONLY | O_APPEND | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        close(fd);
        return 0;
}

static int demo_connect(const void *arg) {
        const struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(*(const uint16_t *) arg),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        int fd, r;

        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        r = connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 ? -errno : 0;
        close(fd);
        return r;
}

ATTEMPT(signal, kill(*(const pid_t *) arg, 0))

static bool demo_step(const char *what, Attempt attempt, const void *arg, int error) {
        int r = attempt(arg);

        printf("  %-36s %s\n", what, r == -error ? "refused" : r < 0 ? strerror(-r) : "GRANTED");
        return r == -error;
}

int sandbox_demo(int abi, unsigned hold_sec) {
        static const LandlockRuleset ruleset = {
                .handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE,
                .handled_access_net = LANDLOCK_ACCESS_NET_CONNECT_TCP,
                .scoped = LANDLOCK_SCOPE_SIGNAL,
        };
        Sandbox s = { .truth = truth_new() };
        const uint16_t port = 443;
        Outsider outsider;
        char what[64];
        bool ok;

        if (abi < 7) {
                fprintf(stderr, "sandbox: demo: needs Landlock ABI 7 (Linux 6.15), this kernel has %d\n", abi);
                return EXIT_UNSUPPORTED;
        }
        outsider = outsider_start("bystander", false);
        if (prctl(PR_SET_NAME, "landlock-demo") < 0)
                sandbox_die("comm: %m");
        sandbox_restrict(&s, &ruleset, 0);
        printf("landlock-demo, process %d, has put itself in a Landlock domain and now tries to\n", getpid());
        ok = demo_step("open /etc/passwd for writing", demo_open, "/etc/passwd", EACCES);
        snprintf(what, sizeof(what), "connect to 127.0.0.1, TCP port %u", port);
        ok = demo_step(what, demo_connect, &port, EACCES) && ok;
        snprintf(what, sizeof(what), "signal process %d (bystander)", outsider.pid);
        ok = demo_step(what, attempt_signal, &outsider.pid, EPERM) && ok;
        fflush(stdout);
        sleep(hold_sec);
        return ok && outsider_end(&outsider) ? EXIT_SUCCESS : EXIT_FAILURE;
}
