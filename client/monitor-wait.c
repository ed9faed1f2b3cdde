/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/monitor-wait.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macros.h"

static volatile sig_atomic_t interrupted;
static sigset_t mask_while_waiting;

static void on_signal(_unused_ int signal_number) {
        interrupted = 1;
}

void monitor_wait_begin(void) {
        const struct sigaction action = { .sa_handler = on_signal };
        sigset_t set;

        interrupted = 0;
        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, &mask_while_waiting);
        sigdelset(&mask_while_waiting, SIGINT);
        sigdelset(&mask_while_waiting, SIGTERM);
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
}

static struct timespec time_left(uint64_t until_usec) {
        uint64_t now = clock_monotonic_usec(), left = until_usec > now ? until_usec - now : 0;

        return (struct timespec) { .tv_sec = left / USEC_PER_SEC, .tv_nsec = left % USEC_PER_SEC * 1000 };
}

int monitor_wait(int fd, short events, uint64_t until_usec) {
        const struct timespec timeout = time_left(until_usec);
        struct pollfd fds[] = {
                { .fd = fd, .events = events },
                /* Also noticed while there is nothing to print. */
                { .fd = STDOUT_FILENO },
        };

        if (ppoll(fds, ARRAY_SIZE(fds), until_usec == UINT64_MAX ? NULL : &timeout, &mask_while_waiting) < 0 &&
            errno != EINTR)
                return -errno;
        return !interrupted && !(fds[1].revents & (POLLERR | POLLHUP));
}

int monitor_flush(void) {
        errno = 0;
        if (fflush(stdout) != 0 || ferror(stdout))
                return -(errno ?: EIO);
        return 0;
}
