/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How landlockd finds out who calls: what waits meanwhile, how much of it, and who cannot lie about it. */
#include "test-bus-fixture.h"

#include <string.h>

/* Of publish/bus-access.c. */
#define CALLERS_MAX 256
#define HELD_MAX 32
/* Below what dbus-daemon lets one connection wait for. */
#define MANY 120

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
        check(n_ok == HELD_MAX);
}

/* All are answered. How many had to be turned away depends on how fast the bus answers in between. */
static void more_than_are_held(Fixture *f) {
        call_at_once(f, MANY);
        check(n_ok >= HELD_MAX && n_ok + n_busy == MANY);
}

static void test_held(void **state) {
        Fixture *f = *state;

        run_client(f, 0, as_many_as_are_held);
        run_client(f, NOBODY, as_many_as_are_held);
        run_client(f, 0, more_than_are_held);
        run_client(f, NOBODY, more_than_are_held);
}

/* What is held has to be short: 32 MiB a call is what the bus would let through. */
static void long_call(Fixture *f) {
        sd_bus *bus = client_open(f);
        char *text = calloc(1, 8192);

        check(text);
        memset(text, 'a', 8191);
        check_text(client_error(bus, PATH, MANAGER, "GetDomain", "s", text), SD_BUS_ERROR_LIMITS_EXCEEDED);
        check_text(client_get(bus, PATH, MANAGER, "Version"), "<s \"1.2.3\">");
        check_text(client_error(bus, PATH, MANAGER, "GetDomain", "s", text), SD_BUS_ERROR_INVALID_ARGS);
        free(text);
        sd_bus_close_unref(bus);
}

static void test_long_call(void **state) {
        run_client(*state, 0, long_call);
        run_client(*state, USER, long_call);
}

/* More senders than are remembered, in turn and then the first ones again. */
static void many_callers(Fixture *f) {
        sd_bus *buses[CALLERS_MAX + 20];
        const char *expected = geteuid() == 0 ? "<t 4>" : "<t 0>";

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
        Fixture *f = *state;
        const uint64_t *evicted = &f->status.counters.bus_callers_evicted;
        uint64_t before = *evicted;

        run_client(f, 0, many_callers);
        assert_true(*evicted >= before + 20);
        before = *evicted;
        run_client(f, NOBODY, many_callers);
        /* Of one user fewer are known. */
        assert_true(*evicted >= before + CALLERS_MAX + 20 - 64);
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

/* A method return that says "UnixUserID 0", in the form of GetConnectionCredentials, which sd-bus offers no way to make,
 * in the sender's byte order. */
static size_t forge_return(char *p, uint32_t serial, const char *destination) {
        uint32_t n_body = 32, n_fields = 8, n_array = 24, n_key = strlen("UnixUserID");
        char *body;

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
        n_fields += append_header_string(p + 16 + n_fields, 8, 'g', "a{sv}");
        memcpy(p + 12, &n_fields, 4);

        body = p + 16 + align8(n_fields);
        memcpy(body, &n_array, 4);
        memcpy(body + 8, &n_key, 4);
        memcpy(body + 12, "UnixUserID", n_key + 1);
        memcpy(body + 23, "\x01u", 3);
        return body + n_body - p;
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
                        bus, NULL, NAME, PATH, MANAGER, "DescribeDomain", on_answer, NULL, "t", ROOT_DOMAIN) >= 0);
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
        check(n_ok == 0);
        sd_bus_close_unref(bus);
}

static void test_forged_answer(void **state _unused_) {
        Fixture f;

        for (unsigned i = 0; i < 5; i++) {
                fixture_start(&f, &small_limits);
                tell_user(&f, 100, ROOT_DOMAIN, 0);
                run_client(&f, NOBODY, forge_answer);
                fixture_stop(&f);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_held),
                cmocka_unit_test(test_long_call),
                cmocka_unit_test(test_many_callers),
                cmocka_unit_test(test_forged_answer),
        };

        fixture_require();
        return cmocka_run_group_tests(tests, two_users_set_up, two_users_tear_down);
}
