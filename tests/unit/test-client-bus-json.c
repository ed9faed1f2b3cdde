/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>
#include <sys/socket.h>

#include "client/bus-json.h"

/* A message needs a connection to belong to, which nobody has to answer. */
typedef struct Fixture {
        sd_bus *bus;
        int other_end;
        sd_bus_message *message;
} Fixture;

static int setup(void **state) {
        static Fixture fixture;
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
        assert_true(sd_bus_new(&fixture.bus) >= 0);
        assert_true(sd_bus_set_fd(fixture.bus, fds[0], fds[0]) >= 0);
        assert_true(sd_bus_start(fixture.bus) >= 0);
        assert_true(sd_bus_message_new_signal(fixture.bus, &fixture.message, "/x", "x.y", "z") >= 0);
        fixture.other_end = fds[1];
        *state = &fixture;
        return 0;
}

static int teardown(void **state) {
        Fixture *fixture = *state;

        sd_bus_message_unref(fixture->message);
        sd_bus_close(fixture->bus);
        sd_bus_unref(fixture->bus);
        close(fixture->other_end);
        return 0;
}

static json_t *read_back(sd_bus_message *m) {
        json_t *value = NULL;

        assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
        assert_int_equal(bus_json_read(m, &value), 1);
        return value;
}

static void assert_json(const json_t *value, const char *expected) {
        _cleanup_free_ char *text = json_dumps(value, JSON_COMPACT);

        assert_string_equal(text, expected);
}

static void test_every_type(void **state) {
        sd_bus_message *m = ((Fixture *) *state)->message;

        assert_true(sd_bus_message_append(
                                    m, "a{sv}", 12,
                                    "y", "y", 255, "b", "b", 1, "n", "n", -32768, "q", "q", 65535,
                                    "i", "i", INT32_MIN, "u", "u", UINT32_MAX, "x", "x", INT64_MIN,
                                    "t", "t", (uint64_t) INT64_MAX, "d", "d", 0.5, "s", "s", "text",
                                    "as", "as", 2, "a", "b", "v", "v", "s", "inner") >= 0);
        json_auto_t *value = read_back(m);
        assert_json(value, "{\"y\":255,\"b\":true,\"n\":-32768,\"q\":65535,\"i\":-2147483648,\"u\":4294967295,"
                    "\"x\":-9223372036854775808,\"t\":9223372036854775807,\"d\":0.5,\"s\":\"text\","
                    "\"as\":[\"a\",\"b\"],\"v\":\"inner\"}");
}

static void test_nested(void **state) {
        sd_bus_message *m = ((Fixture *) *state)->message;

        assert_true(sd_bus_message_append(
                                    m, "a{sv}", 4,
                                    "map", "a{sv}", 2, "n", "u", 1, "deep", "a{sv}", 1, "o", "o", "/p",
                                    "counts", "a{st}", 1, "c", UINT64_C(7),
                                    "structs", "a(usst)", 1, 1, "a", "b", UINT64_C(2),
                                    "empty", "aa{sv}", 0) >= 0);
        json_auto_t *value = read_back(m);
        assert_json(value, "{\"map\":{\"n\":1,\"deep\":{\"o\":\"/p\"}},\"counts\":{\"c\":7},"
                    "\"structs\":[[1,\"a\",\"b\",2]],\"empty\":[]}");
}

static void test_large_numbers(void **state) {
        sd_bus_message *m = ((Fixture *) *state)->message;

        assert_true(sd_bus_message_append(m, "a{sv}", 2, "ino", "t", UINT64_MAX,
                                          "args", "at", 2, UINT64_MAX - 99, UINT64_C(0)) >= 0);
        json_auto_t *value = read_back(m);
        assert_json(json_object_get(value, "args"), "[\"ffffffffffffff9c\",\"0\"]");
        assert_true(json_real_value(json_object_get(value, "ino")) > 1.8e19);
}

/* D-Bus carries control characters; nothing after this reader does. */
static void test_text_is_checked(void **state) {
        sd_bus_message *m = ((Fixture *) *state)->message;

        assert_true(sd_bus_message_append(m, "a{sv}", 2, "k\x1b", "s", "\x1b[2J\xc2\x9b", "l", "as", 1, "\xe2\x80\xae") >= 0);
        json_auto_t *value = read_back(m);
        assert_json(value, "{\"k\\\\x1b\":\"\\\\x1b[2J\\\\xc2\\\\x9b\",\"l\":[\"\\\\xe2\\\\x80\\\\xae\"]}");
}

static void test_not_a_dictionary(void **state) {
        sd_bus_message *m = ((Fixture *) *state)->message;
        json_t *value = NULL;

        assert_true(sd_bus_message_append(m, "s", "text") >= 0);
        assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
        assert_int_equal(bus_json_read(m, &value), -EBADMSG);
        assert_null(value);
}

static void test_domain(void **state) {
        sd_bus_message *m = ((Fixture *) *state)->message;

        assert_true(sd_bus_message_append(
                                    m, "a{sv}", 12, "ID", "t", UINT64_C(0x1466dc891), "HexID", "s", "1466dc891",
                                    "State", "s", "deallocated", "CreatorPID", "u", 7, "CreatorComm", "s", "sh",
                                    "FirstSeen", "t", UINT64_C(1795308514891000), "Freed", "t", UINT64_C(1795308515000000),
                                    "DenialsSeen", "t", UINT64_C(1), "DenialsKernel", "t", UINT64_C(3),
                                    "Blockers", "a{st}", 1, "fs.write_file", UINT64_C(1),
                                    "Processes", "a(usst)", 2, 7, "sh", "kernel", UINT64_C(1795308514891000),
                                    8, "", "inherited", UINT64_C(1795308514891000),
                                    "Origins", "as", 1, "audit") >= 0);
        json_auto_t *properties = read_back(m);
        json_auto_t *domain = bus_json_domain(properties);
        assert_json(domain,
                    "{\"domain\":\"1466dc891\",\"state\":\"deallocated\",\"creator\":{\"pid\":7,\"comm\":\"sh\"},"
                    "\"first_seen\":\"2026-11-22T00:48:34.891000Z\",\"freed\":\"2026-11-22T00:48:35.000000Z\","
                    "\"denials\":{\"seen\":1,\"kernel\":3},\"blockers\":{\"fs.write_file\":1},"
                    "\"processes\":[{\"pid\":7,\"comm\":\"sh\",\"known\":\"kernel\",\"last_seen\":\"2026-11-22T00:48:34.891000Z\"},"
                    "{\"pid\":8,\"known\":\"inherited\",\"last_seen\":\"2026-11-22T00:48:34.891000Z\"}],\"origin\":[\"audit\"]}");
}

/* What trace events add. */
static void test_nested_domain(void **state) {
        sd_bus_message *m = ((Fixture *) *state)->message;

        assert_true(sd_bus_message_append(
                                    m, "a{sv}", 17, "HexID", "s", "5", "Parent", "t", UINT64_C(0x1466dc891),
                                    "ParentPath", "o", "/x/_1466dc891", "Children", "ao", 2, "/x/_6", "/",
                                    "CreatorTID", "u", 8, "Ruleset", "s", "4", "RulesetVersion", "t", UINT64_C(3),
                                    "HandledAccessFS", "as", 1, "fs.execute", "HandledAccessNet", "as", 0,
                                    "Scoped", "as", 1, "scope.signal", "RulesCount", "t", UINT64_C(1),
                                    "RulesUnknown", "t", UINT64_C(2), "ProcessWide", "b", 0, "NoNewPrivs", "b", 1,
                                    "Created", "t", UINT64_C(1795308514891000), "ThreadsCount", "t", UINT64_C(7),
                                    "Rules", "aa{sv}", 1, 4, "version", "t", UINT64_C(1), "kind", "s", "net_port",
                                    "access", "as", 1, "net.bind_tcp", "port", "t", UINT64_C(80)) >= 0);
        json_auto_t *properties = read_back(m);
        json_auto_t *domain = bus_json_domain(properties);
        assert_json(domain,
                    "{\"domain\":\"5\",\"parent\":\"1466dc891\",\"children\":[\"6\"],\"creator\":{\"tid\":8},"
                    "\"ruleset\":{\"id\":\"4\",\"version\":3,\"rules\":1,\"rules_unknown\":2},"
                    "\"handled\":{\"fs\":[\"fs.execute\"],\"net\":[],\"scope\":[\"scope.signal\"]},"
                    "\"rules\":[{\"version\":1,\"kind\":\"net_port\",\"access\":[\"net.bind_tcp\"],\"port\":80}],"
                    "\"enforcement\":{\"process_wide\":false,\"no_new_privs\":true},"
                    "\"created\":\"2026-11-22T00:48:34.891000Z\",\"threads_count\":7}");
}

static void test_outermost_domain(void **state) {
        sd_bus_message *m = ((Fixture *) *state)->message;

        assert_true(sd_bus_message_append(m, "a{sv}", 1, "Parent", "t", UINT64_C(0)) >= 0);
        json_auto_t *properties = read_back(m);
        json_auto_t *domain = bus_json_domain(properties);
        assert_json(domain, "{\"outermost\":true}");
}

static void test_process(void **state) {
        sd_bus_message *m = ((Fixture *) *state)->message;

        assert_true(sd_bus_message_append(
                                    m, "a{sv}", 10, "Domain", "t", UINT64_C(0x1466dc891), "HexID", "s", "1466dc891",
                                    "UUID", "s", "u", "PID", "u", 7, "UID", "u", 0, "Comm", "s", "sh", "Exe", "s", "/bin/sh",
                                    "Known", "s", "inherited", "ThreadsCount", "t", UINT64_C(2),
                                    "LastSeen", "t", UINT64_C(1795308514891000)) >= 0);
        json_auto_t *properties = read_back(m);
        json_auto_t *process = bus_json_process(properties);
        assert_json(process,
                    "{\"domain\":\"1466dc891\",\"domain_uuid\":\"u\",\"pid\":7,\"uid\":0,\"comm\":\"sh\",\"exe\":\"/bin/sh\","
                    "\"known\":\"inherited\",\"threads\":2,\"last_seen\":\"2026-11-22T00:48:34.891000Z\"}");
}

static void test_other_party(void **state) {
        sd_bus_message *m = ((Fixture *) *state)->message;

        assert_true(sd_bus_message_append(
                                    m, "a{sv}", 3, "Object", "a{sv}", 2, "kind", "s", "process", "domain", "t",
                                    UINT64_C(0x1466dc891), "SameExec", "b", 0, "Logged", "b", 1) >= 0);
        json_auto_t *properties = read_back(m);
        json_auto_t *denial = bus_json_denial(1, properties);
        assert_json(denial, "{\"denial\":1,\"object\":{\"kind\":\"process\",\"domain\":\"1466dc891\"},"
                    "\"same_exec\":false,\"logged\":true}");
}

static void test_outside_party(void **state) {
        sd_bus_message *m = ((Fixture *) *state)->message;

        assert_true(sd_bus_message_append(
                                    m, "a{sv}", 1, "Object", "a{sv}", 2, "kind", "s", "process", "domain", "t",
                                    UINT64_C(0)) >= 0);
        json_auto_t *properties = read_back(m);
        json_auto_t *denial = bus_json_denial(1, properties);
        assert_json(denial, "{\"denial\":1,\"object\":{\"kind\":\"process\",\"outside\":true}}");
}

static void test_denial(void **state) {
        sd_bus_message *m = ((Fixture *) *state)->message;

        assert_true(sd_bus_message_append(
                                    m, "a{sv}", 7, "HexID", "s", "1466dc891", "Time", "t", UINT64_C(1795308514891000),
                                    "Blockers", "as", 1, "fs.ioctl_dev",
                                    "Object", "a{sv}", 2, "kind", "s", "file", "ioctl_cmd", "u", 0x5412,
                                    "Paths", "aa{sv}", 1, 2, "name", "s", "/a", "mode", "u", 0100644,
                                    "AuditSerial", "t", UINT64_C(9), "Incomplete", "b", 0) >= 0);
        json_auto_t *properties = read_back(m);
        json_auto_t *denial = bus_json_denial(12, properties);
        assert_json(denial,
                    "{\"denial\":12,\"time\":\"2026-11-22T00:48:34.891000Z\",\"domain\":\"1466dc891\","
                    "\"blockers\":[\"fs.ioctl_dev\"],\"object\":{\"kind\":\"file\",\"ioctl_cmd\":\"0x5412\"},"
                    "\"paths\":[{\"name\":\"/a\",\"mode\":\"0100644\"}],\"audit_serial\":9}");
}

static void test_status(void **state) {
        sd_bus_message *m = ((Fixture *) *state)->message;

        assert_true(sd_bus_message_append(
                                    m, "a{sv}", 6, "Version", "s", "1", "MachineID", "s", "", "LandlockABI", "i", 0,
                                    "Sources", "a(sss)", 2, "audit", "active", "", "trace", "off", "by configuration",
                                    "Counters", "a{st}", 1, "denials", UINT64_C(3), "LiveDomains", "t", UINT64_C(2)) >= 0);
        json_auto_t *properties = read_back(m);
        json_auto_t *status = bus_json_status(properties);
        assert_json(status,
                    "{\"version\":\"1\",\"sources\":[{\"name\":\"audit\",\"state\":\"active\"},"
                    "{\"name\":\"trace\",\"state\":\"off\",\"reason\":\"by configuration\"}],"
                    "\"counters\":{\"denials\":3},\"tables\":{\"domains_live\":2}}");
}

/* A property of another type than documented is as good as none. */
static void test_wrong_types(void **state) {
        sd_bus_message *m = ((Fixture *) *state)->message;

        assert_true(sd_bus_message_append(
                                    m, "a{sv}", 14, "Parent", "s", "1", "Children", "s", "/", "Rules", "u", 1,
                                    "ProcessWide", "t", UINT64_C(1), "PID", "s", "1", "HexID", "u", 7, "FirstSeen", "s", "now", "DenialsSeen", "as", 0,
                                    "Blockers", "s", "all", "Processes", "a{st}", 0, "Origins", "t", UINT64_C(1),
                                    "Object", "s", "o", "Paths", "as", 1, "p", "Sources", "as", 1, "s") >= 0);
        json_auto_t *properties = read_back(m);
        json_auto_t *domain = bus_json_domain(properties), *denial = bus_json_denial(1, properties);
        json_auto_t *status = bus_json_status(properties), *process = bus_json_process(properties);
        assert_json(domain, "{}");
        assert_json(process, "{}");
        assert_json(denial, "{\"denial\":1,\"paths\":[\"p\"]}");
        assert_json(status, "{\"sources\":[{}]}");
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                test(test_every_type),
                test(test_nested),
                test(test_large_numbers),
                test(test_text_is_checked),
                test(test_not_a_dictionary),
                test(test_domain),
                test(test_nested_domain),
                test(test_outermost_domain),
                test(test_process),
                test(test_other_party),
                test(test_outside_party),
                test(test_denial),
                test(test_status),
                test(test_wrong_types),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
