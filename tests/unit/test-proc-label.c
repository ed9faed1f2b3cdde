/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* By what people recognise a domain: from control groups of all kinds, and of a real process. */
#include "test.h"

#include "base/clock.h"
#include "source/proc-label.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_format(void **state _unused_) {
        static const struct { const char *cgroups, *label; } cases[] = {
                { "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox-47.scope\n", "sh@app-firefox-47.scope" },
                { "0::/system.slice/nginx.service\n", "sh@nginx.service" },
                { "0::/system.slice/nginx.service/worker\n", "sh@nginx.service" },
                { "0::/system.slice/docker-" HASH ".scope\n", "sh@docker-0123456789ab" },
                { "0::/machine.slice/libpod-" HASH ".scope/container\n", "sh@libpod-0123456789ab" },
                { "0::/docker/" HASH "\n", "sh@docker-0123456789ab" },
                { "0::/" HASH "\n", "sh@0123456789ab" },
                { "0::/plain/group\n", "sh@group" },
                { "0::/\n", "sh" },
                { "", "sh" },
                { "nonsense", "sh" },
                { "0::/a\\x2db.service/\x1b[2J\n", "sh@a\\x2db.service" },
                { "0::/.service/x\n", "sh@x" },
                { "12:cpu:/x\n1:name=systemd:/system.slice/a.service\n0::/\n", "sh@a.service" },
        };
        ProcLabel label;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                Text text = proc_label_format(TEXT_LITERAL("sh"), text_from_string(cases[i].cgroups), &label);

                if (!text_equal(text, text_from_string(cases[i].label)))
                        fail_msg("%s becomes %.*s", cases[i].cgroups, (int) text.len, text.data);
        }
}

static void test_long(void **state _unused_) {
        char cgroups[4096] = "0::/";
        ProcLabel label;
        Text text;

        memset(cgroups + 4, 'x', sizeof(cgroups) - 5);
        text = proc_label_format(TEXT_LITERAL("sh"), text_from_string(cgroups), &label);
        assert_int_equal(text.len, sizeof(label.buffer));
        assert_memory_equal(text.data, "sh@xxx", 6);
}

static Fact created_by(int64_t tid, uint64_t time_usec) {
        return (Fact) { .type = FACT_DOMAIN_CREATED, .time_usec = time_usec, .created = { .domain = 7, .creator.tid = tid } };
}

static void test_add(void **state _unused_) {
        Fact fact = created_by(getpid(), clock_realtime_usec());
        ProcLabel label;
        uint64_t domain;

        assert_true(proc_label_applies(&fact, &domain));
        assert_int_equal(domain, 7);
        proc_label_add(&fact, &label);
        assert_true(text_known(fact.created.label));
        assert_true(text_has_prefix(fact.created.label, TEXT_LITERAL("test-proc-label")) ||
                    text_has_prefix(fact.created.label, TEXT_LITERAL("lt-test-proc-la")));

        /* One that began later is another one with its number; and there may be none. */
        fact = created_by(getpid(), clock_realtime_usec() - 3600 * USEC_PER_SEC);
        proc_label_add(&fact, &label);
        assert_false(text_known(fact.created.label));
        fact = created_by(INT32_MAX, clock_realtime_usec());
        proc_label_add(&fact, &label);
        assert_false(text_known(fact.created.label));

        fact = (Fact) { .type = FACT_DOMAIN_FREED };
        assert_false(proc_label_applies(&fact, &domain));
        fact = (Fact) { .type = FACT_DOMAIN_DESCRIBED, .described.domain = 8 };
        assert_false(proc_label_applies(&fact, &domain));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_long),
                cmocka_unit_test(test_add),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
