/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `monitor --socket` against a server that behaves as a test tells it to: also as landlockd never should. */
#include "test-client-capture.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define HELLO "{\"type\":\"hello\",\"version\":\"1\",\"landlock\":{\"abi\":7},\"sources\":[]}\n"
#define HELLO_TEXT "-                       hello   -         landlockd 1, Landlock ABI 7\n"
#define DENIAL(domain, uuid)                                                                                       \
        "{\"time\":\"2026-11-22T00:28:34.891000Z\",\"type\":\"denial\",\"domain\":\"" domain "\",\"domain_uuid\":\"" uuid \
        "\",\"blockers\":[\"ptrace\"],\"subject\":{\"comm\":\"sh\",\"pid\":7}}\n"
#define DENIAL_TEXT(domain) "2026-11-22 00:28:34.891 denial  " domain " sh[7] ptrace -\n"
#define LOST "{\"type\":\"lost\",\"source\":\"client\",\"cause\":\"slow-client\",\"unit\":\"events\",\"count\":9}\n"
#define OK(op) "{\"type\":\"reply\",\"op\":\"" op "\",\"ok\":true}\n"
#define RULESET "{\"type\":\"ruleset\",\"ruleset\":\"aaaaaaaa0\",\"change\":\"freed\"}\n"
#define RULESET_TEXT "-                       ruleset aaaaaaaa0 freed; rules: 0\n"
#define UUID_1 "5f0c1a2e-9b1d-4c57-8d7e-000000000001"
#define UUID_2 "5f0c1a2e-9b1d-4c57-8d7e-000000000002"

/* In the server's process. False if that is not what came. */
typedef bool (*Script)(int fd);

typedef struct Server {
        char directory[64], path[96];
        pid_t pid;
} Server;

static bool say(int fd, const char *text) {
        return write(fd, text, strlen(text)) == (ssize_t) strlen(text);
}

static bool expect(int fd, const char *line) {
        char text[4096];
        size_t n = 0;

        while (n < sizeof(text) - 1 && read(fd, text + n, 1) == 1)
                if (text[n++] == '\n')
                        break;
        text[n] = '\0';
        if (strcmp(text, line) == 0)
                return true;
        fprintf(stderr, "expected %sgot %s", line, text);
        return false;
}

static void serve(int listener, Script script) {
        int fd;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(20);
        fd = accept(listener, NULL, NULL);
        _exit(fd >= 0 && script(fd) ? 0 : 1);
}

static void server_start(Server *server, Script script) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int listener;

        *server = (Server) { .directory = "/tmp/landlockctl-test.XXXXXX" };
        assert_non_null(mkdtemp(server->directory));
        snprintf(server->path, sizeof(server->path), "%s/s", server->directory);
        strcpy(address.sun_path, server->path);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(listener, (struct sockaddr *) &address, sizeof(address)), 0);
        assert_int_equal(listen(listener, 1), 0);
        server->pid = fork();
        assert_true(server->pid >= 0);
        if (server->pid == 0)
                serve(listener, script);
        close(listener);
}

static void server_stop(Server *server) {
        int status;

        assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
        unlink(server->path);
        rmdir(server->directory);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

/* Runs `monitor` with the words against the script. */
static int monitor_words(Script script, Capture *capture, const char *const *words) {
        const char *line[16] = { "monitor" };
        char option[128];
        Server server;
        size_t n = 1;
        int code;

        server_start(&server, script);
        snprintf(option, sizeof(option), "--socket=%s", server.path);
        line[n++] = option;
        while (*words)
                line[n++] = *words++;
        code = capture_run(capture, line);
        server_stop(&server);
        return code;
}

#define monitor(script, capture, ...) \
        monitor_words((script), (capture), (const char *const[]) { __VA_ARGS__ __VA_OPT__(,) NULL })

static bool plain(int fd) {
        return say(fd, HELLO DENIAL("aaaaaaaa1", UUID_1) LOST) && say(fd, "{\"type\":\"den") &&
               say(fd, "ial\"}\n{\"type\":\"cut o");
}

#define GONE "landlockctl: landlockd closed the connection: it was stopped or restarted, or this client was turned away.\n"

static void test_plain(void **state _unused_) {
        Capture capture;

        assert_int_equal(monitor(plain, &capture), EXIT_CODE_NOT_RUNNING);
        assert_string_equal(capture.text[0],
                            HELLO_TEXT
                            DENIAL_TEXT("aaaaaaaa1")
                            "-                       lost    -         client: 9 events lost (slow-client)\n"
                            "-                       denial  -         ? ? -\n");
        assert_string_equal(capture.text[1], GONE);
        capture_done(&capture);
}

static void test_without_legend(void **state _unused_) {
        Capture capture;

        monitor(plain, &capture, "--no-legend", "--json=off");
        assert_true(strncmp(capture.text[0], "2026", 4) == 0);
        capture_done(&capture);
}

static void test_json(void **state _unused_) {
        Capture capture;

        assert_int_equal(monitor(plain, &capture, "--json=short"), EXIT_CODE_NOT_RUNNING);
        assert_string_equal(capture.text[0], HELLO DENIAL("aaaaaaaa1", UUID_1) LOST "{\"type\":\"denial\"}\n");
        capture_done(&capture);

        monitor(plain, &capture, "--json=pretty");
        assert_non_null(strstr(capture.text[0], "\n        \"domain\": \"aaaaaaaa1\",\n"));
        capture_done(&capture);
}

static bool filtered(int fd) {
        return say(fd, HELLO DENIAL("aaaaaaaa1", UUID_1)) &&
               expect(fd, "{\"op\":\"subscribe\",\"id\":\"subscribe\",\"types\":[\"denial\",\"lost\"],"
                          "\"blockers\":[\"ptrace\"],\"domains\":[\"aaaaaaaa2\"]}\n") &&
               say(fd, DENIAL("aaaaaaaa1", UUID_1) OK("subscribe") RULESET DENIAL("aaaaaaaa2", UUID_2) LOST);
}

/* What came before the filter was there is not shown. */
static void test_filter(void **state _unused_) {
        Capture capture;

        monitor(filtered, &capture, "--type=denial,lost", "--blocker=ptrace", "--domain=0xAAAAAAAA2");
        assert_string_equal(capture.text[0],
                            HELLO_TEXT RULESET_TEXT DENIAL_TEXT("aaaaaaaa2")
                            "-                       lost    -         client: 9 events lost (slow-client)\n");
        capture_done(&capture);
}

static bool filtered_by_uuid(int fd) {
        return say(fd, HELLO) && expect(fd, "{\"op\":\"subscribe\",\"id\":\"subscribe\"}\n") &&
               say(fd, OK("subscribe") RULESET DENIAL("aaaaaaaa1", UUID_1) DENIAL("aaaaaaaa2", UUID_2)
                       DENIAL("aaaaaaaa3", "x"));
}

/* landlockd filters by ID, so this is done here. */
static void test_filter_by_uuid(void **state _unused_) {
        Capture capture;

        monitor(filtered_by_uuid, &capture, "--domain=" UUID_2 ",aaaaaaaa3");
        assert_string_equal(capture.text[0], HELLO_TEXT DENIAL_TEXT("aaaaaaaa2") DENIAL_TEXT("aaaaaaaa3"));
        capture_done(&capture);
}

static bool in_order(int fd) {
        return say(fd, HELLO DENIAL("aaaaaaaa1", UUID_1)) &&
               expect(fd, "{\"op\":\"subscribe\",\"id\":\"subscribe\",\"types\":[\"denial\"]}\n") &&
               say(fd, OK("subscribe") DENIAL("aaaaaaaa2", UUID_1)) &&
               expect(fd, "{\"op\":\"replay\",\"id\":\"replay\",\"since\":5}\n") &&
               say(fd, OK("replay") DENIAL("aaaaaaaa2", UUID_1)) &&
               expect(fd, "{\"op\":\"snapshot\",\"id\":\"snapshot\"}\n") &&
               say(fd, DENIAL("aaaaaaaa3", UUID_1) "{\"type\":\"reply\",\"op\":\"snapshot\",\"ok\":true,"
                       "\"domains\":1,\"processes\":2,\"denials\":3}\n" DENIAL("aaaaaaaa4", UUID_1));
}

/* No event twice: what is replayed is shown from there only. */
static void test_replay_and_snapshot(void **state _unused_) {
        Capture capture;

        monitor(in_order, &capture, "--since=5", "--snapshot", "--type=denial");
        assert_string_equal(capture.text[0],
                            HELLO_TEXT DENIAL_TEXT("aaaaaaaa2") DENIAL_TEXT("aaaaaaaa3")
                            "End of the snapshot (rulesets: 0, domains: 1, processes: 2, denials: 3); what follows happens now.\n"
                            DENIAL_TEXT("aaaaaaaa4"));
        capture_done(&capture);
}

static bool refusing(int fd) {
        return say(fd, HELLO) && expect(fd, "{\"op\":\"subscribe\",\"id\":\"subscribe\",\"types\":[\"x\"]}\n") &&
               say(fd, "{\"type\":\"reply\",\"ok\":false,\"error\":{\"name\":\"bad-member\",\"message\":\"No \\u001b x.\"}}\n");
}

static bool turning_away(int fd) {
        return say(fd, "{\"type\":\"reply\",\"ok\":false,\"error\":{\"name\":\"too-many-clients\",\"message\":\"Full.\"}}\n");
}

static void test_refused(void **state _unused_) {
        Capture capture;

        assert_int_equal(monitor(refusing, &capture, "--type=x"), EXIT_CODE_USAGE);
        assert_string_equal(capture.text[1], "landlockctl: landlockd refused the request: No \\x1b x.\n");
        capture_done(&capture);

        assert_int_equal(monitor(turning_away, &capture), EXIT_CODE_FAILURE);
        assert_string_equal(capture.text[1], "landlockctl: landlockd refused the request: Full.\n");
        capture_done(&capture);
}

static bool hostile(int fd) {
        char block[4096];

        memset(block, 'x', sizeof(block));
        if (!say(fd, "{\"type\":\"\x1b[2J\"}\nnot JSON\n"))
                return false;
        for (unsigned i = 0; i < 200; i++)
                if (write(fd, block, sizeof(block)) != sizeof(block))
                        return false;
        return say(fd, "\n" DENIAL("aaaaaaaa1", UUID_1));
}

/* Nothing of it reaches the terminal, and what comes after it does. */
static void test_hostile(void **state _unused_) {
        Capture capture;

        assert_int_equal(monitor(hostile, &capture), EXIT_CODE_NOT_RUNNING);
        assert_string_equal(capture.text[0], DENIAL_TEXT("aaaaaaaa1"));
        assert_string_equal(capture.text[1],
                            "landlockctl: What landlockd sent is no event: skipped one line of 15 bytes.\n"
                            "landlockctl: What landlockd sent is no event: skipped one line of 8 bytes.\n"
                            "landlockctl: What landlockd sent is no event: skipped a line without an end.\n" GONE);
        capture_done(&capture);
}

static pid_t interrupted_client;

static bool waiting(int fd) {
        char byte;

        if (!say(fd, HELLO))
                return false;
        usleep(300 * 1000);
        kill(interrupted_client, SIGINT);
        return read(fd, &byte, 1) == 0; /* it hung up */
}

static void test_interrupt(void **state _unused_) {
        Capture capture;

        interrupted_client = getpid();
        assert_int_equal(monitor(waiting, &capture), EXIT_CODE_OK);
        assert_string_equal(capture.text[0], HELLO_TEXT);
        assert_string_equal(capture.text[1], "");
        capture_done(&capture);
}

static void test_nobody_there(void **state _unused_) {
        char path[160], option[192];
        Capture capture;

        assert_int_equal(run(&capture, "monitor", "--socket=/nonexistent/s"), EXIT_CODE_NOT_RUNNING);
        assert_non_null(strstr(capture.text[1], "landlockd is not running: nothing listens on /nonexistent/s."));
        capture_done(&capture);

        memset(path, 'x', sizeof(path) - 1);
        path[sizeof(path) - 1] = '\0';
        snprintf(option, sizeof(option), "--socket=%s", path);
        assert_int_equal(run(&capture, "monitor", option), EXIT_CODE_USAGE);
        capture_done(&capture);

        assert_int_equal(run(&capture, "monitor", "--socket=/dev/null"), EXIT_CODE_NOT_RUNNING);
        capture_done(&capture);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_plain),
                cmocka_unit_test(test_without_legend),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_filter),
                cmocka_unit_test(test_filter_by_uuid),
                cmocka_unit_test(test_replay_and_snapshot),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_hostile),
                cmocka_unit_test(test_nobody_there),
                cmocka_unit_test(test_interrupt),
        };

        use_locale("C.UTF-8");
        return cmocka_run_group_tests(tests, NULL, NULL);
}
