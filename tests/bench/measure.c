/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a command and writes what it took, as JSON: what time(1) would tell, if the peak memory of a program did not
 * include that of the process which started it. A benchmark in Python would find ten megabytes in everything it
 * measures; this program is too small to matter. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}

static double seconds(struct timeval tv) {
        return (double) tv.tv_sec + (double) tv.tv_usec / 1e6;
}

int main(int argc, char *argv[]) {
        struct rusage usage;
        double start;
        int fd, status;
        pid_t pid;

        if (argc < 3) {
                fprintf(stderr, "Usage: measure RESULT COMMAND [ARGUMENT…]\n");
                return 2;
        }
        fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0) {
                fprintf(stderr, "measure: %s: %m\n", argv[1]);
                return EXIT_FAILURE;
        }
        start = now();
        pid = fork();
        if (pid == 0) {
                execvp(argv[2], argv + 2);
                fprintf(stderr, "measure: %s: %m\n", argv[2]);
                _exit(127);
        }
        if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) {
                fprintf(stderr, "measure: %m\n");
                return EXIT_FAILURE;
        }
        dprintf(fd, "{\"wall\":%.6f,\"cpu\":%.6f,\"peak_kib\":%ld}\n", now() - start,
                seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss);
        close(fd);
        return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}
