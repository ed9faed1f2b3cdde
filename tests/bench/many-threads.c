/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many processes, each in a domain of its own with as many threads, until standard input ends: many-threads DOMAINS THREADS.
 * Says "ready" when all are there. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ACCESS_FS_WRITE_FILE (UINT64_C(1) << 1)
#define STACK_SIZE (32 * 1024)

static void *live(void *userdata) {
        for (;;)
                pause();
        return userdata;
}

_Noreturn static void live_in_domain(unsigned n_threads, int ready, int end) {
        const uint64_t handled = ACCESS_FS_WRITE_FILE;
        int ruleset = syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
        pthread_attr_t attributes;
        pthread_t thread;
        char byte = 0;

        if (ruleset < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
                _exit(EXIT_FAILURE);
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, STACK_SIZE);
        for (unsigned i = 1; i < n_threads; i++)
                if (pthread_create(&thread, &attributes, live, NULL) != 0)
                        _exit(EXIT_FAILURE);
        if (write(ready, &byte, 1) != 1)
                _exit(EXIT_FAILURE);
        close(ready);
        _exit(read(end, &byte, 1) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

int main(int argc, char *argv[]) {
        unsigned n_domains = argc == 3 ? (unsigned) atoi(argv[1]) : 0;
        int ready[2], end[2];
        char byte;

        if (n_domains == 0 || pipe(ready) < 0 || pipe(end) < 0) {
                fputs("Usage: many-threads DOMAINS THREADS\n", stderr);
                return 2;
        }
        for (unsigned i = 0; i < n_domains; i++) {
                pid_t pid = fork();

                if (pid < 0) {
                        perror("many-threads: cannot fork");
                        return EXIT_FAILURE;
                }
                if (pid == 0) {
                        close(ready[0]);
                        close(end[1]);
                        live_in_domain((unsigned) atoi(argv[2]), ready[1], end[0]);
                }
        }
        close(ready[1]);
        for (unsigned i = 0; i < n_domains; i++)
                if (read(ready[0], &byte, 1) != 1) {
                        fputs("many-threads: a process is missing\n", stderr);
                        return EXIT_FAILURE;
                }
        puts("ready");
        fflush(stdout);
        return read(STDIN_FILENO, &byte, 1) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
