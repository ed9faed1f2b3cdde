/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs that ask over D-Bus, against the real interface on a bus of their own. */
#include "test-bus-fixture.h"
#include "test-client-capture.h"

#include <sys/pidfd.h>

#define LIVE UINT64_C(0x1466dc891)
#define FREED UINT64_C(0x1466dc896)
#define LIVE_UUID "83670dad-a581-5022-bd4c-b2f73ab7833f"

static const DomainTableLimits limits = { .n_domains = 64, .n_denials = 64, .n_processes = 64, .n_threads = 64,
                                          .n_rulesets = 64, .n_rules = 64 };
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
                .creator_exe = TEXT_LITERAL("/usr/bin/sandboxer\x1b[2J"), .label = TEXT_LITERAL("ssh\r@a.scope"),
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

#define INNER UINT64_C(0x1466dc8a0)

static TaskDescription task(int64_t tid, int64_t pid, Text comm) {
        return (TaskDescription) {
                .tid = tid, .pid = pid, .has_pid = true, .uid = 1000, .has_uid = true, .comm = comm,
                .exe = TEXT_LITERAL("/bin/x\x1b"),
        };
}

/* A domain in the one that fill() makes, of a ruleset of which one rule was lost, with three processes; another in
 * that one, without. */
static void fill_inner(Fixture *f) {
        tell_ruleset(f, 4, &(RulesetCreation) {
                .ruleset = 0x1466dc880, .tid = 41, .handled.bits = { [ACCESS_FS] = 5, [ACCESS_NET] = 3, [ACCESS_SCOPE] = 2 },
        });
        tell_rule(f, 4, 0x1466dc880, &(Rule) {
                .version = 1, .kind = RULE_PATH_BENEATH, .access = 5, .path = TEXT_LITERAL("/usr\n"),
        });
        tell_rule(f, 4, 0x1466dc880, &(Rule) { .version = 3, .kind = RULE_NET_PORT, .access = 2, .port = 443 });
        tell_created(f, 5, &(DomainCreation) {
                .domain = INNER, .parent = LIVE, .ruleset = 0x1466dc880, .ruleset_version = 3,
                .creator = task(41, 40, TEXT_LITERAL("env\x1b")),
        });
        tell_enforced(f, 5, &(DomainEnforcement) {
                .domain = INNER, .task = task(41, 40, TEXT_LITERAL("env\x1b")), .process_wide = true, .no_new_privs = true,
        });
        tell_forked(f, 6, 41, 100, false);
        tell_forked(f, 6, 41, 42, true);
        tell_seen(f, 7, INNER, task(90, 90, TEXT_LITERAL("maybe")), ATTRIBUTION_INFERRED);
        tell_created(f, 8, &(DomainCreation) { .domain = INNER + 1, .parent = INNER });
}

static void in_client_with_inner(Client client) {
        Fixture f;

        fixture = &f;
        fixture_start(&f, &limits);
        fill(&f);
        fill_inner(&f);
        run_client(&f, 0, client);
        fixture_stop(&f);
}

static void tree(Fixture *f _unused_) {
        outputs("1466dc891  ssh\\x0d@a.scope  uid 1000  1 denial\n"
                "|-18353 sh\n"
                "`-1466dc8a0  env\\x1b  uid 1000\n"
                "  |-40 env\\x1b (2 threads)\n"
                "  |-90 maybe (inferred)\n"
                "  |-100 env\\x1b\n"
                "  `-1466dc8a1  -\n"
                "\n3 domains, 4 processes.\n", "tree");
        outputs("1466dc891  ssh\\x0d@a.scope  uid 1000  1 denial\n"
                "|-18353 sh\n"
                "`-1466dc8a0  env\\x1b  uid 1000\n"
                "  |-40 env\\x1b (2 threads)\n"
                "  |-90 maybe (inferred)\n"
                "  |-100 env\\x1b\n"
                "  `-1466dc8a1  -\n", "tree", "--no-legend");
}

static void tree_json(Fixture *f _unused_) {
        _cleanup_(json_decrefp) json_t *list = NULL;
        Capture capture;
        json_t *inner;

        check(ask(&capture, (const char *const[]) { "tree", "--json=short", NULL }) == EXIT_CODE_OK);
        list = json_loads(capture.text[0], 0, NULL);
        check(json_array_size(list) == 1);
        check(json_get_number(json_array_get(json_object_get(json_array_get(list, 0), "processes"), 0), "pid") == 18353);
        inner = json_array_get(json_object_get(json_array_get(list, 0), "nested"), 0);
        check(strcmp(json_get_text(inner, "domain"), "1466dc8a0") == 0);
        check(json_array_size(json_object_get(inner, "processes")) == 3);
        check(json_get_number(json_array_get(json_object_get(inner, "processes"), 0), "threads") == 2);
        check(json_array_size(json_object_get(inner, "nested")) == 1);
        check(!json_object_get(inner, "children"));
        capture_done(&capture);
}

/* The outer one was evicted. */
static void tree_without_root(Fixture *f _unused_) {
        outputs("1466dc8a0  env\\x1b  uid 1000  in 1466dc891, which is not listed\n"
                "|-40 env\\x1b (2 threads)\n"
                "|-90 maybe (inferred)\n"
                "|-100 env\\x1b\n"
                "`-1466dc8a1  -\n"
                "1466dc8a2  -\n"
                "1466dc8a3  -\n"
                "\n4 domains, 3 processes.\n", "tree");
}

static void ps(Fixture *f _unused_) {
        outputs("  PID DOMAIN     UID THREADS KNOWN     COMM    EXE\n"
                "   40 1466dc8a0 1000       2 kernel    env\\x1b /bin/x\\x1b\n"
                "   90 1466dc8a0 1000       1 inferred  maybe   /bin/x\\x1b\n"
                "  100 1466dc8a0 1000       1 inherited env\\x1b /bin/x\\x1b\n"
                "18353 1466dc891    -       - kernel    sh      -\n"
                "\n4 processes listed.\n", "ps");
        outputs("18353 1466dc891 - - kernel sh -\n", "ps", "--domain=" LIVE_UUID, "--no-legend");
        outputs("[{\"domain\":\"1466dc891\",\"domain_uuid\":\"" LIVE_UUID "\",\"pid\":18353,\"comm\":\"sh\","
                "\"known\":\"kernel\",\"first_seen\":\"2026-11-22T00:48:35.000000Z\","
                "\"last_seen\":\"2026-11-22T00:48:35.000000Z\"}]\n", "ps", "--domain=1466dc891", "--json=short");
        outputs("PID DOMAIN UID THREADS KNOWN COMM EXE\n\n0 processes listed.\n", "ps", "--domain=1466dc896");
        fails(EXIT_CODE_NOT_FOUND, "Landlock domain 123 is not known", "ps", "--domain=123");
        fails(EXIT_CODE_USAGE, "'ps' takes one --domain= only", "ps", "--domain=1,2");
}

static void show_inner(Fixture *f _unused_) {
        outputs("Domain 1466dc8a0: allocated\n"
                "        UUID: 0a09140d-e277-5df8-872c-f90d6e63ed8e\n"
                "      Parent: 1466dc891\n"
                "      Nested: 1466dc8a1\n"
                "     Creator: env\\x1b[40], thread 41, uid 1000\n"
                "  Executable: /bin/x\\x1b\n"
                "    Enforced: on whole processes, with no_new_privs\n"
                "     Created: 2026-11-22 00:48:39.000\n"
                "  First seen: 2026-11-22 00:48:39.000\n"
                "   Last seen: 2026-11-22 00:48:42.000\n"
                "     Denials: 0\n"
                "     Ruleset: 1466dc880, version 3\n"
                "     Handles: fs.execute,fs.read_file,net.bind_tcp,net.connect_tcp,scope.signal\n"
                "  Known from: trace\n"
                "\n"
                "        RULE ON       ALLOWED\n"
                "           1 /usr\\x0a fs.execute,fs.read_file\n"
                "           3 port 443 net.connect_tcp\n"
                "        1 more rule is not known.\n"
                "\n"
                "        PROCESS      KNOWN FROM LAST SEEN\n"
                "        maybe[90]    inferred   2026-11-22 00:48:41\n"
                "        env\\x1b[40]  kernel     2026-11-22 00:48:40\n"
                "        env\\x1b[100] inherited  2026-11-22 00:48:40\n", "show", "1466dc8a0");
}

static void list(Fixture *f _unused_) {
        outputs("DOMAIN    STATE     CREATOR           UID DENIALS LAST SEEN           LABEL           EXE\n"
                "1466dc891 allocated sandboxer[18353] 1000       1 2026-11-22 00:48:35 ssh\\x0d@a.scope /usr/bin/sandboxer\\x1b[2J\n"
                "\n1 domain listed.\nFreed ones are listed with --all.\n", "list");
        outputs("1466dc896 deallocated -                   - 1 of 4 2026-11-22 00:48:37 -               -\n"
                "1466dc891 allocated   sandboxer[18353] 1000      1 2026-11-22 00:48:35 ssh\\x0d@a.scope /usr/bin/sandboxer\\x1b[2J\n", "--all", "--no-legend");
        outputs("1466dc896 deallocated - - 1 of 4 2026-11-22 00:48:37 - -\n", "list", "--state=deallocated", "--no-legend");
        outputs("DOMAIN    STATE       CREATOR UID DENIALS LAST SEEN           LABEL EXE\n"
                "1466dc896 deallocated -         -  1 of 4 2026-11-22 00:48:37 -     -\n"
                "\n1 of 2 domains listed.\n", "list", "--state=any", "--limit=1");
}

#define LIVE_JSON                                                                                                       \
        "{\"domain\":\"1466dc891\",\"domain_uuid\":\"" LIVE_UUID "\",\"state\":\"allocated\",\"mode\":\"enforcing\","     \
        "\"label\":\"ssh\\\\x0d@a.scope\",\"children\":[],"                                                                 \
        "\"creator\":{\"pid\":18353,\"uid\":1000,\"comm\":\"sandboxer\",\"exe\":\"/usr/bin/sandboxer\\\\x1b[2J\"},"       \
        "\"first_seen\":\"2026-11-22T00:48:34.000000Z\",\"last_seen\":\"2026-11-22T00:48:35.000000Z\","                 \
        "\"denials\":{\"seen\":1},\"blockers\":{\"fs.write_file\":1},\"processes\":[{\"pid\":18353,\"comm\":\"sh\","        \
        "\"known\":\"kernel\",\"last_seen\":\"2026-11-22T00:48:35.000000Z\"}],\"processes_count\":1,"   \
        "\"threads_count\":0,\"origin\":[\"audit\"]"

static void list_json(Fixture *f _unused_) {
        outputs("[" LIVE_JSON "}]\n", "list", "--json=short");
}

static void show(Fixture *f _unused_) {
        static const char live[] =
                "Domain 1466dc891: allocated\n"
                "       Label: ssh\\x0d@a.scope\n"
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

static int where_it_is(int64_t tid, uint64_t *ret_domain) {
        *ret_domain = tid == getpid() ? LIVE : 0;
        return 0;
}

/* The parent, which runs the loop, is in the domain, this process is not. */
static void lookup(Fixture *f _unused_) {
        char parent[16], self[16], expected[512];
        Capture capture;

        snprintf(parent, sizeof(parent), "%d", getppid());
        snprintf(self, sizeof(self), "%d", getpid());
        check(ask(&capture, (const char *const[]) { "lookup", parent, self, NULL }) == 0);
        snprintf(expected, sizeof(expected), "     Process: %s\n     Started: 20", parent);
        check(strncmp(capture.text[0], expected, strlen(expected)) == 0);
        check(strstr(capture.text[0], "\n      Domain: 1466dc891\n        UUID: " LIVE_UUID "\n  Known from: kernel\n\n"));
        check(strstr(capture.text[0], "\n      Domain: none\n"));
        capture_done(&capture);

        check(ask(&capture, (const char *const[]) { "lookup", "--self", "--json=short", NULL }) == 0);
        snprintf(expected, sizeof(expected), "[{\"pid\":%s,\"started\":\"20", self);
        check(strncmp(capture.text[0], expected, strlen(expected)) == 0);
        check(strstr(capture.text[0], "\"outside\":true,\"known\":\"kernel\"}]\n"));
        capture_done(&capture);

        fails(EXIT_CODE_NOT_FOUND, "no such process that you may ask about", "lookup", "2147483647");
        fails(EXIT_CODE_USAGE, "'0' is no process ID", "lookup", "0");
        fails(EXIT_CODE_USAGE, "needs process IDs, or --pidfd=FD, or --self", "lookup");
        fails(EXIT_CODE_USAGE, "needs process IDs, or --pidfd=FD, or --self", "lookup", "1", "--self");
        fails(EXIT_CODE_USAGE, "'999' is no open file descriptor", "lookup", "--pidfd=999");
        fails(EXIT_CODE_FAILURE, "no pidfd", "lookup", "--pidfd=0");
}

static void lookup_pidfd(Fixture *f _unused_) {
        int fd = pidfd_open(getppid(), 0);
        char option[32];
        Capture capture;

        check(fd >= 0);
        snprintf(option, sizeof(option), "--pidfd=%d", fd);
        check(ask(&capture, (const char *const[]) { "lookup", option, NULL }) == 0);
        check(strstr(capture.text[0], "\n      Domain: 1466dc891\n"));
        capture_done(&capture);
        close(fd);
}

static void test_lookup(void **state _unused_) {
        Fixture f;

        fixture = &f;
        fixture_start(&f, &limits);
        fill(&f);
        /* Of the process that answers. */
        f.read_domain = where_it_is;
        run_client(&f, 0, lookup);
        run_client(&f, 0, lookup_pidfd);
        fixture_stop(&f);
}

static void unprivileged(Fixture *f _unused_) {
        outputs("DOMAIN STATE CREATOR UID DENIALS LAST SEEN LABEL EXE\n\n0 domains listed.\n", "list");
        fails(EXIT_CODE_NOT_FOUND, "Landlock domain 1466dc891 is not known", "show", "1466dc891");
}

static void not_permitted(Fixture *f _unused_) {
        fails(EXIT_CODE_NOT_PERMITTED, "call as root", "list");
        fails(EXIT_CODE_NOT_PERMITTED, "call as root", "status");
}

static void not_running(Fixture *f _unused_) {
        fails(EXIT_CODE_NOT_RUNNING, "landlockd is not running on this bus", "list");
        fails(EXIT_CODE_NOT_RUNNING, "landlockd is not running on this bus", "status");
        fails(EXIT_CODE_NOT_RUNNING, "landlockd is not running on this bus", "tree");
        fails(EXIT_CODE_NOT_RUNNING, "landlockd is not running on this bus", "ps");
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

static void test_tree(void **state _unused_) {
        in_client_with_inner(tree);
        in_client_with_inner(tree_json);
}

static void test_tree_without_root(void **state _unused_) {
        DomainTableLimits few = limits;
        Fixture f;

        few.n_domains = 4;
        fixture = &f;
        fixture_start(&f, &few);
        fill_inner(&f);
        for (uint64_t i = 2; i <= 3; i++)
                tell_described(&f, 9, &(DomainDescription) { .domain = INNER + i });
        run_client(&f, 0, tree_without_root);
        fixture_stop(&f);
}

static void test_ps(void **state _unused_) {
        in_client_with_inner(ps);
}

static void test_show_inner(void **state _unused_) {
        in_client_with_inner(show_inner);
}

static void test_unprivileged(void **state _unused_) {
        Fixture f;

        fixture = &f;
        fixture_start(&f, &limits);
        fill(&f);
        run_client(&f, NOBODY, unprivileged);

        f.only_privileged = true;
        f.bus = bus_free(f.bus);
        assert_int_equal(fixture_new_bus(&f, f.address, &f.bus), 0);
        run_client(&f, NOBODY, not_permitted);
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
                cmocka_unit_test(test_tree),
                cmocka_unit_test(test_tree_without_root),
                cmocka_unit_test(test_ps),
                cmocka_unit_test(test_show_inner),
                cmocka_unit_test(test_lookup),
                cmocka_unit_test(test_unprivileged),
                cmocka_unit_test(test_not_running),
                cmocka_unit_test(test_no_bus),
        };

        fixture_require();
        use_locale("C.UTF-8");
        return cmocka_run_group_tests(tests, NULL, NULL);
}
