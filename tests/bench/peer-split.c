/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The floor of the replay benchmark: reads the log and finds its lines, and nothing else. No program that
 * does anything with them can be faster. */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t count_lines(const char *data, size_t len) {
        uint64_t n = 0;

        for (const char *p = data; (p = memchr(p, '\n', len - (size_t) (p - data))); p++)
                n++;
        return n;
}

int main(int argc, char *argv[]) {
        static char buffer[1 << 16];
        uint64_t n_lines = 0;
        ssize_t n;
        int fd;

        if (argc != 2) {
                fprintf(stderr, "Usage: peer-split FILE\n");
                return 2;
        }
        fd = open(argv[1], O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
                fprintf(stderr, "peer-split: %s: %m\n", argv[1]);
                return EXIT_FAILURE;
        }
        while ((n = read(fd, buffer, sizeof(buffer))) > 0 || (n < 0 && errno == EINTR))
                if (n > 0)
                        n_lines += count_lines(buffer, (size_t) n);
        if (n < 0) {
                fprintf(stderr, "peer-split: %s: %m\n", argv[1]);
                return EXIT_FAILURE;
        }
        close(fd);
        printf("%ju\n", (uintmax_t) n_lines);
        return EXIT_SUCCESS;
}
