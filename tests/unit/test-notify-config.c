/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "base/log.h"
#include "client/memory.h"
#include "client/notify-config.h"

static char *directory;

static int setup(_unused_ void **state) {
        directory = check_memory(strdup("/tmp/test-notify-config.XXXXXX"));
        assert_non_null(mkdtemp(directory));
        return 0;
}

static int teardown(_unused_ void **state) {
        _cleanup_free_ char *command = format_text("rm -r %s", directory);

        assert_int_equal(system(command), 0);
        free(directory);
        return 0;
}

static char *path_of(const char *name) {
        return format_text("%s/%s", directory, name);
}

static void write_file(const char *path, const char *content) {
        _cleanup_fclose_ FILE *file = fopen(path, "we");

        assert_non_null(file);
        assert_int_equal(fputs(content, file) >= 0, true);
}

static void check_file(const char *path, const char *expected) {
        char content[4096] = {};
        _cleanup_fclose_ FILE *file = fopen(path, "re");

        assert_non_null(file);
        assert_true(fread(content, 1, sizeof(content) - 1, file) < sizeof(content) - 1);
        assert_string_equal(content, expected);
}

/* Texts are not written to. */
static NotifyDenial make_denial(const char *exe, const char *blockers, const char *object) {
        return (NotifyDenial) { .exe = (char *) exe, .blockers = (char *) blockers, .object = (char *) object };
}

static bool ignores(const NotifyConfig *config, const char *exe, const char *blockers, const char *object) {
        NotifyDenial denial = make_denial(exe, blockers, object);

        return notify_rules_match(&config->ignore, &denial);
}

static NotifyConfig load(const char *content) {
        _cleanup_free_ char *path = path_of("notify.conf");
        NotifyConfig config;

        if (content)
                write_file(path, content);
        assert_int_equal(notify_config_init(&config, path), 0);
        return config;
}

static void test_absent(_unused_ void **state) {
        _cleanup_(notify_config_clear) NotifyConfig config = load(NULL);

        assert_int_equal(config.max_per_minute, NOTIFY_PER_MINUTE_DEFAULT);
        assert_int_equal(config.ignore.n, 0);
        assert_false(ignores(&config, "", "", ""));
}

static void test_settings(_unused_ void **state) {
        _cleanup_(notify_config_clear) NotifyConfig config = load("# mine\n\n[Notify]\n MaxPerMinute = 3 \r\n"
                                                                  "[Ignore]\nExe=/usr/bin/*\nObject=/tmp/*\n"
                                                                  "; others\n[Ignore]\nBlocker=net.*,scope.signal\n"
                                                                  "[Ignore]\nObject=/a ;b # c = d");

        assert_int_equal(config.max_per_minute, 3);
        assert_int_equal(config.ignore.n, 3);
        assert_true(ignores(&config, "/usr/bin/sh", "fs.write_file", "/tmp/x"));
        assert_false(ignores(&config, "/usr/bin/sh", "fs.write_file", "/etc/x"));
        assert_false(ignores(&config, "/bin/sh", "fs.write_file", "/tmp/x"));
        assert_true(ignores(&config, "", "net.bind_tcp", "*:80"));
        assert_true(ignores(&config, "", "net.bind_tcp,scope.signal", ""));
        assert_false(ignores(&config, "", "net.bind_tcp,fs.write_file", ""));
        assert_true(ignores(&config, "", "", "/a ;b # c = d"));
}

/* A rule without the line that is wrong would be a wider one. */
static void test_mistakes(_unused_ void **state) {
        _cleanup_(notify_config_clear) NotifyConfig config = load("Exe=/nowhere\n[Notify]\nMaxPerMinute=0\nMaxPerMinute=61\n"
                                                                  "MaxPerMinute=x\nExe=/x\n[Typo]\nExe=/x\n[Ignore]\n"
                                                                  "[Ignore]\nExe=/x\nPth=/y\n[Ignore]\nExe=/x\nnonsense\n"
                                                                  "[Ignore]\nExe=/x\nExe=/y\n[Ignore]\nExe=/right\n");

        assert_int_equal(config.max_per_minute, NOTIFY_PER_MINUTE_DEFAULT);
        assert_int_equal(config.ignore.n, 1);
        assert_true(ignores(&config, "/right", "", ""));
        assert_false(ignores(&config, "/x", "", ""));
}

static void test_refresh(_unused_ void **state) {
        _cleanup_(notify_config_clear) NotifyConfig config = load("[Notify]\nMaxPerMinute=3\n");

        notify_config_refresh(&config);
        assert_int_equal(config.max_per_minute, 3);
        write_file(config.path, "[Notify]\nMaxPerMinute=12\n");
        notify_config_refresh(&config);
        assert_int_equal(config.max_per_minute, 12);

        assert_int_equal(unlink(config.path), 0);
        notify_config_refresh(&config);
        assert_int_equal(config.max_per_minute, NOTIFY_PER_MINUTE_DEFAULT);

        /* What cannot be read changes nothing. */
        write_file(config.path, "[Ignore]\nExe=/x\n");
        notify_config_refresh(&config);
        assert_int_equal(unlink(config.path), 0);
        assert_int_equal(mkdir(config.path, 0700), 0);
        notify_config_refresh(&config);
        assert_int_equal(config.ignore.n, 1);
}

static int add(NotifyConfig *config, const char *exe, const char *blockers, const char *object) {
        NotifyDenial denial = make_denial(exe, blockers, object);
        NotifyRule rule;
        int r;

        notify_rule_init(&rule, &denial);
        r = notify_config_add(config, &rule, 1);
        notify_rule_clear(&rule);
        return r;
}

static size_t count_files(const char *path) {
        DIR *dir = opendir(path);
        size_t n = 0;

        assert_non_null(dir);
        for (struct dirent *entry; (entry = readdir(dir));)
                n += entry->d_name[0] != '.';
        closedir(dir);
        return n;
}

static void test_add_makes_the_file(_unused_ void **state) {
        _cleanup_free_ char *path = path_of("config/landlockd/notify.conf"), *parent = path_of("config/landlockd");
        _cleanup_(notify_config_clear) NotifyConfig config = {};
        struct stat st;

        assert_int_equal(notify_config_init(&config, path), 0);
        assert_int_equal(add(&config, "/usr/bin/sh", "fs.write_file,fs.truncate", "/etc/passwd"), 0);
        check_file(path, "[Ignore]\nExe=/usr/bin/sh\nBlocker=fs.write_file,fs.truncate\nObject=/etc/passwd\n");
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        assert_int_equal(count_files(parent), 1);
        assert_true(ignores(&config, "/usr/bin/sh", "fs.truncate", "/etc/passwd"));
        assert_false(ignores(&config, "/usr/bin/sh", "fs.truncate", "/etc/passwd2"));
}

/* What a person wrote stays as it is, also without a line end, and so do the file's mode and its being a link. */
static void test_add_keeps_the_rest(_unused_ void **state) {
        static const char mine[] = "# mine\n[Notify]\nMaxPerMinute=3\n[Typo]\n[Ignore]\nExe=/x";
        _cleanup_free_ char *real = path_of("real"), *path = path_of("link");
        _cleanup_(notify_config_clear) NotifyConfig config = {};
        struct stat st;

        write_file(real, mine);
        assert_int_equal(chmod(real, 0640), 0);
        assert_int_equal(symlink("real", path), 0);
        assert_int_equal(notify_config_init(&config, path), 0);
        assert_int_equal(add(&config, "", "ptrace", ""), 0);

        check_file(real, "# mine\n[Notify]\nMaxPerMinute=3\n[Typo]\n[Ignore]\nExe=/x\n\n"
                         "[Ignore]\nExe=\nBlocker=ptrace\n");
        assert_int_equal(lstat(path, &st), 0);
        assert_true(S_ISLNK(st.st_mode));
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0640);
        assert_int_equal(config.max_per_minute, 3);
        assert_true(ignores(&config, "", "ptrace", ""));
        assert_false(ignores(&config, "/usr/bin/gdb", "ptrace", ""));
}

/* Names that would be something else in the file. */
static void test_add_hostile_names(_unused_ void **state) {
        static const char *const names[] = {
                "*", " ", "[Ignore]", "a\\x0a[Ignore]\\x0aExe=*", "x=y", " #;", "\\x00abstract", "café", "a*b?",
        };
        _cleanup_(notify_config_clear) NotifyConfig config = load(NULL);

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                assert_int_equal(add(&config, names[i], "fs.write_file", names[i]), 0);
                assert_int_equal(config.ignore.n, i + 1);
                assert_true(ignores(&config, names[i], "fs.write_file", names[i]));
        }
        assert_false(ignores(&config, "other", "fs.write_file", "other"));
        assert_false(ignores(&config, "axb?", "fs.write_file", "axb?"));
}

static void test_add_failures(_unused_ void **state) {
        _cleanup_free_ char *file = path_of("file"), *path = path_of("file/notify.conf");
        _cleanup_(notify_config_clear) NotifyConfig config = {}, full = load("[Notify]\n");

        write_file(file, "");
        assert_int_equal(notify_config_init(&config, path), 0);
        assert_int_equal(add(&config, "/x", "ptrace", ""), -ENOTDIR);

        for (size_t i = 0; i < NOTIFY_RULES_MAX; i++) {
                NotifyRule rule = { .exe = check_memory(strdup("/x")) };

                assert_true(notify_rules_add(&full.ignore, &rule));
        }
        assert_int_equal(add(&full, "/y", "ptrace", ""), -EFBIG);
        check_file(full.path, "[Notify]\n");
}

static void test_default_path(_unused_ void **state) {
        _cleanup_(notify_config_clear) NotifyConfig a = {}, b = {}, c = {};

        setenv("XDG_CONFIG_HOME", "/nowhere/config", true);
        setenv("HOME", "/nowhere/home", true);
        assert_int_equal(notify_config_init(&a, NULL), 0);
        assert_string_equal(a.path, "/nowhere/config/landlockd/notify.conf");
        setenv("XDG_CONFIG_HOME", "relative", true);
        assert_int_equal(notify_config_init(&b, NULL), 0);
        assert_string_equal(b.path, "/nowhere/home/.config/landlockd/notify.conf");
        unsetenv("XDG_CONFIG_HOME");
        unsetenv("HOME");
        assert_int_equal(notify_config_init(&c, NULL), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_absent, setup, teardown),
                cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
                cmocka_unit_test_setup_teardown(test_mistakes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_refresh, setup, teardown),
                cmocka_unit_test_setup_teardown(test_add_makes_the_file, setup, teardown),
                cmocka_unit_test_setup_teardown(test_add_keeps_the_rest, setup, teardown),
                cmocka_unit_test_setup_teardown(test_add_hostile_names, setup, teardown),
                cmocka_unit_test_setup_teardown(test_add_failures, setup, teardown),
                cmocka_unit_test(test_default_path),
        };

        log_set_max_priority(LOG_EMERG);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
