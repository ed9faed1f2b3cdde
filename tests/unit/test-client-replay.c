/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-client-capture.h"

#include <sys/wait.h>

#include "client/event-line.h"

#define BOOT_ID "5f0c1a2e-9b1d-4c57-8d7e-0123456789ab"
#define MACHINE_ID "0123456789abcdef0123456789abcdef"

static char *data_path(const char *name) {
        char *path;

        assert_true(asprintf(&path, "%s/tests/data/%s", getenv("SRCDIR") ?: ".", name) > 0);
        return path;
}

static char *read_data(const char *name) {
        _cleanup_free_ char *path = data_path(name);
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        char *text = calloc(1, 64 * 1024);

        assert_non_null(file);
        assert_true(fread(text, 1, 64 * 1024 - 1, file) > 0);
        return text;
}

/* tests/data/client-replay.txt: made by `TZ=UTC0 landlockctl replay --json=off` and read by eye. */
static void test_for_people(void **state _unused_) {
        _cleanup_free_ char *path = data_path("client-replay.log"), *expected = read_data("client-replay.txt");
        Capture capture;

        assert_int_equal(run(&capture, "replay", "--json=off", path), EXIT_CODE_OK);
        assert_string_equal(capture.text[0], expected);
        assert_non_null(strstr(capture.text[1], "1 lines malformed"));
        capture_done(&capture);
}

/* One event a line, numbered without a gap, of the host that was named. */
static void test_ndjson(void **state _unused_) {
        _cleanup_free_ char *path = data_path("client-replay.log"), *text = read_data("client-replay.txt");
        uint64_t seq = 0, n_expected = 0;
        Capture capture;
        Text rest, line;

        assert_int_equal(run(&capture, "replay", path, "--boot-id=" BOOT_ID, "--machine-id=" MACHINE_ID), EXIT_CODE_OK);
        rest = text_from_string(capture.text[0]);
        while (text_split(&rest, '\n', &line) && text_known(rest)) {
                json_auto_t *event = NULL;

                assert_int_equal(event_line_parse(line, &event), 0);
                assert_int_equal(json_get_number(event, "seq"), ++seq);
                assert_string_equal(json_get_text(event, "boot_id"), BOOT_ID);
                assert_string_equal(json_get_text(event, "machine_id"), MACHINE_ID);
                assert_int_equal(strlen(json_get_text(event, "domain_uuid")), 36);
        }
        for (const char *p = text; (p = strchr(p, '\n')); p++)
                n_expected++;
        assert_int_equal(seq, n_expected);
        capture_done(&capture);
}

/* In the smallest pieces. */
static void write_slowly(int fd, const char *path) {
        int log = open(path, O_RDONLY | O_CLOEXEC);
        char byte;

        while (read(log, &byte, 1) == 1)
                if (write(fd, &byte, 1) != 1)
                        _exit(1);
        _exit(0);
}

static void test_standard_input(void **state _unused_) {
        _cleanup_free_ char *path = data_path("client-replay.log");
        Capture from_file, from_pipe;
        int fds[2], saved, status;
        pid_t writer;

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        writer = fork();
        if (writer == 0)
                write_slowly(fds[1], path);
        close(fds[1]);
        saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
        dup2(fds[0], STDIN_FILENO);
        close(fds[0]);

        assert_int_equal(run(&from_pipe, "replay", "-"), EXIT_CODE_OK);
        assert_int_equal(waitpid(writer, &status, 0), writer);
        assert_int_equal(status, 0);
        dup2(saved, STDIN_FILENO);
        close(saved);

        assert_int_equal(run(&from_file, "replay", path), EXIT_CODE_OK);
        assert_string_equal(from_pipe.text[0], from_file.text[0]);
        assert_true(strlen(from_file.text[0]) > 1000);
        capture_done(&from_file);
        capture_done(&from_pipe);
}

static void test_nothing(void **state _unused_) {
        Capture capture;

        assert_int_equal(run(&capture, "replay", "/dev/null"), EXIT_CODE_OK);
        assert_string_equal(capture.text[0], "");
        assert_string_equal(capture.text[1], "");
        capture_done(&capture);
}

static void test_unreadable(void **state _unused_) {
        Capture capture;

        assert_int_equal(run(&capture, "replay", "/nonexistent"), EXIT_CODE_FAILURE);
        assert_string_equal(capture.text[1], "landlockctl: Cannot read /nonexistent: No such file or directory.\n");
        capture_done(&capture);

        assert_int_equal(run(&capture, "replay", "/"), EXIT_CODE_FAILURE);
        assert_string_equal(capture.text[1], "landlockctl: Cannot read /: Is a directory.\n");
        capture_done(&capture);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_for_people),
                cmocka_unit_test(test_ndjson),
                cmocka_unit_test(test_standard_input),
                cmocka_unit_test(test_nothing),
                cmocka_unit_test(test_unreadable),
        };

        use_locale("C.UTF-8");
        return cmocka_run_group_tests(tests, NULL, NULL);
}
