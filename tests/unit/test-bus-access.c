/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who gets what from the real interface, whatever is asked and however. What each kind of caller may see is in
 * test-bus-caller.c; here it is that nothing goes past that. The fixture's bus lets everything through, so what is
 * refused is refused by landlockd. */
#include "test-bus-fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define DENIED "org.freedesktop.DBus.Error.AccessDenied"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define INTROSPECTABLE "org.freedesktop.DBus.Introspectable"

/* Domains of USER, of NOBODY and of root: each has an outer one, one nested in it, and a freed one. */
#define NOBODY_DOMAIN UINT64_C(0x2a01)

static int setup(void **state) {
        static Fixture f;

        fixture_start(&f, &small_limits);
        tell_user(&f, 100, USER_DOMAIN, USER);
        tell_user(&f, 200, NOBODY_DOMAIN, NOBODY);
        tell_user(&f, 300, ROOT_DOMAIN, 0);
        *state = &f;
        return 0;
}

static int teardown(void **state) {
        fixture_stop(*state);
        return 0;
}

typedef struct Call {
        const char *path, *interface, *member, *types;
        uintptr_t arguments[6];
} Call;

#define OBJECT "/domain/_"
#define S(text) (uintptr_t) (text)
#define OPTION(name, type, value) 1, S(name), S(type), (value)

/* Everything that is asked about domain 0xDa01; D stands for 1, 2 and 3. */
#define CALLS_ABOUT(D)                                                                                              \
        { PATH, MANAGER, "GetDomain", "s", { S(#D "a01") } },                                                       \
        { PATH, MANAGER, "GetDomain", "s", { S(#D "a03") } },                                                       \
        { PATH, MANAGER, "GetDomainByID", "t", { 0x##D##a01 } },                                                    \
        { PATH, MANAGER, "GetDomainByID", "t", { 0x##D##a03 } },                                                    \
        { PATH, MANAGER, "DescribeDomain", "t", { 0x##D##a01 } },                                                   \
        { PATH, MANAGER, "DescribeDomain", "t", { 0x##D##a02 } },                                                   \
        { PATH, MANAGER, "DescribeDomain", "t", { 0x##D##a03 } },                                                   \
        { PATH, MANAGER, "DescribeRuleset", "s", { S(#D "a01") } },                                                 \
        { PATH, MANAGER, "ListDomains", "a{sv}", { OPTION("after", "t", 0x##D##a02) } },                            \
        { PATH, MANAGER, "ListProcesses", "a{sv}", { OPTION("domain", "t", 0x##D##a01) } },                         \
        { PATH, MANAGER, "ListProcesses", "a{sv}", { OPTION("domain", "t", 0x##D##a03) } },                         \
        { PATH, MANAGER, "ListDenials", "a{sv}", { OPTION("domain", "t", 0x##D##a01) } },                           \
        { PATH, MANAGER, "LookupPID", "ua{sv}", { 0x##D##a01, 0 } },                                                \
        { PATH OBJECT #D "a01", PROPERTIES, "GetAll", "s", { S(DOMAIN) } },                                         \
        { PATH OBJECT #D "a01", PROPERTIES, "GetAll", "s", { S("") } },                                             \
        { PATH OBJECT #D "a01", PROPERTIES, "GetAll", "s", { S(PROPERTIES) } },                                     \
        { PATH OBJECT #D "a02", PROPERTIES, "Get", "ss", { S(DOMAIN), S("Parent") } },                              \
        { PATH OBJECT #D "a01", PROPERTIES, "Get", "ss", { S(DOMAIN), S("Rules") } },                               \
        { PATH OBJECT #D "a01", PROPERTIES, "Get", "ss", { S(DOMAIN), S("NoSuchProperty") } },                      \
        { PATH OBJECT #D "a01", PROPERTIES, "Set", "ssv", { S(DOMAIN), S("State"), S("s"), S("x") } },              \
        { PATH OBJECT #D "a03", PROPERTIES, "GetAll", "s", { S(DOMAIN) } },                                         \
        { PATH OBJECT #D "a01", INTROSPECTABLE, "Introspect", "" , { 0 } },                                         \
        { PATH OBJECT #D "a01/x", INTROSPECTABLE, "Introspect", "", { 0 } },                                        \
        { PATH OBJECT #D "a01", DOMAIN, "NoSuchMethod", "", { 0 } },                                                \
        { PATH OBJECT #D "a01", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", { 0 } },             \
        { PATH OBJECT #D "a01", "org.freedesktop.DBus.Peer", "GetMachineId", "", { 0 } }

static const Call calls[] = {
        CALLS_ABOUT(1),
        CALLS_ABOUT(2),
        CALLS_ABOUT(3),
        { PATH, MANAGER, "ListDomains", "a{sv}", { 0 } },
        { PATH, MANAGER, "ListDomains", "a{sv}", { OPTION("state", "s", S("any")) } },
        { PATH, MANAGER, "ListDomains", "a{sv}", { OPTION("limit", "u", 1) } },
        { PATH, MANAGER, "ListDomains", "a{sv}", { OPTION("uid", "u", 0) } },
        { PATH, MANAGER, "ListDomains", "a{sv}", { OPTION("uid", "u", USER) } },
        { PATH, MANAGER, "ListDomains", "a{sv}", { OPTION("uid", "u", NOBODY) } },
        { PATH, MANAGER, "ListDomains", "a{sv}", { OPTION("has-denials", "b", 1) } },
        { PATH, MANAGER, "ListDomains", "a{sv}", { OPTION("label", "s", S("creator")) } },
        { PATH, MANAGER, "ListDomains", "a{sv}", { OPTION("since", "t", 1) } },
        { PATH, MANAGER, "ListProcesses", "a{sv}", { 0 } },
        { PATH, MANAGER, "ListProcesses", "a{sv}", { OPTION("limit", "u", 1) } },
        { PATH, MANAGER, "Subscribe", "a{sv}", { 0 } },
        { PATH, MANAGER, "Subscribe", "a{sv}", { OPTION("domains", "b", true) } },
        { PATH, MANAGER, "Unsubscribe", "t", { 2 } },
        { PATH, MANAGER, "Unsubscribe", "t", { 100 } },
        { PATH, MANAGER, "ListDenials", "a{sv}", { 0 } },
        { PATH, MANAGER, "ListDenials", "a{sv}", { OPTION("limit", "u", 1) } },
        { PATH, MANAGER, "ListDenials", "a{sv}", { OPTION("since", "t", 1) } },
        { PATH, MANAGER, "ListDenials", "a{sv}", { OPTION("since", "t", 100) } },
        { PATH, MANAGER, "LookupPID", "ua{sv}", { 1, 0 } },
        { PATH, MANAGER, "LookupPIDFD", "ha{sv}", { 0, 0 } },
        { PATH, MANAGER, "LookupCaller", "a{sv}", { OPTION("x", "u", 1) } },
        { PATH, MANAGER, "IsSameSandbox", "hh", { 0, 0 } },
        { PATH, PROPERTIES, "Get", "ss", { S(MANAGER), S("LiveDomains") } },
        { PATH, PROPERTIES, "Get", "ss", { S(MANAGER), S("FreedDomains") } },
        { PATH, PROPERTIES, "Get", "ss", { S(MANAGER), S("Counters") } },
        { PATH, PROPERTIES, "GetAll", "s", { S(MANAGER) } },
        { PATH, PROPERTIES, "GetAll", "s", { S("") } },
        { PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", { 0 } },
        { PATH "/domain", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", { 0 } },
        { PATH, INTROSPECTABLE, "Introspect", "", { 0 } },
        { PATH "/domain", INTROSPECTABLE, "Introspect", "", { 0 } },
        { "/", INTROSPECTABLE, "Introspect", "", { 0 } },
        { "/io/landlock", INTROSPECTABLE, "Introspect", "", { 0 } },
        { PATH, MANAGER, "NoSuchMethod", "", { 0 } },
        { "/nothing", INTROSPECTABLE, "Introspect", "", { 0 } },
        { PATH, "org.freedesktop.DBus.Peer", "GetMachineId", "", { 0 } },
        { PATH, "org.freedesktop.DBus.Peer", "Ping", "", { 0 } },
};

static char *ask(sd_bus *bus, const Call *call) {
        const uintptr_t *a = call->arguments;

        return client_call(bus, call->path, call->interface, call->member, call->types, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* What one user is told in answer to each call, in memory that the test's processes share. */
#define TRANSCRIPT_SIZE (4 << 20)
static char *transcript;

static void write_transcript(Fixture *f) {
        sd_bus *bus = client_open(f);
        char *p = transcript;

        for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
                char *answer = ask(bus, &calls[i]);

                p += snprintf(p, TRANSCRIPT_SIZE - (p - transcript), "%zu %s %s.%s: %s\n", i, calls[i].path,
                              calls[i].interface, calls[i].member, answer);
                check(p < transcript + TRANSCRIPT_SIZE);
                free(answer);
        }
        sd_bus_close_unref(bus);
}

static char *transcript_of(Fixture *f, uid_t uid) {
        char *copy;

        run_client(f, uid, write_transcript);
        copy = strdup(transcript);
        assert_non_null(copy);
        return copy;
}

/* The first line in which they differ. */
static void assert_same(const char *a, const char *b) {
        const char *line = a;

        for (; *a && *a == *b; a++, b++)
                if (*a == '\n')
                        line = a + 1;
        if (*a != *b)
                fail_msg("told by %.900s\nand otherwise by %.900s", line, b - (a - line));
}

/* Each user is told the same, to the letter, in a world where there is only what is his. */
static void test_nothing_of_others(void **state _unused_) {
        static const struct { uid_t uid; uint64_t domain; } users[] = { { USER, USER_DOMAIN }, { NOBODY, NOBODY_DOMAIN } };

        for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
                _cleanup_free_ char *alone = NULL, *among_others = NULL;
                Fixture f;

                /* His come first, since denials are numbered over all users. */
                fixture_start(&f, &small_limits);
                tell_user(&f, 200, users[i].domain, users[i].uid);
                alone = transcript_of(&f, users[i].uid);
                tell_user(&f, 100, users[!i].domain, users[!i].uid);
                tell_user(&f, 300, ROOT_DOMAIN, 0);
                among_others = transcript_of(&f, users[i].uid);
                fixture_stop(&f);
                assert_same(alone, among_others);
        }
}

/* Both denials, and of the one whose other party is in the user's own domain, who that is. */
static void check_denials(char *denials) {
        check(count(denials, "\"Subject\"") == 2);
        check(count(denials, "\"comm\": <s \"other\">") == 1 && count(denials, "\"pid\": <x 77>") == 1);
        free(denials);
}

/* It is not that nobody is told anything. */
static void sees_own(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_denials(client_manager(bus, "ListDenials", "a{sv}", 0));

        check_text(client_get(bus, PATH, MANAGER, "LiveDomains"), "<t 2>");
        check_text(client_get(bus, PATH, MANAGER, "FreedDomains"), "<t 1>");
        check_text(client_get(bus, PATH, MANAGER, "Counters"), "<a{st} {}>");
        check_text(client_get(bus, PATH OBJECT "1a01", DOMAIN, "State"), "<s \"allocated\">");
        check_text(client_get(bus, PATH OBJECT "1a02", DOMAIN, "Parent"), "<t 6657>");
        check_text(client_get(bus, PATH OBJECT "1a01", DOMAIN, "Children"), "<ao [\"" PATH OBJECT "1a02\"]>");
        check_text(client_get(bus, PATH OBJECT "1a01", DOMAIN, "ProcessesCount"), "<t 1>");
        check_text(client_error(bus, PATH, MANAGER, "DescribeDomain", "t", USER_DOMAIN + 2), "");
        check_text(client_error(bus, PATH, MANAGER, "DescribeRuleset", "s", "1a01"), "");
        check_text(client_error(bus, PATH, MANAGER, "DescribeDomain", "t", NOBODY_DOMAIN), NAME ".Error.NoSuchDomain");
        check_text(client_error(bus, PATH, MANAGER, "DescribeRuleset", "s", "2a01"), NAME ".Error.NoSuchRuleset");
        sd_bus_close_unref(bus);
}

static void test_own(void **state) {
        run_client(*state, USER, sees_own);
}

/* Every method there is has to be among the calls, so that one that is added cannot be forgotten. */
static void methods_are_called(Fixture *f) {
        sd_bus *bus = client_open(f);
        char *xml = client_introspect(bus, PATH), *p = xml;
        size_t n = 0;

        while ((p = strstr(p, "<method name=\""))) {
                size_t len = strcspn(p += strlen("<method name=\""), "\""), i = 0;

                while (i < ARRAY_SIZE(calls) &&
                       (strlen(calls[i].member) != len || strncmp(calls[i].member, p, len) != 0))
                        i++;
                if (i == ARRAY_SIZE(calls)) {
                        fprintf(stderr, "The method %.*s is not called.\n", (int) len, p);
                        _exit(1);
                }
                n++;
        }
        check(n > 10);
        free(xml);
        sd_bus_close_unref(bus);
}

static void test_all_methods(void **state) {
        run_client(*state, 0, methods_are_called);
}

static void is_refused(Fixture *f) {
        sd_bus *bus = client_open(f);

        for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
                char *answer = ask(bus, &calls[i]);

                check(strcmp(calls[i].member, "Ping") == 0 || strstr(answer, "!" DENIED ": Here only root"));
                free(answer);
        }
        sd_bus_close_unref(bus);
}

static void is_answered(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(client_get(bus, PATH, MANAGER, "LiveDomains"), "<t 2>");
        sd_bus_close_unref(bus);
}

/* UnprivilegedAccess=no */
static void test_only_privileged(void **state _unused_) {
        Fixture f;

        fixture_start(&f, &small_limits);
        f.bus = bus_free(f.bus);
        f.only_privileged = true;
        assert_int_equal(fixture_new_bus(&f, f.address, &f.bus), 0);
        tell_user(&f, 100, USER_DOMAIN, USER);
        run_client(&f, USER, is_refused);
        assert_int_equal(f.status.counters.bus_calls_denied, ARRAY_SIZE(calls) - 1);
        run_client(&f, 0, is_answered);
        fixture_stop(&f);
}

static int cannot_tell(int64_t tid _unused_, uint64_t *ret_domain _unused_) {
        return -EOPNOTSUPP;
}

static int is_in_user_domain(int64_t tid _unused_, uint64_t *ret_domain) {
        *ret_domain = USER_DOMAIN;
        return 0;
}

static unsigned n_later;

static int can_tell_later(int64_t tid _unused_, uint64_t *ret_domain) {
        *ret_domain = 0;
        return n_later++ < 5 ? -EAGAIN : 0;
}

static void place_is_unknown(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(client_error(bus, PATH, MANAGER, "ListDomains", "a{sv}", 0), NAME ".Error.CallerDomainUnknown");
        check_text(client_error(bus, PATH, INTROSPECTABLE, "Introspect", ""), NAME ".Error.CallerDomainUnknown");
        sd_bus_close_unref(bus);
}

static void sees_all(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(client_get(bus, PATH, MANAGER, "LiveDomains"), "<t 6>");
        sd_bus_close_unref(bus);
}

static void sees_nested(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(client_get(bus, PATH, MANAGER, "LiveDomains"), "<t 1>");
        check_text(client_get(bus, PATH, MANAGER, "FreedDomains"), "<t 0>");
        check_text(client_error(bus, PATH, MANAGER, "DescribeDomain", "t", USER_DOMAIN), NAME ".Error.NoSuchDomain");
        check_text(client_error(bus, PATH, MANAGER, "DescribeDomain", "t", USER_DOMAIN + 1), "");
        check_text(client_get(bus, PATH OBJECT "1a02", DOMAIN, "Parent"), "<t 0>");
        check_text(client_get(bus, PATH OBJECT "1a02", DOMAIN, "ParentPath"), "<o \"/\">");
        sd_bus_close_unref(bus);
}

/* Where the caller is is asked at each call. */
static void test_place(void **state) {
        Fixture *f = *state;

        f->read_domain = cannot_tell;
        run_client(f, USER, place_is_unknown);
        run_client(f, 0, sees_all);
        f->read_domain = is_in_user_domain;
        run_client(f, USER, sees_nested);
        run_client(f, 0, sees_nested);
        run_client(f, NOBODY, write_transcript);
        assert_null(strstr(transcript, "allocated"));
        f->read_domain = can_tell_later;
        run_client(f, 0, sees_all);
        assert_true(n_later > 5);
        f->read_domain = NULL;
        run_client(f, 0, sees_all);
}

/* A user who was root when connecting stays what the bus saw; one who was not does not become it. */
static void drop_after_connecting(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(client_get(bus, PATH, MANAGER, "LiveDomains"), "<t 6>");
        check(setresuid(USER, USER, USER) == 0);
        check_text(client_get(bus, PATH, MANAGER, "LiveDomains"), "<t 6>");
        sd_bus_close_unref(bus);

        bus = client_open(f);
        check_text(client_get(bus, PATH, MANAGER, "LiveDomains"), "<t 2>");
        sd_bus_close_unref(bus);
}

static void test_effective_uid(void **state) {
        run_client(*state, 0, drop_after_connecting);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing_of_others),
                cmocka_unit_test(test_own),
                cmocka_unit_test(test_all_methods),
                cmocka_unit_test(test_only_privileged),
                cmocka_unit_test(test_place),
                cmocka_unit_test(test_effective_uid),
        };

        fixture_require();
        transcript = mmap(NULL, TRANSCRIPT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_true(transcript != MAP_FAILED);
        return cmocka_run_group_tests(tests, setup, teardown);
}
