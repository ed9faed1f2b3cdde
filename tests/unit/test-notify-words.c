/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <stdlib.h>

#include "client/notify-words.h"
#include "model/blocker.h"

static void check(const char *blockers, const char *object, const char *expected) {
        _cleanup_free_ char *words = notify_words(blockers, object);

        assert_string_equal(words, expected);
}

static void test_sentences(_unused_ void **state) {
        check("fs.write_file", "/etc/passwd", "writing /etc/passwd");
        check("fs.write_file,fs.truncate", "/etc/passwd", "writing and truncating /etc/passwd");
        check("fs.read_dir", NULL, "listing a directory");
        check("fs.remove_dir", "/tmp", "removing a directory from /tmp");
        check("fs.make_reg", "/tmp", "creating a file in /tmp");
        check("net.connect_tcp", "127.0.0.1:443", "connecting by TCP to 127.0.0.1:443");
        check("scope.signal", "init[1]", "sending a signal to init[1]");
        check("ptrace", NULL, "debugging a process outside");
}

static void test_unknown(_unused_ void **state) {
        check("", "/etc", "using /etc");
        check("", NULL, "using something");
        check("fs.0x20000", "/etc", "using fs.0x20000 on /etc");
        check("perm.capability_use", NULL, "using perm.capability_use on something");
        check("fs.write_file,fs.0x20000", "/etc", "writing and using fs.0x20000 on /etc");
}

static void test_bounded(_unused_ void **state) {
        check("fs.make_reg,fs.make_dir,fs.make_sock,fs.make_fifo", "/tmp",
              "creating a file in and creating a directory in and creating a socket in /tmp");
}

/* Each blocker that this version knows has words of its own, with and without an object. */
static void test_all(_unused_ void **state) {
        for (Blocker b = 0; b < BLOCKER_MAX; b++) {
                _cleanup_free_ char *words = notify_words(blocker_name(b).data, NULL);

                assert_null(strstr(words, "null"));
                assert_null(strstr(words, "something"));
                assert_null(strstr(words, blocker_name(b).data));
                for (Blocker other = 0; other < b; other++) {
                        _cleanup_free_ char *before = notify_words(blocker_name(other).data, NULL);

                        assert_string_not_equal(words, before);
                }
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sentences),
                cmocka_unit_test(test_unknown),
                cmocka_unit_test(test_bounded),
                cmocka_unit_test(test_all),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
