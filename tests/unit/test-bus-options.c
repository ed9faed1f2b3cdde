/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options that a method does not have, or that are not of its type or range: each is told what is wrong. */
#include "test-bus-fixture.h"

static const DomainTableLimits limits = { .n_domains = 64, .n_denials = 64, .n_processes = 64 };

static void bad_options(Fixture *f) {
        static const char prefix[] = "!io.landlock.Landlockd1.Error.InvalidOption: ";
        sd_bus *bus = client_open(f);
        const struct {
                const char *method, *name, *type;
                unsigned long value;
                const char *sentence;
        } bad[] = {
                { "ListDomains", "sta\nte", "s", (unsigned long) "any", "This method has no option \"sta\\x0ate\"." },
                { "ListDomains", "before", "t", 1, "This method has no option \"before\"." },
                { "ListDomains", "has-denials", "u", 1,
                  "The option \"has-denials\" must be of D-Bus type \"b\", not \"u\"." },
                { "ListDomains", "state", "u", 1, "The option \"state\" must be of D-Bus type \"s\", not \"u\"." },
                { "ListDomains", "limit", "t", 1, "The option \"limit\" must be of D-Bus type \"u\", not \"t\"." },
                { "ListDomains", "limit", "u", 0, "The option \"limit\" must be from 1 to 4096." },
                { "ListDomains", "limit", "u", 4097, "The option \"limit\" must be from 1 to 4096." },
                { "ListDomains", "state", "s", (unsigned long) "\x1b",
                  "The option \"state\" must be \"allocated\", \"deallocated\" or \"any\", not \"\\x1b\"." },
                { "ListProcesses", "limit", "u", 4097, "The option \"limit\" must be from 1 to 4096." },
                { "ListProcesses", "since", "t", 1, "This method has no option \"since\"." },
                { "ListDenials", "state", "s", (unsigned long) "any", "This method has no option \"state\"." },
                { "ListDenials", "limit", "u", 0, "The option \"limit\" must be from 1 to 1000." },
                { "ListDenials", "limit", "u", 1001, "The option \"limit\" must be from 1 to 1000." },
                { "ListDenials", "domain", "s", (unsigned long) "2",
                  "The option \"domain\" must be of D-Bus type \"t\", not \"s\"." },
        };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                char *expected;

                check(asprintf(&expected, "%s%s", prefix, bad[i].sentence) > 0);
                check_text(client_manager(
                                        bus, bad[i].method, "a{sv}", 1, bad[i].name, bad[i].type, bad[i].value),
                           expected);
        }
        sd_bus_close_unref(bus);
}

static void test_bad_options(void **state _unused_) {
        Fixture f;

        fixture_start(&f, &limits);
        run_client(&f, 0, bad_options);
        fixture_stop(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bad_options),
        };

        fixture_require();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
