/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>

#include "base/config.h"

static char directory[] = "/tmp/landlockd-test-config-XXXXXX";
static char path[64];

static int set_up(void **state _unused_) {
        strcpy(directory + sizeof(directory) - 7, "XXXXXX");
        if (!mkdtemp(directory))
                return -1;
        snprintf(path, sizeof(path), "%s/c", directory);
        return 0;
}

static int tear_down(void **state _unused_) {
        char command[128];

        snprintf(command, sizeof(command), "rm -r %s", directory);
        return system(command);
}

static void write_file(const char *name, const char *content) {
        _cleanup_fclose_ FILE *file = fopen(name, "w");

        assert_non_null(file);
        assert_true(fputs(content, file) >= 0);
}

static void test_good(void **state _unused_) {
        char drop_in[128], error[256] = "";
        Config config;

        write_file(path, "# comment\n[Landlockd]\nAudit=no\nMaxDomains = 10\nAuditReceiveBuffer=1M ; inline\nLogLevel=debug\n");
        snprintf(drop_in, sizeof(drop_in), "%s.d", path);
        assert_int_equal(mkdir(drop_in, 0700), 0);
        strcat(drop_in, "/50-more.conf");
        write_file(drop_in, "[Landlockd]\nMaxDomains=2K\n");

        config_set_defaults(&config);
        assert_int_equal(config_load(&config, path, error, sizeof(error)), 0);
        assert_int_equal(config.audit, AUDIT_NO);
        assert_int_equal(config.max_domains, 2048);
        assert_int_equal(config.audit_receive_buffer, 1 << 20);
        assert_int_equal(config.log_priority, LOG_DEBUG);
        assert_int_equal(config.max_denials, 8192);
        assert_true(config.trace);
        assert_true(config.bpf);
        assert_string_equal(config.trace_instance, "landlockd");
        assert_int_equal(config.trace_buffer_size, 4 << 20);
}

static void test_trace(void **state _unused_) {
        char name[CONFIG_TRACE_INSTANCE_MAX + 1], content[256], error[256] = "";
        Config config;

        memset(name, 'x', sizeof(name) - 1);
        memcpy(name, "Az-_09", 6);
        name[sizeof(name) - 1] = '\0';
        snprintf(content, sizeof(content),
                 "[Landlockd]\nTrace=no\nBpf=no\nUnprivilegedAccess=NO\nTraceInstance=%s\nTraceBufferSize=64K\n"
                 "MaxThreads=1\nMaxRulesets=2\nMaxRules=3\n", name);
        write_file(path, content);
        config_set_defaults(&config);
        assert_int_equal(config_load(&config, path, error, sizeof(error)), 0);
        assert_false(config.trace);
        assert_false(config.unprivileged_access);
        assert_false(config.bpf);
        assert_string_equal(config.trace_instance, name);
        assert_int_equal(config.trace_buffer_size, 64 << 10);
        assert_int_equal(config.max_threads, 1);
        assert_int_equal(config.max_rulesets, 2);
        assert_int_equal(config.max_rules, 3);
}

static void refuses(const char *content, const char *sentence) {
        char error[256] = "";
        Config config;

        config_set_defaults(&config);
        write_file(path, content);
        assert_int_equal(config_load(&config, path, error, sizeof(error)), -EINVAL);
        if (!strstr(error, sentence))
                fail_msg("\"%s\" does not say \"%s\"", error, sentence);
}

static void test_bad(void **state _unused_) {
        refuses("[Landlockd]\n\nMaxDomain=3\n", "/c:3: unknown setting MaxDomain");
        refuses("[Landlock]\nAudit=no\n", "/c:2: unknown section [Landlock]");
        refuses("Audit=no\n", "/c:1: unknown section []");
        refuses("[Landlockd]\nAudit=maybe\n", "/c:2: Audit=maybe: it may be auto, yes or no");
        refuses("[Landlockd]\nMaxDomains=many\n", "/c:2: MaxDomains=many is not a size");
        refuses("[Landlockd]\nMaxDomains=-1\n", "is not a size");
        refuses("[Landlockd]\nMaxDomains=0\n", "MaxDomains=0 is out of range");
        refuses("[Landlockd]\nMaxDomains=99999999999999999999\n", "is not a size");
        refuses("[Landlockd]\nAuditReceiveBuffer=20000000000G\n", "is not a size");
        refuses("[Landlockd]\nLogLevel=loud\n", "LogLevel=loud");
        refuses("[Landlockd]\nTrace=yes\n", "Trace=yes: it may be auto or no");
        refuses("[Landlockd]\nBpf=yes\n", "Bpf=yes: it may be auto or no");
        refuses("[Landlockd]\nUnprivilegedAccess=yes\n", "UnprivilegedAccess=yes: it may be own or no");
        refuses("[Landlockd]\nTraceInstance=\n", "TraceInstance=: it may be 1 to 64");
        refuses("[Landlockd]\nTraceInstance=../events\n", "TraceInstance=../events: it may be");
        refuses("[Landlockd]\nTraceInstance=a b\n", "TraceInstance=a b: it may be");
        refuses("[Landlockd]\nTraceInstance=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n", "it may be 1 to 64");
        refuses("[Landlockd]\nTraceBufferSize=63K\n", "TraceBufferSize=63K is out of range");
        refuses("[Landlockd]\nMaxThreads=0\n", "MaxThreads=0 is out of range");
        refuses("[Landlockd]\nnonsense\n", "/c:2: this is neither");
        refuses("[Landlockd]\nAudit=no\nX=1\nY=2\n", "/c:3: unknown setting X");
}

static void test_missing_file(void **state _unused_) {
        char error[256] = "";
        Config config;

        config_set_defaults(&config);
        assert_int_equal(config_load(&config, "/nonexistent/landlockd.conf", error, sizeof(error)), -ENOENT);
        assert_non_null(strstr(error, "/nonexistent/landlockd.conf"));
}

static void note_key(void *userdata, const char *key) {
        char *keys = userdata;

        strcat(strcat(keys, key), " ");
}

static void test_compare(void **state _unused_) {
        Config a, b;
        char keys[256] = "";

        config_set_defaults(&a);
        config_set_defaults(&b);
        config_compare(&a, &b, note_key, keys);
        assert_string_equal(keys, "");

        b.audit = AUDIT_NO;
        b.trace = b.bpf = false;
        b.unprivileged_access = false;
        b.trace_instance[0] = 'x';
        b.max_rules++;
        b.json_history_size++;
        b.log_priority--;
        config_compare(&a, &b, note_key, keys);
        assert_string_equal(keys, "MaxRules JsonHistorySize Audit Trace Bpf UnprivilegedAccess TraceInstance LogLevel ");
}

int main(void) {
#define test(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
        const struct CMUnitTest tests[] = { test(test_good), test(test_trace), test(test_bad), test(test_missing_file),
                                             test(test_compare) };

        return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
