/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `monitor` over D-Bus, against the real interface on a bus of its own. */
#include "test-bus-listener.h"
#include "test-client-capture.h"

#include <sys/wait.h>

#define A_UUID "a8ed3b54-8e96-5415-853a-d8ca6a0a8829"

/* A monitor that runs beside the test, with what it writes to both of its outputs. */
typedef struct Running {
        pid_t pid;
        FILE *output;
        char line[1 << 16];
} Running;

static _Noreturn void run_monitor(const Fixture *f, int fd, const char *const *words) {
        char bus[160], *argv[16] = { (char *) "landlockctl", bus, (char *) "monitor" };
        int argc = 3;
        Options options;

        snprintf(bus, sizeof(bus), "--bus=%s", f->address);
        for (; *words; words++)
                argv[argc++] = strdup(*words);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        close(fd);
        output_init();
        check(options_parse(argc, argv, &options) == OPTIONS_RUN);
        _exit(output_end((options.verb->run)(&options)));
}

static void start(Fixture *f, Running *running, const char *const *words) {
        int fds[2];

        fflush(NULL);
        check(pipe2(fds, O_CLOEXEC) == 0);
        running->pid = fork();
        check(running->pid >= 0);
        if (running->pid == 0) {
                close(fds[0]);
                run_monitor(f, fds[1], words);
        }
        close(fds[1]);
        running->output = fdopen(fds[0], "r");
        check(running->output);
}

/* The next line, without its time, which can be now. */
static const char *next_line(Running *running) {
        check(fgets(running->line, sizeof(running->line), running->output));
        running->line[strcspn(running->line, "\n")] = '\0';
        check(strlen(running->line) > 24);
        return running->line + 24;
}

static void expect_at(const char *place, Running *running, const char *expected) {
        const char *line = next_line(running);

        if (strcmp(line, expected) == 0)
                return;
        fprintf(stderr, "%s:\n  expected: %s\n  actual:   %s\n", place, expected, line);
        _exit(1);
}

#define STRING_(x) #x
#define STRING(x) STRING_(x)
#define expect(running, expected) expect_at(__FILE__ ":" STRING(__LINE__), (running), (expected))

/* Nobody reads it any more, which ends it. */
static void end(Running *running) {
        int status;

        fclose(running->output);
        check(waitpid(running->pid, &status, 0) == running->pid);
        check(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CODE_OK);
}

#define HELLO "hello   -         landlockd 1.2.3, Landlock ABI 7"

/* When it greets it is subscribed. */
#define begin(f, running, ...)                                                                      \
        do {                                                                                        \
                start((f), (running), (const char *const[]) { __VA_ARGS__ __VA_OPT__(,) NULL });    \
                check(strncmp(next_line(running), HELLO, strlen(HELLO)) == 0);                      \
        } while (0)

static void write_to(uint64_t domain, unsigned n) {
        order((Order) { .domain = domain, .uid = domain == A ? ALICE : BOB, .n = n, .blocker = BLOCKER_FS_WRITE_FILE });
}

static void is_told(Fixture *f) {
        Running running;

        begin(f, &running);
        write_to(A, 3);
        expect(&running, "denial  1a6f      ? fs.write_file /etc/0 (3 times)");
        order((Order) { .domain = A + 5, .uid = ALICE, .described = true });
        expect(&running, "domain  1a74      added, maker unknown");
        write_to(B, 2);
        order((Order) { .domain = B, .freed = true });
        /* Not its end first, although the signal of that comes first. */
        expect(&running, "denial  1a70      ? fs.write_file /etc/0 (2 times)");
        expect(&running, "domain  1a70      freed; denials seen: 2");
        end(&running);
}

static void test_told(void **state) {
        run_client(*state, 0, is_told);
}

/* All of it between two batches. */
static void comes_and_goes(Fixture *f) {
        Running running;

        begin(f, &running);
        write_to(A, 1);
        expect(&running, "denial  1a6f      ? fs.write_file /etc/0");
        order((Order) { .domain = A + 6, .uid = ALICE, .described = true });
        write_to(A + 6, 2);
        order((Order) { .domain = A + 6, .freed = true });
        expect(&running, "domain  1a75      added, maker unknown");
        expect(&running, "denial  1a75      ? fs.write_file /etc/0 (2 times)");
        expect(&running, "domain  1a75      freed; denials seen: 2");
        end(&running);
}

static void test_comes_and_goes(void **state) {
        run_client(*state, 0, comes_and_goes);
}

static void misses(Fixture *f) {
        Running running;

        begin(f, &running);
        order((Order) { .domain = A, .uid = ALICE, .n = 200, .n_objects = 200, .blocker = BLOCKER_FS_WRITE_FILE });
        for (unsigned i = 0; i < 128; i++) {
                char expected[128];

                snprintf(expected, sizeof(expected), "denial  1a6f      ? fs.write_file /etc/%u", i);
                expect(&running, expected);
        }
        expect(&running, "lost    -         72 denials and changes of domains were not told: there were too many at once, "
                         "or this was read too slowly");
        end(&running);
}

static void test_missed(void **state) {
        run_client(*state, 0, misses);
}

static void order_many_kinds(void) {
        write_to(A, 1);
        write_to(B, 2);
        order((Order) { .domain = A, .uid = ALICE, .n = 3, .blocker = BLOCKER_PTRACE });
        order((Order) { .domain = B, .uid = BOB, .n = 4, .blocker = BLOCKER_PTRACE });
        order((Order) { .domain = A, .freed = true });
        order((Order) { .domain = B, .freed = true });
}

static void told_by_domain(Fixture *f) {
        Running one, uuid, both;

        begin(f, &one, "--domain=0x1a70");
        begin(f, &uuid, "--domain=" A_UUID);
        begin(f, &both, "--domain=1a70," A_UUID, "--blocker=ptrace", "--type=denial");
        order_many_kinds();
        expect(&one, "denial  1a70      ? fs.write_file /etc/0 (2 times)");
        expect(&one, "denial  1a70      ? ptrace /etc/0 (4 times)");
        expect(&one, "domain  1a70      freed; denials seen: 6");
        expect(&uuid, "denial  1a6f      ? fs.write_file /etc/0");
        expect(&uuid, "denial  1a6f      ? ptrace /etc/0 (3 times)");
        expect(&uuid, "domain  1a6f      freed; denials seen: 4");
        expect(&both, "denial  1a6f      ? ptrace /etc/0 (3 times)");
        expect(&both, "denial  1a70      ? ptrace /etc/0 (4 times)");
        end(&both);
        end(&uuid);
        end(&one);
}

static void test_domains(void **state) {
        run_client(*state, 0, told_by_domain);
}

static void told_by_type(Fixture *f) {
        Running domains, denials;

        begin(f, &domains, "--type=domain,lost");
        begin(f, &denials, "--type=lost,denial", "--blocker=fs.write_file,fs.read_file");
        order_many_kinds();
        expect(&domains, "domain  1a6f      freed; denials seen: 4");
        expect(&domains, "domain  1a70      freed; denials seen: 6");
        expect(&denials, "denial  1a6f      ? fs.write_file /etc/0");
        expect(&denials, "denial  1a70      ? fs.write_file /etc/0 (2 times)");
        end(&denials);
        end(&domains);
}

static void test_types(void **state) {
        run_client(*state, 0, told_by_type);
}

/* As one user, who sees nothing of the other's. */
static void told_as_user(Fixture *f) {
        Running running;

        begin(f, &running, "--snapshot");
        expect(&running, "domain  1a70      allocated, maker unknown; denials seen: 0");
        check(strncmp(next_line(&running) - 24, "End of the snapshot (domains: 1)", 32) == 0);
        order_many_kinds();
        expect(&running, "denial  1a70      ? fs.write_file /etc/0 (2 times)");
        expect(&running, "denial  1a70      ? ptrace /etc/0 (4 times)");
        expect(&running, "domain  1a70      freed; denials seen: 6");
        end(&running);
}

static void test_user(void **state) {
        run_client(*state, BOB, told_as_user);
}

/* First what is known: the domains, then the denials, then what happens. */
static void from_the_log(Fixture *f) {
        Running running;

        begin(f, &running);
        write_to(A, 2);
        expect(&running, "denial  1a6f      ? fs.write_file /etc/0 (2 times)");
        order((Order) { .domain = B, .uid = BOB, .n = 2, .blocker = BLOCKER_PTRACE });
        expect(&running, "denial  1a70      ? ptrace /etc/0 (2 times)");
        end(&running);

        begin(f, &running, "--snapshot", "--since=2");
        expect(&running, "domain  1a6f      allocated, maker unknown; denials seen: 2");
        expect(&running, "domain  1a70      allocated, maker unknown; denials seen: 2");
        check(strncmp(next_line(&running) - 24, "End of the snapshot (domains: 2)", 32) == 0);
        expect(&running, "denial  1a6f      ? fs.write_file /etc/0");
        expect(&running, "denial  1a70      ? ptrace /etc/0");
        expect(&running, "denial  1a70      ? ptrace /etc/0");
        write_to(A, 2);
        expect(&running, "denial  1a6f      ? fs.write_file /etc/0 (2 times)");
        end(&running);

        begin(f, &running, "--since=0", "--blocker=other,ptrace", "--domain=1a70");
        expect(&running, "denial  1a70      ? ptrace /etc/0");
        expect(&running, "denial  1a70      ? ptrace /etc/0");
        write_to(B, 1);
        order((Order) { .domain = B, .uid = BOB, .n = 1, .blocker = BLOCKER_PTRACE });
        expect(&running, "denial  1a70      ? ptrace /etc/0");
        end(&running);
}

static void test_from_the_log(void **state) {
        run_client(*state, 0, from_the_log);
}

/* The next line has exactly these members, beside the time. */
static void expect_json(Running *running, const char *expected) {
        _cleanup_(json_decrefp) json_t *event = NULL, *wanted = json_loads(expected, 0, NULL);

        check(wanted);
        check(fgets(running->line, sizeof(running->line), running->output));
        event = json_loads(running->line, JSON_REJECT_DUPLICATES, NULL);
        check(event);
        check(strlen(json_get_text(event, "time") ?: "") == strlen("2026-11-22T00:28:34.891000Z"));
        json_object_del(event, "time");
        if (json_equal(event, wanted))
                return;
        fprintf(stderr, "expected: %s\nactual:   %s\n", expected, running->line);
        _exit(1);
}

static void told_as_json(Fixture *f) {
        Running running;

        start(f, &running, (const char *const[]) { "--json=short", "--snapshot", "--since=1", "--domain=1a6f", NULL });
        expect_json(&running,
                    "{\"type\":\"hello\",\"version\":\"1.2.3\",\"boot_id\":\"5f0c1a2e-9b1d-4c57-8d7e-0123456789ab\","
                    "\"machine_id\":\"0123456789abcdef0123456789abcdef\",\"started\":\"2026-11-22T00:48:34.000000Z\","
                    "\"landlock\":{\"abi\":7,\"errata\":5},\"sources\":[]}");
        expect_json(&running,
                    "{\"type\":\"domain\",\"snapshot\":true,\"domain\":\"1a6f\",\"domain_uuid\":\"" A_UUID "\","
                    "\"state\":\"allocated\",\"creator\":{\"uid\":1},\"first_seen\":\"2026-11-22T00:48:34.000000Z\","
                    "\"last_seen\":\"2026-11-22T00:48:34.000000Z\",\"denials\":{\"seen\":0},"
                    "\"processes_count\":0,\"origin\":[\"audit\"]}");
        write_to(A, 1);
        expect_json(&running,
                    "{\"type\":\"denial\",\"denial\":1,\"count\":1,\"domain\":\"1a6f\",\"domain_uuid\":\"" A_UUID "\","
                    "\"blockers\":[\"fs.write_file\"],\"object\":{\"kind\":\"file\",\"path\":\"/etc/0\"},"
                    "\"subject\":{\"uid\":1},\"origin\":[\"audit\"]}");
        write_to(A, 3);
        expect_json(&running,
                    "{\"type\":\"denial\",\"denial\":2,\"count\":3,\"last\":\"2026-11-22T00:48:36.000000Z\","
                    "\"domain\":\"1a6f\",\"domain_uuid\":\"" A_UUID "\","
                    "\"blockers\":[\"fs.write_file\"],\"object\":{\"kind\":\"file\",\"path\":\"/etc/0\"},"
                    "\"subject\":{\"uid\":1},\"origin\":[\"audit\"]}");
        order((Order) { .domain = A, .uid = ALICE, .n = 129, .n_objects = 129 });
        for (unsigned i = 0; i < 128; i++)
                check(fgets(running.line, sizeof(running.line), running.output));
        expect_json(&running, "{\"type\":\"lost\",\"source\":\"client\",\"cause\":\"missed\",\"unit\":\"events\",\"count\":1}");
        order((Order) { .domain = A, .freed = true });
        check(fgets(running.line, sizeof(running.line), running.output));
        check(strstr(running.line, "\"type\":\"domain\",\"change\":\"freed\",\"domain\":\"1a6f\""));
        check(strstr(running.line, "\"state\":\"deallocated\""));
        end(&running);
}

static void test_json(void **state) {
        run_client(*state, 0, told_as_json);
}

/* Sent to everybody on the bus, as if it were landlockd's. */
static void forge(sd_bus *bus, const char *member, const char *types, ...) {
        _cleanup_free_ char **names = NULL;

        check(sd_bus_list_names(bus, &names, NULL) >= 0);
        for (char **name = names; *name; name++) {
                sd_bus_message *m = NULL;
                va_list args;

                check(sd_bus_message_new_signal(bus, &m, PATH, MANAGER, member) >= 0);
                va_start(args, types);
                check(sd_bus_message_appendv(m, types, args) >= 0);
                va_end(args);
                check(sd_bus_send_to(bus, m, *name, NULL) >= 0);
                sd_bus_message_unref(m);
                free(*name);
        }
        check(sd_bus_flush(bus) >= 0);
}

static void is_not_fooled(Fixture *f) {
        sd_bus *bus = client_open(f);
        sd_bus_creds *creds = NULL;
        Running running;

        begin(f, &running);
        forge(bus, "Missed", "tt", UINT64_C(1), UINT64_C(7));
        forge(bus, "Denials", "taa{sv}", UINT64_C(1), 1, 1, "HexID", "s", "1234");
        forge(bus, "DomainAdded", "to", UINT64_C(0x1a6f), "/x");
        forge(bus, "DomainRemoved", "to", UINT64_C(0x1a6f), "/x");
        /* The bus has passed them on when it answers. */
        check(sd_bus_get_name_creds(bus, NAME, SD_BUS_CREDS_UNIQUE_NAME, &creds) >= 0);
        sd_bus_creds_unref(creds);
        write_to(A, 1);
        expect(&running, "denial  1a6f      ? fs.write_file /etc/0");
        end(&running);
        sd_bus_close_unref(bus);
}

static void test_forged(void **state) {
        run_client(*state, 0, is_not_fooled);
}

/* Ends by itself, with this sentence as all that it prints. */
static void check_refusal(Fixture *f, int expected_code, const char *sentence, const char *option) {
        Running running;
        int status;

        start(f, &running, (const char *const[]) { option, NULL });
        check(fgets(running.line, sizeof(running.line), running.output));
        if (!strstr(running.line, sentence)) {
                fprintf(stderr, "expected: %s\nactual:   %s\n", sentence, running.line);
                _exit(1);
        }
        check(!fgets(running.line, sizeof(running.line), running.output));
        fclose(running.output);
        check(waitpid(running.pid, &status, 0) == running.pid);
        check(WIFEXITED(status) && WEXITSTATUS(status) == expected_code);
}

static void is_refused(Fixture *f) {
        check_refusal(f, EXIT_CODE_USAGE, "'process' is none of them. With --socket there are more.", "--type=denial,process");
        check_refusal(f, EXIT_CODE_USAGE, "Neither \"denials\" nor \"domains\" are asked for", "--type=lost");
        check_refusal(f, EXIT_CODE_USAGE, "names \"fs.none\", which is none that is known here", "--blocker=fs.none");
        check_refusal(f, EXIT_CODE_FAILURE, "Cannot connect to the bus", "--bus=unix:path=/nonexistent");
}

static void test_refused(void **state) {
        run_client(*state, 0, is_refused);
}

static void may_not_ask(Fixture *f) {
        check_refusal(f, EXIT_CODE_NOT_PERMITTED, "call as root", "--no-legend");
        check_refusal(f, EXIT_CODE_NOT_PERMITTED, "call as root", "--since=0");
}

static void test_not_permitted(void **state) {
        Fixture *f = *state;

        f->bus = bus_free(f->bus);
        f->only_privileged = true;
        assert_int_equal(fixture_new_bus(f, f->address, &f->bus), 0);
        run_client(f, ALICE, may_not_ask);
}

static void finds_nobody(Fixture *f) {
        check_refusal(f, EXIT_CODE_NOT_RUNNING, "landlockd is not running on this bus", "--no-legend");
        check_refusal(f, EXIT_CODE_NOT_RUNNING, "landlockd is not running on this bus", "--since=0");
}

static void test_not_running(void **state) {
        Fixture *f = *state;

        f->bus = bus_free(f->bus);
        run_client(f, 0, finds_nobody);
}

#define each(function) cmocka_unit_test_setup_teardown(function, listener_setup, listener_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                each(test_told),
                each(test_comes_and_goes),
                each(test_missed),
                each(test_domains),
                each(test_types),
                each(test_user),
                each(test_from_the_log),
                each(test_json),
                each(test_forged),
                each(test_refused),
                each(test_not_permitted),
                each(test_not_running),
        };

        fixture_require();
        use_locale("C.UTF-8");
        return cmocka_run_group_tests(tests, NULL, NULL);
}
