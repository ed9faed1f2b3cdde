/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom polkit lets observe all, and what becomes of calls while it says nothing. */
#include "test-bus-fixture.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"

/* polkit in a process of its own, which the test tells what to say. */
typedef struct Polkit {
        bool allows, silent;
        unsigned n_asked, n_interactive;
        char last_name[64], last_action[64];
        bool changed; /* to be told */
} Polkit;

static volatile Polkit *polkit;

static int on_check(sd_bus_message *m, void *userdata _unused_, sd_bus_error *error _unused_) {
        const char *kind, *name, *action, *cancellation;
        uint32_t flags;

        if (!sd_bus_message_is_method_call(m, "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization"))
                return 0;
        check(sd_bus_message_read(m, "(sa{sv})s", &kind, 1, NULL, "s", &name, &action) >= 0);
        check(sd_bus_message_skip(m, "a{ss}") >= 0);
        check(sd_bus_message_read(m, "us", &flags, &cancellation) > 0);
        check(strcmp(kind, "system-bus-name") == 0 && strcmp(action, NAME ".observe-all") == 0);
        polkit->n_asked++;
        polkit->n_interactive += flags == 1;
        if (polkit->silent)
                return 1;
        return sd_bus_reply_method_return(m, "(bba{ss})", polkit->allows || flags == 1, false, 0);
}

static void be_polkit(const Fixture *f, pid_t parent, int ready) {
        sd_bus *bus = client_open(f);

        check(sd_bus_add_filter(bus, NULL, on_check, NULL) >= 0);
        check(sd_bus_request_name(bus, "org.freedesktop.PolicyKit1", 0) > 0);
        close(ready);
        /* A parent that is not root any more could not kill it. */
        while (getppid() == parent) {
                int r = sd_bus_process(bus, NULL);

                check(r >= 0);
                if (r == 0)
                        check(sd_bus_wait(bus, 10000) >= 0);
                if (polkit->changed) {
                        check(sd_bus_emit_signal(bus, "/org/freedesktop/PolicyKit1/Authority",
                                                 "org.freedesktop.PolicyKit1.Authority", "Changed", "") >= 0);
                        check(sd_bus_flush(bus) >= 0);
                        polkit->changed = false;
                }
        }
        _exit(0);
}

static void start_polkit(const Fixture *f) {
        pid_t parent = getpid(), pid;
        int fds[2];
        char c;

        check(pipe(fds) == 0);
        pid = fork();
        check(pid >= 0);
        if (pid == 0) {
                close(fds[0]);
                be_polkit(f, parent, fds[1]);
        }
        close(fds[1]);
        check(read(fds[0], &c, 1) == 0);
        close(fds[0]);
}

static char *get_interactively(sd_bus *bus) {
        sd_bus_message *m = NULL, *reply = NULL;
        char *text;
        uint64_t n;

        check(sd_bus_message_new_method_call(bus, &m, NAME, PATH, "org.freedesktop.DBus.Properties", "Get") >= 0);
        check(sd_bus_message_append(m, "ss", MANAGER, "LiveDomains") >= 0);
        check(sd_bus_message_set_allow_interactive_authorization(m, true) >= 0);
        check(sd_bus_call(bus, m, 0, NULL, &reply) >= 0);
        check(sd_bus_message_read(reply, "v", "t", &n) > 0);
        check(asprintf(&text, "<t %" PRIu64 ">", n) > 0);
        sd_bus_message_unref(m);
        sd_bus_message_unref(reply);
        return text;
}

static void change_polkit(bool allows) {
        polkit->allows = allows;
        polkit->changed = true;
        while (polkit->changed)
                usleep(1000);
        /* Until landlockd has got the signal: the bus delivers in order, and it is asked for by nothing else. */
        usleep(50000);
}

static void ask_with_polkit(Fixture *f) {
        sd_bus *bus;

        start_polkit(f);
        check(setresuid(USER, USER, USER) == 0);
        bus = client_open(f);
        polkit->allows = true;
        check_text(client_get(bus, PATH, MANAGER, "LiveDomains"), "<t 4>");
        check_text(client_get(bus, PATH, MANAGER, "LiveDomains"), "<t 4>");
        check(polkit->n_asked == 1);
        change_polkit(false);
        check_text(client_get(bus, PATH, MANAGER, "LiveDomains"), "<t 2>");
        check_text(client_get(bus, PATH, MANAGER, "LiveDomains"), "<t 2>");
        check(polkit->n_asked == 2 && polkit->n_interactive == 0);

        /* Somebody types a password. */
        check_text(get_interactively(bus), "<t 4>");
        check_text(get_interactively(bus), "<t 4>");
        check_text(client_get(bus, PATH, MANAGER, "LiveDomains"), "<t 4>");
        check(polkit->n_asked == 3 && polkit->n_interactive == 1);
        sd_bus_close_unref(bus);
}

/* It takes until the deadline; nothing else waits for that. */
static void ask_with_silent_polkit(Fixture *f) {
        uint64_t begin = clock_monotonic_usec(), took;
        sd_bus *bus;

        polkit->silent = true;
        start_polkit(f);
        bus = client_open(f);
        check_text(client_get(bus, PATH, MANAGER, "LiveDomains"), "<t 4>");
        check(clock_monotonic_usec() - begin < 2 * USEC_PER_SEC);
        sd_bus_close_unref(bus);

        check(setresuid(USER, USER, USER) == 0);
        bus = client_open(f);
        check_text(client_get(bus, PATH, MANAGER, "LiveDomains"), "<t 2>");
        took = clock_monotonic_usec() - begin;
        check(took >= 3 * USEC_PER_SEC && took < 6 * USEC_PER_SEC);
        check_text(client_get(bus, PATH, MANAGER, "LiveDomains"), "<t 2>");
        check(clock_monotonic_usec() - begin - took < USEC_PER_SEC);
        sd_bus_close_unref(bus);
}

static void test_polkit(void **state) {
        *(Polkit *) polkit = (Polkit) {};
        run_client(*state, 0, ask_with_polkit);
}

static void test_silent_polkit(void **state) {
        *(Polkit *) polkit = (Polkit) {};
        run_client(*state, 0, ask_with_silent_polkit);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_polkit),
                cmocka_unit_test(test_silent_polkit),
        };

        fixture_require();
        polkit = mmap(NULL, sizeof(Polkit), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_true(polkit != MAP_FAILED);
        return cmocka_run_group_tests(tests, two_users_set_up, two_users_tear_down);
}
