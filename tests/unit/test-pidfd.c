/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a file descriptor that somebody handed over says, if it is a pidfd, and if it is anything else. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/pidfd.h"

static void test_own(void **state _unused_) {
        _cleanup_close_ int fd = pidfd_open(getpid(), 0);
        int64_t pid = 0;

        assert_true(fd >= 0);
        assert_int_equal(pidfd_read_pid(fd, &pid), 0);
        assert_int_equal(pid, getpid());
}

static void test_others(void **state _unused_) {
        _cleanup_close_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC), event = eventfd(0, EFD_CLOEXEC);
        const int fds[] = { null, event, -1, 9999 };
        int64_t pid = 7;

        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                assert_int_equal(pidfd_read_pid(fds[i], &pid), -EBADF);
        assert_int_equal(pid, 7);
}

static void test_ended(void **state _unused_) {
        _cleanup_close_ int fd = -EBADF;
        pid_t child = fork();
        siginfo_t info;
        int64_t pid;

        assert_true(child >= 0);
        if (child == 0)
                _exit(0);
        fd = pidfd_open(child, 0);
        assert_true(fd >= 0);
        /* Not reaped yet, and then reaped. */
        assert_int_equal(waitid(P_PID, child, &info, WEXITED | WNOWAIT), 0);
        assert_int_equal(pidfd_read_pid(fd, &pid), -ESRCH);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(pidfd_read_pid(fd, &pid), -ESRCH);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_own),
                cmocka_unit_test(test_others),
                cmocka_unit_test(test_ended),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
