/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/pidfd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>

#include "base/macros.h"
#include "base/text.h"

static int parse_fdinfo(Text fdinfo, int64_t *ret_pid) {
        Text line, number;

        while (text_split(&fdinfo, '\n', &line)) {
                if (!text_take_prefix(&line, TEXT_LITERAL("Pid:\t")) || !text_split(&line, '\t', &number))
                        continue;
                return text_parse_i64(number, ret_pid);
        }
        return -EBADF;
}

bool pidfd_is_alive(int fd) {
        struct pollfd pollfd = { .fd = fd, .events = POLLIN };

        return poll(&pollfd, 1, 0) == 0;
}

int pidfd_read_pid(int fd, int64_t *ret_pid) {
        _cleanup_close_ int fdinfo = -EBADF;
        char path[64], buffer[1024];
        int64_t pid;
        ssize_t n;
        int r;

        snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
        fdinfo = open(path, O_RDONLY | O_CLOEXEC);
        if (fdinfo < 0)
                return -EBADF;
        n = read(fdinfo, buffer, sizeof(buffer));
        if (n < 0)
                return -errno;
        r = parse_fdinfo((Text) { buffer, n }, &pid);
        if (r < 0)
                return r;
        /* 0: not in this namespace; -1: reaped. Else it may have exited, but not have been reaped. */
        if (pid <= 0 || !pidfd_is_alive(fd))
                return -ESRCH;
        *ret_pid = pid;
        return 0;
}
