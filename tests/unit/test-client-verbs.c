/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs that ask over D-Bus, against the real interface on a bus of their own. */
#include "test-bus-fixture.h"
#include "test-client-capture.h"

#define LIVE UINT64_C(0x1466dc891)
#define FREED UINT64_C(0x1466dc896)
#define LIVE_UUID "83670dad-a581-5022-bd4c-b2f73ab7833f"

static const DomainTableLimits limits = { .n_domains = 64, .n_denials = 64, .n_processes = 64 };
static const Fixture *fixture;

static int ask(Capture *capture, const char *const *words) {
        const char *line[16];
        char bus[160];
        size_t n = 0;

        snprintf(bus, sizeof(bus), "--bus=%s", fixture->address);
        line[n++] = bus;
        while (*words)
                line[n++] = *words++;
        line[n] = NULL;
        return capture_run(capture, line);
}

/* Runs a command line and compares all of its standard output. */
static void check_output(const char *file_line, int expected_code, const char *expected, const char *const *words) {
        Capture capture;
        int code = ask(&capture, words);

        if (code != expected_code || strcmp(capture.text[0], expected) != 0) {
                fprintf(stderr, "%s: exit code %d, expected %d\n--- expected:\n%s--- actual:\n%s--- stderr:\n%s", file_line,
                        code, expected_code, expected, capture.text[0], capture.text[1]);
                _exit(1);
        }
        capture_done(&capture);
}

#define STRING_(x) #x
#define STRING(x) STRING_(x)
#define outputs(expected, ...) \
        check_output(__FILE__ ":" STRING(__LINE__), 0, (expected), (const char *const[]) { __VA_ARGS__, NULL })

/* Runs a command line that must print nothing but this sentence. */
static void check_failure(const char *file_line, int expected_code, const char *sentence, const char *const *words) {
        Capture capture;
        int code = ask(&capture, words);

        if (code != expected_code || *capture.text[0] || !strstr(capture.text[1], sentence)) {
                fprintf(stderr, "%s: exit code %d, expected %d\n--- stdout:\n%s--- stderr:\n%s", file_line, code,
                        expected_code, capture.text[0], capture.text[1]);
                _exit(1);
        }
        capture_done(&capture);
}

#define fails(code, sentence, ...) \
        check_failure(__FILE__ ":" STRING(__LINE__), (code), (sentence), (const char *const[]) { __VA_ARGS__, NULL })

static DenialSubject subject(int64_t pid, Text comm) {
        return (DenialSubject) {
                .ids[SUBJECT_pid] = pid,
                .known_ids = UINT32_C(1) << SUBJECT_pid,
                .comm = comm,
        };
}

static void fill(Fixture *f) {
        tell_described(f, 0, &(DomainDescription) {
                .domain = LIVE, .mode = DOMAIN_MODE_ENFORCING, .creator_pid = 18353, .has_creator_pid = true,
                .creator_uid = 1000, .has_creator_uid = true, .creator_comm = TEXT_LITERAL("sandboxer"),
                .creator_exe = TEXT_LITERAL("/usr/bin/sandboxer\x1b[2J"),
        });
        tell_denied(f, 1, &(Denial) {
                .domain = LIVE, .blockers.known = UINT64_C(1) << BLOCKER_FS_WRITE_FILE,
                .object = { .kind = OBJECT_FILE, .path = TEXT_LITERAL("/etc/passwd") },
                .subject = subject(18353, TEXT_LITERAL("sh")),
        });
        tell_denied(f, 2, &(Denial) {
                .domain = FREED, .blockers.known = UINT64_C(1) << BLOCKER_NET_CONNECT_TCP,
                .object = { .kind = OBJECT_NETWORK, .remote_address = TEXT_LITERAL("::1"), .remote_port = 443,
                            .has_remote_port = true },
                .subject = subject(18354, TEXT_LITERAL("curl")),
        });
        tell_freed(f, 3, FREED, 4);
        f->status.counters.audit_overflows = 2;
}

static void in_client(Client client) {
        Fixture f;

        fixture = &f;
        fixture_start(&f, &limits);
        fill(&f);
        run_client(&f, 0, client);
        fixture_stop(&f);
}

static void list(Fixture *f _unused_) {
        outputs("DOMAIN    STATE     CREATOR           UID DENIALS LAST SEEN           EXE\n"
                "1466dc891 allocated sandboxer[18353] 1000       1 2026-11-22 00:48:35 /usr/bin/sandboxer\\x1b[2J\n"
                "\n1 domain listed.\nFreed ones are listed with --all.\n", "list");
        outputs("1466dc891 allocated   sandboxer[18353] 1000      1 2026-11-22 00:48:35 /usr/bin/sandboxer\\x1b[2J\n"
                "1466dc896 deallocated -                   - 1 of 4 2026-11-22 00:48:37 -\n", "--all", "--no-legend");
        outputs("1466dc896 deallocated - - 1 of 4 2026-11-22 00:48:37 -\n", "list", "--state=deallocated", "--no-legend");
        outputs("DOMAIN    STATE     CREATOR           UID DENIALS LAST SEEN           EXE\n"
                "1466dc891 allocated sandboxer[18353] 1000       1 2026-11-22 00:48:35 /usr/bin/sandboxer\\x1b[2J\n"
                "\n1 of 2 domains listed.\n", "list", "--all", "--limit=1");
}

#define LIVE_JSON                                                                                                       \
        "{\"domain\":\"1466dc891\",\"domain_uuid\":\"" LIVE_UUID "\",\"state\":\"allocated\",\"mode\":\"enforcing\","     \
        "\"creator\":{\"pid\":18353,\"uid\":1000,\"comm\":\"sandboxer\",\"exe\":\"/usr/bin/sandboxer\\\\x1b[2J\"},"       \
        "\"first_seen\":\"2026-11-22T00:48:34.000000Z\",\"last_seen\":\"2026-11-22T00:48:35.000000Z\","                 \
        "\"denials\":{\"seen\":1},\"blockers\":{\"fs.write_file\":1},\"processes\":[{\"pid\":18353,\"comm\":\"sh\","        \
        "\"known\":\"kernel\",\"last_seen\":\"2026-11-22T00:48:35.000000Z\"}],\"processes_count\":1,\"origin\":[\"audit\"]"

static void list_json(Fixture *f _unused_) {
        outputs("[" LIVE_JSON "}]\n", "list", "--json=short");
}

static void show(Fixture *f _unused_) {
        static const char live[] =
                "Domain 1466dc891: allocated\n"
                "        UUID: " LIVE_UUID "\n"
                "        Mode: enforcing\n"
                "     Creator: sandboxer[18353], uid 1000\n"
                "  Executable: /usr/bin/sandboxer\\x1b[2J\n"
                "  First seen: 2026-11-22 00:48:34.000\n"
                "   Last seen: 2026-11-22 00:48:35.000\n"
                "     Denials: 1\n"
                "  Known from: audit\n"
                "\n"
                "        BLOCKED       TIMES\n"
                "        fs.write_file     1\n"
                "\n"
                "        PROCESS   KNOWN FROM LAST SEEN\n"
                "        sh[18353] kernel     2026-11-22 00:48:35\n"
                "\n"
                "        TIME                PROCESS   BLOCKED       OBJECT\n"
                "        2026-11-22 00:48:35 sh[18353] fs.write_file /etc/passwd\n";

        outputs(live, "show", "1466dc891");
        outputs(live, "show", "0x1466DC891");
        outputs(live, "show", LIVE_UUID);
        fails(EXIT_CODE_NOT_FOUND, "Landlock domain 123 is not known", "show", "123");
        fails(EXIT_CODE_NOT_FOUND, "has the UUID 26aba5ee-0000-56f0-b7b6-ea16e64a3e6e", "show",
              "26aba5ee-0000-56f0-b7b6-ea16e64a3e6e");
        fails(EXIT_CODE_USAGE, "'x' is no domain", "show", "x");
}

static void show_freed(Fixture *f _unused_) {
        Capture capture;

        /* What was found is shown, and that one was not is still told. */
        check(ask(&capture, (const char *const[]) { "show", "123", "1466dc896", NULL }) == EXIT_CODE_NOT_FOUND);
        check(strstr(capture.text[0], "Domain 1466dc896: deallocated\n"));
        check(strstr(capture.text[0], "       Freed: 2026-11-22 00:48:37.000\n"));
        check(strstr(capture.text[0], "     Denials: 1 of 4, 3 that the kernel counted were not seen"));
        check(strstr(capture.text[1], "Landlock domain 123 is not known"));
        capture_done(&capture);

        outputs("[" LIVE_JSON ",\"recent_denials\":[{\"denial\":1,\"time\":\"2026-11-22T00:48:35.000000Z\","
                "\"domain\":\"1466dc891\",\"domain_uuid\":\"" LIVE_UUID "\",\"blockers\":[\"fs.write_file\"],"
                "\"object\":{\"kind\":\"file\",\"path\":\"/etc/passwd\"},\"subject\":{\"pid\":18353,\"comm\":\"sh\"},"
                "\"origin\":[\"audit\"]}]}]\n", "show", "--json=short", "1466dc891");
}

static void denials(Fixture *f _unused_) {
        outputs("TIME                DOMAIN    PROCESS     BLOCKED         OBJECT\n"
                "2026-11-22 00:48:35 1466dc891 sh[18353]   fs.write_file   /etc/passwd\n"
                "2026-11-22 00:48:36 1466dc896 curl[18354] net.connect_tcp [::1]:443\n"
                "\n2 denials listed. Later ones: --since=3\n", "denials");
        outputs("2026-11-22 00:48:36 1466dc896 curl[18354] net.connect_tcp [::1]:443\n"
                "2026-11-22 00:48:35 1466dc891 sh[18353]   fs.write_file   /etc/passwd\n", "denials", "-r", "--no-legend");
        outputs("2026-11-22 00:48:36 1466dc896 curl[18354] net.connect_tcp [::1]:443\n", "denials", "-n1", "--no-legend");
        outputs("2026-11-22 00:48:35 1466dc891 sh[18353] fs.write_file /etc/passwd\n", "denials", "-n1", "--since=0",
                "--no-legend");
        outputs("2026-11-22 00:48:35 1466dc891 sh[18353] fs.write_file /etc/passwd\n", "denials", "--domain=" LIVE_UUID,
                "--no-legend");
        outputs("{\"denials\":[],\"next\":3}\n", "denials", "--since=3", "--json=short");
        fails(EXIT_CODE_NOT_FOUND, "Landlock domain 123 is not known", "denials", "--domain=123");
        fails(EXIT_CODE_USAGE, "one --domain= only", "denials", "--domain=1,2");
}

static void denials_json(Fixture *f _unused_) {
        outputs("{\"denials\":[{\"denial\":2,\"time\":\"2026-11-22T00:48:36.000000Z\",\"domain\":\"1466dc896\","
                "\"domain_uuid\":\"ece8e09f-edda-5304-841d-4b4738a9bbdd\",\"blockers\":[\"net.connect_tcp\"],"
                "\"object\":{\"kind\":\"network\",\"remote\":{\"address\":\"::1\",\"port\":443}},"
                "\"subject\":{\"pid\":18354,\"comm\":\"curl\"},\"origin\":[\"audit\"]}],\"next\":3}\n",
                "denials", "-n1", "--json=short");
}

static void status(Fixture *f _unused_) {
        Capture capture;

        outputs("  landlockd: 1.2.3\n"
                "    Started: 2026-11-22 00:48:34\n"
                "    Boot ID: 5f0c1a2e-9b1d-4c57-8d7e-0123456789ab\n"
                " Machine ID: 0123456789abcdef0123456789abcdef\n"
                "   Landlock: ABI 7, errata fixed: 0x5\n"
                "    Domains: 1 live, 1 freed and still known\n"
                "    Denials: 2 seen, 3 more counted by the kernel: not logged, or lost\n"
                "       LOST: 2 times the socket's receive buffer overflowed\n", "status");

        check(ask(&capture, (const char *const[]) { "status", "-v", NULL }) == EXIT_CODE_OK);
        check(strstr(capture.text[0], "\nCOUNTER "));
        check(strstr(capture.text[0], "\naudit_overflows "));
        capture_done(&capture);
}

static void unprivileged(Fixture *f _unused_) {
        fails(EXIT_CODE_NOT_PERMITTED, "Only root may ask landlockd", "list");
        fails(EXIT_CODE_NOT_PERMITTED, "Only root may ask landlockd", "status");
}

static void not_running(Fixture *f _unused_) {
        fails(EXIT_CODE_NOT_RUNNING, "landlockd is not running on this bus", "list");
        fails(EXIT_CODE_NOT_RUNNING, "landlockd is not running on this bus", "status");
        fails(EXIT_CODE_NOT_RUNNING, "landlockd is not running on this bus", "show", "1");
}

static void test_list(void **state _unused_) {
        in_client(list);
}

static void test_list_json(void **state _unused_) {
        in_client(list_json);
}

static void test_show(void **state _unused_) {
        in_client(show);
}

static void test_show_freed(void **state _unused_) {
        in_client(show_freed);
}

static void test_denials(void **state _unused_) {
        in_client(denials);
}

static void test_denials_json(void **state _unused_) {
        in_client(denials_json);
}

static void test_status(void **state _unused_) {
        in_client(status);
}

static void test_unprivileged(void **state _unused_) {
        Fixture f;

        fixture = &f;
        fixture_start(&f, &limits);
        run_client(&f, NOBODY, unprivileged);
        fixture_stop(&f);
}

static void test_not_running(void **state _unused_) {
        Fixture f;

        fixture = &f;
        fixture_start(&f, &limits);
        f.bus = bus_free(f.bus);
        run_client(&f, 0, not_running);
        fixture_stop(&f);
}

static void test_no_bus(void **state _unused_) {
        Capture capture;

        assert_int_equal(run(&capture, "list", "--bus=unix:path=/nonexistent"), EXIT_CODE_FAILURE);
        assert_string_equal(capture.text[1],
                            "landlockctl: Cannot connect to the bus 'unix:path=/nonexistent': No such file or directory. "
                            "Is D-Bus running? Use --bus= if landlockd is on another bus.\n");
        capture_done(&capture);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_list_json),
                cmocka_unit_test(test_show),
                cmocka_unit_test(test_show_freed),
                cmocka_unit_test(test_denials),
                cmocka_unit_test(test_denials_json),
                cmocka_unit_test(test_status),
                cmocka_unit_test(test_unprivileged),
                cmocka_unit_test(test_not_running),
                cmocka_unit_test(test_no_bus),
        };

        fixture_require();
        use_locale("C.UTF-8");
        return cmocka_run_group_tests(tests, NULL, NULL);
}
