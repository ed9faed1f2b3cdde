/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What /proc says of a thread that lives, that ends while it is read, or that is another one. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/proc-task.h"

#define STAT(start) "42 (a) (b) S 1 42 42 0 -1 4194304 1 0 0 0 1 0 0 0 20 0 1 0 " start " 2 3\n"

static char path[] = "/tmp/landlockd-test-XXXXXX";
static int directory = -EBADF;

static int set_up(void **state _unused_) {
        if (!mkdtemp(path))
                return -1;
        directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return directory < 0 ? -1 : 0;
}

static int tear_down(void **state _unused_) {
        unlinkat(directory, "stat", 0);
        unlinkat(directory, "status", 0);
        close(directory);
        return rmdir(path);
}

static void write_text(const char *name, const char *text) {
        FILE *file = fdopen(openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), "w");

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static void test_living(void **state _unused_) {
        TaskDescription described;
        ProcTask task;

        write_text("stat", STAT("100"));
        write_text("status", "Name:\tsh\nTgid:\t41\nUid:\t1000\t1000\t1000\t1000\n");
        assert_int_equal(proc_task_read_at(directory, 42, UINT64_MAX, &task), 0);
        assert_false(task.dead);
        described = proc_task_describe(&task);
        assert_true(described.has_pid);
        assert_int_equal(described.pid, 41);
        assert_true(described.has_uid);
        assert_int_equal(described.uid, 1000);
        assert_text(described.comm, "a) (b");
        assert_false(text_known(described.exe));
}

/* The kernel says 0 of one that was reaped meanwhile, which is no process. */
static void test_reaped(void **state _unused_) {
        ProcTask task;

        write_text("stat", STAT("100"));
        write_text("status", "Name:\tsh\nTgid:\t0\nUid:\t1000\t1000\t1000\t1000\n");
        assert_int_equal(proc_task_read_at(directory, 42, UINT64_MAX, &task), 0);
        assert_false(proc_task_describe(&task).has_pid);
}

static void test_another_one(void **state _unused_) {
        ProcTask task;

        /* Ticks of a hundredth of a second, as on all machines of today. */
        write_text("stat", STAT("100"));
        assert_int_equal(proc_task_read_at(directory, 42, 990000, &task), -ESRCH);
        assert_int_equal(proc_task_read_at(directory, 42, 1000000, &task), 0);
}

static void test_nonsense(void **state _unused_) {
        static const char *const texts[] = { "", "42", "42 (a", "42 (a) S", "42 (a) S 1 2 3\n" };
        ProcTask task;

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                write_text("stat", texts[i]);
                assert_true(proc_task_read_at(directory, 42, UINT64_MAX, &task) < 0);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_living),
                cmocka_unit_test(test_reaped),
                cmocka_unit_test(test_another_one),
                cmocka_unit_test(test_nonsense),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
