/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Only root is answered, whatever is asked and however. The fixture's bus lets everything through, so what is
 * refused is refused by landlockd. */
#include "test-bus-fixture.h"

#include <string.h>

#define DENIED "org.freedesktop.DBus.Error.AccessDenied"
#define SENTENCE "!" DENIED ": Only root may ask landlockd: call as root, for example with sudo."

/* Of publish/bus-access.c. */
#define CALLERS_MAX 128
#define HELD_MAX 32
/* Below what dbus-daemon lets one connection wait for. */
#define MANY 120

static const DomainTableLimits limits = { .n_domains = 64, .n_denials = 64, .n_processes = 64 };

static int setup(void **state) {
        static Fixture f;

        fixture_start(&f, &limits);
        tell_denied(&f, 1, &(Denial) { .domain = 0x1a6f });
        *state = &f;
        return 0;
}

static int teardown(void **state) {
        fixture_stop(*state);
        return 0;
}

/* All that can be called, and what cannot: a caller who may not ask is not told the difference. */
static const struct {
        const char *path, *interface, *member, *types;
        uintptr_t arguments[2];
        bool valid;
} calls[] = {
        { PATH, MANAGER, "ListDomains", "a{sv}", { 0 }, true },
        { PATH, MANAGER, "GetDomain", "s", { (uintptr_t) "1a6f" }, true },
        { PATH, MANAGER, "GetDomainByID", "t", { 0x1a6f }, true },
        { PATH, MANAGER, "DescribeDomain", "t", { 0x1a6f }, true },
        { PATH, MANAGER, "ListDenials", "a{sv}", { 0 }, true },
        { PATH, "org.freedesktop.DBus.Properties", "Get", "ss", { (uintptr_t) MANAGER, (uintptr_t) "Version" }, true },
        { PATH, "org.freedesktop.DBus.Properties", "GetAll", "s", { (uintptr_t) MANAGER }, true },
        { PATH, "org.freedesktop.DBus.Properties", "GetAll", "s", { (uintptr_t) "" }, true },
        { PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", {}, true },
        { PATH, "org.freedesktop.DBus.Introspectable", "Introspect", "", {}, true },
        { PATH "/domain", "org.freedesktop.DBus.Introspectable", "Introspect", "", {}, true },
        { "/", "org.freedesktop.DBus.Introspectable", "Introspect", "", {}, true },
        { PATH "/domain/_1a6f", "org.freedesktop.DBus.Properties", "Get", "ss",
          { (uintptr_t) DOMAIN, (uintptr_t) "State" }, true },
        { PATH "/domain/_1a6f", "org.freedesktop.DBus.Properties", "GetAll", "s", { (uintptr_t) DOMAIN }, true },
        { PATH, "org.freedesktop.DBus.Peer", "GetMachineId", "", {}, true },
        { PATH, MANAGER, "GetDomainByID", "t", { 0xbad }, false },
        { PATH, MANAGER, "NoSuchMethod", "", {}, false },
        { PATH "/domain/_bad", "org.freedesktop.DBus.Properties", "GetAll", "s", { (uintptr_t) DOMAIN }, false },
        { "/nothing", "org.freedesktop.DBus.Introspectable", "Introspect", "", {}, false },
};

static void call_all(Fixture *f) {
        sd_bus *bus = client_open(f);
        bool root = geteuid() == 0;

        for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
                char *answer = client_call(
                                bus, calls[i].path, calls[i].interface, calls[i].member, calls[i].types,
                                calls[i].arguments[0], calls[i].arguments[1]);

                if (root)
                        check((answer[0] == '!') == !calls[i].valid && !strstr(answer, DENIED));
                else
                        check(strcmp(answer, SENTENCE) == 0);
                free(answer);
        }
        check_text(client_call(bus, PATH, "org.freedesktop.DBus.Peer", "Ping", ""), "");
        sd_bus_close_unref(bus);
}

static void test_who(void **state) {
        Fixture *f = *state;
        uint64_t before = f->status.counters.bus_calls_denied;

        run_client(f, 0, call_all);
        assert_int_equal(f->status.counters.bus_calls_denied, before);
        run_client(f, NOBODY, call_all);
        assert_int_equal(f->status.counters.bus_calls_denied, before + ARRAY_SIZE(calls));
        run_client(f, 1000, call_all);
        assert_int_equal(f->status.counters.bus_calls_denied, before + 2 * ARRAY_SIZE(calls));
}

/* A user who was root when connecting stays what the bus saw; one who was not does not become it. */
static void drop_after_connecting(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(client_get(bus, PATH, MANAGER, "Version"), "<s \"1.2.3\">");
        check(setresuid(NOBODY, NOBODY, NOBODY) == 0);
        check_text(client_get(bus, PATH, MANAGER, "Version"), "<s \"1.2.3\">");
        sd_bus_close_unref(bus);

        bus = client_open(f);
        check_text(client_get(bus, PATH, MANAGER, "Version"), SENTENCE);
        sd_bus_close_unref(bus);
}

static void test_effective_uid(void **state) {
        run_client(*state, 0, drop_after_connecting);
}

static unsigned n_answers, n_ok, n_denied, n_busy;

static int on_answer(sd_bus_message *m, void *userdata _unused_, sd_bus_error *error _unused_) {
        const sd_bus_error *e = sd_bus_message_get_error(m);

        n_answers++;
        n_ok += !e;
        n_denied += e && strcmp(e->name, SD_BUS_ERROR_ACCESS_DENIED) == 0;
        n_busy += e && strcmp(e->name, SD_BUS_ERROR_LIMITS_EXCEEDED) == 0;
        return 1;
}

/* Sends n calls before reading an answer, and waits for all of them. */
static void call_at_once(const Fixture *f, unsigned n) {
        sd_bus *bus = client_open(f);

        for (unsigned i = 0; i < n; i++)
                check(sd_bus_call_method_async(
                                bus, NULL, NAME, PATH, "org.freedesktop.DBus.Properties", "GetAll", on_answer, NULL,
                                "s", MANAGER) >= 0);
        for (n_answers = n_ok = n_denied = n_busy = 0; n_answers < n;) {
                int r = sd_bus_process(bus, NULL);

                check(r >= 0);
                if (r == 0)
                        check(sd_bus_wait(bus, UINT64_MAX) >= 0);
        }
        sd_bus_close_unref(bus);
}

static void as_many_as_are_held(Fixture *f) {
        call_at_once(f, HELD_MAX);
        check(geteuid() == 0 ? n_ok == HELD_MAX : n_denied == HELD_MAX);
}

/* All are answered. How many had to be turned away depends on how fast the bus answers in between. */
static void more_than_are_held(Fixture *f) {
        call_at_once(f, MANY);
        check((geteuid() == 0 ? n_ok : n_denied) >= HELD_MAX);
        check((geteuid() == 0 ? n_ok : n_denied) + n_busy == MANY);
}

static void test_held(void **state) {
        Fixture *f = *state;
        uint64_t before = f->status.counters.bus_calls_denied;

        run_client(f, 0, as_many_as_are_held);
        assert_int_equal(f->status.counters.bus_calls_denied, before);
        run_client(f, NOBODY, as_many_as_are_held);
        assert_int_equal(f->status.counters.bus_calls_denied, before + HELD_MAX);
        run_client(f, 0, more_than_are_held);
        run_client(f, NOBODY, more_than_are_held);
        assert_true(f->status.counters.bus_calls_denied >= before + HELD_MAX + MANY);
}

/* More senders than are remembered, in turn and then the first ones again. */
static void many_callers(Fixture *f) {
        sd_bus *buses[CALLERS_MAX + 20];
        const char *expected = geteuid() == 0 ? "<t 1>" : SENTENCE;

        for (size_t i = 0; i < ARRAY_SIZE(buses); i++) {
                buses[i] = client_open(f);
                check_text(client_get(buses[i], PATH, MANAGER, "LiveDomains"), expected);
        }
        for (size_t i = 0; i < ARRAY_SIZE(buses); i++) {
                check_text(client_get(buses[i], PATH, MANAGER, "LiveDomains"), expected);
                sd_bus_close_unref(buses[i]);
        }
}

static void test_many_callers(void **state) {
        run_client(*state, 0, many_callers);
        run_client(*state, NOBODY, many_callers);
}

static size_t append_header_string(char *p, uint8_t field, char type, const char *value) {
        uint32_t len = strlen(value);
        size_t n = 0;

        p[n++] = field;
        p[n++] = 1;
        p[n++] = type;
        p[n++] = '\0';
        if (type == 'g') {
                p[n++] = len;
        } else {
                memcpy(p + n, &len, sizeof(len));
                n += sizeof(len);
        }
        memcpy(p + n, value, len + 1);
        return n + len + 1;
}

static size_t align8(size_t n) {
        return (n + 7) & ~(size_t) 7;
}

/* A method return with one "u" of 0, which sd-bus offers no way to make, in the sender's byte order. */
static size_t forge_return(char *p, uint32_t serial, const char *destination) {
        uint32_t n_body = 4, n_fields = 8;

        memset(p, 0, 256);
        p[0] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 'l' : 'B';
        p[1] = SD_BUS_MESSAGE_METHOD_RETURN;
        p[3] = 1;
        memcpy(p + 4, &n_body, 4);
        memcpy(p + 8, &(uint32_t) { 0x7fff0000 + serial }, 4);
        memcpy(p + 16, "\x05\x01u", 4); /* reply serial */
        memcpy(p + 20, &serial, 4);
        n_fields += append_header_string(p + 16 + n_fields, 6, 's', destination);
        n_fields = align8(n_fields);
        n_fields += append_header_string(p + 16 + n_fields, 8, 'g', "u");
        memcpy(p + 12, &n_fields, 4);
        return 16 + align8(n_fields) + n_body;
}

/* The fixture's bus delivers replies that nobody asked for. Ones that say "uid 0", sent right after the call, are there
 * before the bus's own answer; the number of the question is found by trying all that are likely. */
static void forge_answer(Fixture *f) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        sd_bus *bus = client_open(f);
        const char *owner;

        check(sd_bus_call_method(
                        bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetNameOwner",
                        NULL, &reply, "s", NAME) >= 0);
        check(sd_bus_message_read(reply, "s", &owner) > 0);

        n_answers = n_ok = n_denied = n_busy = 0;
        check(sd_bus_call_method_async(
                        bus, NULL, NAME, PATH, MANAGER, "ListDomains", on_answer, NULL, "a{sv}", 0) >= 0);
        check(sd_bus_flush(bus) >= 0);
        for (uint32_t serial = 1; serial < 200; serial++) {
                char message[256];
                size_t size = forge_return(message, serial, owner);

                check(write(sd_bus_get_fd(bus), message, size) == (ssize_t) size);
        }

        while (n_answers == 0) {
                int r = sd_bus_process(bus, NULL);

                check(r >= 0);
                if (r == 0)
                        check(sd_bus_wait(bus, UINT64_MAX) >= 0);
        }
        check(n_denied == 1);
        sd_bus_close_unref(bus);
}

static void test_forged_answer(void **state _unused_) {
        Fixture f;

        for (unsigned i = 0; i < 5; i++) {
                fixture_start(&f, &limits);
                run_client(&f, NOBODY, forge_answer);
                assert_int_equal(f.status.counters.bus_calls_denied, 1);
                fixture_stop(&f);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_who),
                cmocka_unit_test(test_effective_uid),
                cmocka_unit_test(test_held),
                cmocka_unit_test(test_many_callers),
                cmocka_unit_test(test_forged_answer),
        };

        fixture_require();
        return cmocka_run_group_tests(tests, setup, teardown);
}
