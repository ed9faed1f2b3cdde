/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files in dbus/ say of the interfaces what the daemon says, and the bus policy lets through whom it should. */
#include "test-bus-fixture.h"

#include <ctype.h>
#include <errno.h>

static const DomainTableLimits limits = { .n_domains = 64, .n_denials = 64, .n_processes = 64 };

/* Removes what begins and ends so. */
static void cut_all(char *text, const char *begin, const char *end) {
        char *from, *to;

        while ((from = strstr(text, begin))) {
                to = strstr(from, end);
                check(to);
                to += strlen(end);
                memmove(from, to, strlen(to) + 1);
        }
}

/* White space between elements. */
static void cut_spaces(char *text) {
        char *out = text;

        for (char *p = text; *p; p++) {
                bool between = isspace((unsigned char) *p) && out > text && out[-1] == '>';

                if (!between)
                        *out++ = *p;
        }
        *out = '\0';
}

/* <interface name="NAME"> to </interface>, allocated, with every element behind the one before. */
static char *cut_interface(const char *xml, const char *name) {
        char *copy = strdup(xml), *begin, *end, *result;
        char start[128];

        check(copy);
        cut_all(copy, "<!--", "-->");
        cut_spaces(copy);
        snprintf(start, sizeof(start), "<interface name=\"%s\">", name);
        begin = strstr(copy, start);
        check(begin);
        end = strstr(begin, "</interface>");
        check(end);
        end[strlen("</interface>")] = '\0';
        result = strdup(begin);
        check(result);
        free(copy);
        return result;
}

static char *files[2];

static void compare(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(cut_interface(client_introspect(bus, PATH), MANAGER), cut_interface(files[0], MANAGER));
        check_text(cut_interface(client_introspect(bus, PATH "/domain/_1a6f"), DOMAIN),
                   cut_interface(files[1], DOMAIN));
        sd_bus_close_unref(bus);
}

static void test_xml(void **state _unused_) {
        Fixture f;

        files[0] = read_source_file("dbus/io.landlock.Landlockd1.Manager.xml");
        files[1] = read_source_file("dbus/io.landlock.Landlockd1.Domain.xml");
        fixture_start(&f, &limits);
        tell_denied(&f, 1, &(Denial) { .domain = 0x1a6f });
        run_client(&f, 0, compare);
        fixture_stop(&f);
        free(files[0]);
        free(files[1]);
}

static void allowed(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(client_get(bus, PATH, MANAGER, "Version"), "<s \"1.2.3\">");
        sd_bus_close_unref(bus);
}

/* Who is not root may ask, but may not answer. */
static void may_ask(Fixture *f) {
        Bus *ours;

        allowed(f);
        check(fixture_new_bus(f, f->address, &ours) == -EACCES);
}

static void test_policy(void **state _unused_) {
        Fixture f;

        fixture_start_with_installed_policy(&f, &limits);
        run_client(&f, 0, allowed);
        run_client(&f, NOBODY, may_ask);
        fixture_stop(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_xml),
                cmocka_unit_test(test_policy),
        };

        fixture_require();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
