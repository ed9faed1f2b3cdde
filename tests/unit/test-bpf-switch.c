/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Somebody switches off what runs BPF programs on functions, in a file that stands for the kernel's. */
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "source/bpf-switch.h"

static struct {
        char path[32];
        int file;
        struct event_base *base;
        BpfSwitch *sw;
        char told[16]; /* what was: 0 and 1 */
} f;

static void on_switched(void *userdata _unused_, bool on) {
        strcat(f.told, on ? "1" : "0");
}

static void write_switch(const char *value) {
        int fd = open(f.path, O_WRONLY | O_CLOEXEC);

        assert_int_equal(pwrite(fd, value, 1, 0), 1);
        close(fd);
}

static void assert_told(const char *told) {
        assert_true(event_base_loop(f.base, EVLOOP_NONBLOCK) >= 0);
        assert_string_equal(f.told, told);
        f.told[0] = '\0';
}

static void start(const char *value) {
        strcpy(f.path, "/tmp/test-bpf-switch-XXXXXX");
        f.file = mkstemp(f.path);
        assert_true(f.file >= 0);
        write_switch(value);
        f.base = event_base_new();
        assert_int_equal(bpf_switch_new(&f.sw, f.base, f.file, on_switched, NULL), 0);
        assert_told("");
}

static int stop(void **state _unused_) {
        bpf_switch_free(f.sw);
        event_base_free(f.base);
        close(f.file);
        unlink(f.path);
        return 0;
}

static void test_switched(void **state _unused_) {
        start("1");
        assert_true(bpf_switch_is_on(f.sw));
        write_switch("0");
        assert_told("0");
        assert_false(bpf_switch_is_on(f.sw));
        write_switch("0");
        assert_told("");
        write_switch("1");
        assert_told("1");
        write_switch("1");
        assert_told("");
}

static void test_off_at_first(void **state _unused_) {
        start("0");
        assert_false(bpf_switch_is_on(f.sw));
        write_switch("1");
        assert_told("1");
}

/* Both before anybody looks. */
static void test_off_for_a_moment(void **state _unused_) {
        start("1");
        write_switch("0");
        write_switch("1");
        assert_told("01");
        assert_true(bpf_switch_is_on(f.sw));
}

/* Whoever wrote holds on to the file, and is not waited for. */
static void test_not_closed(void **state _unused_) {
        start("1");
        assert_int_equal(pwrite(f.file, "0", 1, 0), 1);
        assert_told("0");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(test_switched, stop),
                cmocka_unit_test_teardown(test_off_at_first, stop),
                cmocka_unit_test_teardown(test_off_for_a_moment, stop),
                cmocka_unit_test_teardown(test_not_closed, stop),
        };

        return cmocka_run_group_tests_name("bpf-switch", tests, NULL, NULL);
}
