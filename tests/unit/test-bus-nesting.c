/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What trace events tell, asked on a bus: domains nested in each other, their rules, and the processes in them. */
#include "test-bus-fixture.h"

#include <errno.h>
#include <stdlib.h>

#include "publish/bus-process.h"

#define RULESET UINT64_C(0x1466dc880)
#define OUTER UINT64_C(0x1466dc891)
#define INNER UINT64_C(0x1466dc8a0)
#define SECOND UINT64_C(0x1466dc8a4)
#define OUTER_PATH PATH "/domain/_1466dc891"
#define INNER_PATH PATH "/domain/_1466dc8a0"
#define SECOND_PATH PATH "/domain/_1466dc8a4"

static const DomainTableLimits limits = {
        .n_domains = 64, .n_denials = 64, .n_processes = 8192, .n_threads = 16384, .n_rulesets = 64, .n_rules = 65536,
};

static const Rule usr = {
        .version = 1, .kind = RULE_PATH_BENEATH, .dev_major = 254, .dev_minor = 1, .ino = UINT64_MAX,
        .access = UINT64_C(1) << 40 | 5, .path = TEXT_LITERAL("/usr\n\xff"),
};

static const Rule https = { .version = 3, .kind = RULE_NET_PORT, .access = 2, .port = 443 };

#define USR                                                                                                   \
        "{\"version\": <t 1>, \"kind\": <s \"path_beneath\">, "                                                 \
        "\"access\": <as [\"fs.execute\", \"fs.read_file\", \"fs.0x10000000000\"]>, "                           \
        "\"path\": <s \"/usr\\x0a\\xff\">, \"dev_number\": <s \"254:1\">, \"ino\": <t 18446744073709551615>}"
#define HTTPS                                                                                                 \
        "{\"version\": <t 3>, \"kind\": <s \"net_port\">, \"access\": <as [\"net.connect_tcp\"]>, "             \
        "\"port\": <t 443>}"

#define HANDLED_FS                                                                                            \
        "\"HandledAccessFS\": <as [\"fs.execute\", \"fs.write_file\", \"fs.read_file\", "                     \
        "\"fs.0x10000000000\"]>, "

static TaskDescription task(int64_t tid, int64_t pid) {
        return (TaskDescription) {
                .tid = tid, .pid = pid, .has_pid = true, .uid = 1000, .has_uid = true,
                .comm = TEXT_LITERAL("sh\x1b"), .exe = TEXT_LITERAL("/bin/sh"),
        };
}

/* A ruleset whose second rule was lost; two domains from it, one in the other, and a third of which less is known. */
static void fill(Fixture *f) {
        tell_ruleset(f, 1, &(RulesetCreation) {
                .ruleset = RULESET, .tid = 41,
                .handled.bits = { [ACCESS_FS] = UINT64_C(1) << 40 | 7, [ACCESS_NET] = 1 << 8 | 2, [ACCESS_SCOPE] = 2 },
        });
        tell_rule(f, 2, RULESET, &usr);
        tell_created(f, 3, &(DomainCreation) {
                .domain = OUTER, .ruleset = RULESET, .ruleset_version = 1, .creator = task(41, 40),
        });
        tell_enforced(f, 3, &(DomainEnforcement) { .domain = OUTER, .task = task(41, 40), .no_new_privs = true });
        tell_rule(f, 4, RULESET, &https);
        tell_forked(f, 5, 41, 50, false);
        tell_forked(f, 5, 50, 51, true);
        tell_created(f, 6, &(DomainCreation) {
                .domain = INNER, .parent = OUTER, .ruleset = RULESET, .ruleset_version = 3, .creator = task(50, 50),
        });
        tell_enforced(f, 6, &(DomainEnforcement) { .domain = INNER, .task = task(50, 50), .process_wide = true });
        tell_created(f, 7, &(DomainCreation) {
                .domain = SECOND, .parent = OUTER, .ruleset = 9, .ruleset_version = 2, .creator = task(60, 60),
        });
}

static void in_client(Client client) {
        Fixture f;

        fixture_start(&f, &limits);
        fill(&f);
        run_client(&f, 0, client);
        fixture_stop(&f);
}

static char *get(sd_bus *bus, const char *path, const char *property) {
        return client_get(bus, path, DOMAIN, property);
}

static void family(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(get(bus, OUTER_PATH, "Parent"), "<t 0>");
        check_text(get(bus, OUTER_PATH, "ParentPath"), "<o \"/\">");
        check_text(get(bus, OUTER_PATH, "Children"), "<ao [\"" SECOND_PATH "\", \"" INNER_PATH "\"]>");
        check_text(get(bus, INNER_PATH, "Parent"), "<t 5476567185>");
        check_text(get(bus, INNER_PATH, "ParentPath"), "<o \"" OUTER_PATH "\">");
        check_text(get(bus, INNER_PATH, "Children"), "<ao []>");
        sd_bus_close_unref(bus);
}

static void family_after_an_end(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(get(bus, OUTER_PATH, "Children"), "<ao [\"" SECOND_PATH "\"]>");
        sd_bus_close_unref(bus);
}

static void test_family(void **state _unused_) {
        Fixture f;

        fixture_start(&f, &limits);
        fill(&f);
        run_client(&f, 0, family);
        /* A freed one has no object. */
        tell_freed(&f, 8, INNER, 0);
        run_client(&f, 0, family_after_an_end);
        fixture_stop(&f);
}

/* The same as one dictionary, with the rules; what is not known is absent. */
static void described(Fixture *f) {
        static const char inner[] =
                "{\"ID\": <t 5476567200>, \"HexID\": <s \"1466dc8a0\">, "
                "\"UUID\": <s \"0a09140d-e277-5df8-872c-f90d6e63ed8e\">, \"State\": <s \"allocated\">, "
                "\"Parent\": <t 5476567185>, \"ParentPath\": <o \"" OUTER_PATH "\">, \"Children\": <ao []>, "
                "\"CreatorPID\": <u 50>, \"CreatorTID\": <u 50>, \"CreatorUID\": <u 1000>, "
                "\"CreatorComm\": <s \"sh\\x1b\">, \"CreatorExe\": <s \"/bin/sh\">, "
                "\"Ruleset\": <s \"1466dc880\">, \"RulesetVersion\": <t 3>, "
                HANDLED_FS
                "\"HandledAccessNet\": <as [\"net.connect_tcp\", \"net.0x100\"]>, "
                "\"Scoped\": <as [\"scope.signal\"]>, \"RulesCount\": <t 2>, \"RulesUnknown\": <t 1>, "
                "\"ProcessWide\": <b true>, \"NoNewPrivs\": <b false>, \"Created\": <t 1795308520000000>, "
                "\"FirstSeen\": <t 1795308520000000>, \"LastSeen\": <t 1795308520000000>, \"DenialsSeen\": <t 0>, "
                "\"Blockers\": <a{st} {}>, "
                "\"Processes\": <a(usst) [(50, \"sh\\x1b\", \"kernel\", 1795308520000000)]>, "
                "\"ProcessesCount\": <t 1>, \"ThreadsCount\": <t 1>, \"Origins\": <as [\"trace\"]>, "
                "\"Rules\": <aa{sv} [" USR ", " HTTPS "]>}";
        sd_bus *bus = client_open(f);

        check_text(client_manager(bus, "DescribeDomain", "t", INNER), inner);
        /* The rules of the version that it was made from, and no later one. */
        check_text(get(bus, OUTER_PATH, "Rules"), "<aa{sv} [" USR "]>");
        check_text(get(bus, OUTER_PATH, "RulesetVersion"), "<t 1>");
        check_text(get(bus, OUTER_PATH, "RulesUnknown"), "<t 0>");
        check_text(get(bus, OUTER_PATH, "NoNewPrivs"), "<b true>");
        check_text(get(bus, OUTER_PATH, "ProcessWide"), "<b false>");
        /* A ruleset that nobody told of. */
        check_text(get(bus, SECOND_PATH, "Ruleset"), "<s \"9\">");
        check_text(get(bus, SECOND_PATH, "RulesCount"), "<t 0>");
        check_text(get(bus, SECOND_PATH, "RulesUnknown"), "<t 2>");
        check_text(get(bus, SECOND_PATH, "Rules"), "<aa{sv} []>");
        check_text(get(bus, SECOND_PATH, "HandledAccessFS"), "<as []>");
        sd_bus_close_unref(bus);
}

static void test_described(void **state _unused_) {
        in_client(described);
}

/* Lists do without what may be long. */
static void rules_in_lists(Fixture *f) {
        sd_bus *bus = client_open(f);
        char *list = client_manager(bus, "ListDomains", "a{sv}", 0), *objects = client_get_objects(bus);
        char *all = client_call(bus, OUTER_PATH, "org.freedesktop.DBus.Properties", "GetAll", "s", DOMAIN);

        check(strstr(list, "\"RulesCount\"") && strstr(objects, "\"RulesCount\"") && strstr(all, "\"RulesCount\""));
        check(!strstr(list, "\"Rules\"") && !strstr(objects, "\"Rules\"") && !strstr(all, "\"Rules\""));
        sd_bus_close_unref(bus);
}

static void test_rules_in_lists(void **state _unused_) {
        in_client(rules_in_lists);
}

static void rulesets(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(client_manager(bus, "DescribeRuleset", "s", "1466dc880"),
                   "{\"Ruleset\": <s \"1466dc880\">, \"RulesetVersion\": <t 3>, \"CreatorTID\": <u 41>, "
                   "\"Created\": <t 1795308515000000>, \"Freed\": <b false>, "
                   HANDLED_FS
                   "\"HandledAccessNet\": <as [\"net.connect_tcp\", \"net.0x100\"]>, "
                   "\"Scoped\": <as [\"scope.signal\"]>, \"Rules\": <aa{sv} [" USR ", " HTTPS "]>, "
                   "\"RulesCount\": <t 2>, \"RulesUnknown\": <t 1>, \"DomainsCount\": <t 2>}");
        check_text(client_manager(bus, "DescribeRuleset", "s", "abc"),
                   "!io.landlock.Landlockd1.Error.NoSuchRuleset: Landlock ruleset abc is not known: no source has told "
                   "of it, or the kernel has freed it and every domain that was made from it.");
        check_text(client_manager(bus, "DescribeRuleset", "s", "x\n"),
                   "!org.freedesktop.DBus.Error.InvalidArgs: \"x\\x0a\" is no ruleset ID in hexadecimal.");
        sd_bus_close_unref(bus);
}

static void test_rulesets(void **state _unused_) {
        in_client(rulesets);
}

#define PROCESS(domain, hex, uuid, pid, known, first, last)                                                    \
        "{\"Domain\": <t " domain ">, \"HexID\": <s \"" hex "\">, \"UUID\": <s \"" uuid "\">, \"PID\": <u " pid ">, " \
        "\"UID\": <u 1000>, \"Comm\": <s \"sh\\x1b\">, \"Exe\": <s \"/bin/sh\">, \"Known\": <s \"" known "\">, "      \
        "\"ThreadsCount\": <t 1>, \"FirstSeen\": <t " first ">, \"LastSeen\": <t " last ">}"
#define IN_OUTER(pid, known, first, last) \
        PROCESS("5476567185", "1466dc891", "83670dad-a581-5022-bd4c-b2f73ab7833f", pid, known, first, last)
#define IN_INNER(pid, known, first, last) \
        PROCESS("5476567200", "1466dc8a0", "0a09140d-e277-5df8-872c-f90d6e63ed8e", pid, known, first, last)

/* One process has a thread in either domain. */
static void processes(Fixture *f) {
        static const char creator[] = IN_OUTER("40", "kernel", "1795308517000000", "1795308519000000");
        static const char child[] = IN_OUTER("50", "inherited", "1795308519000000", "1795308520000000");
        static const char child_inside[] = IN_INNER("50", "kernel", "1795308520000000", "1795308520000000");
        char all[2048], outer[2048], inner[1024], latest[1024];
        sd_bus *bus = client_open(f);

        snprintf(all, sizeof(all), "[%s, %s, %s] 3", child_inside, child, creator);
        snprintf(outer, sizeof(outer), "[%s, %s] 2", child, creator);
        snprintf(inner, sizeof(inner), "[%s] 1", child_inside);
        snprintf(latest, sizeof(latest), "[%s] 3", child_inside);
        check_text(client_manager(bus, "ListProcesses", "a{sv}", 0), all);
        check_text(client_manager(bus, "ListProcesses", "a{sv}", 1, "domain", "t", OUTER), outer);
        check_text(client_manager(bus, "ListProcesses", "a{sv}", 1, "domain", "t", INNER), inner);
        check_text(client_manager(bus, "ListProcesses", "a{sv}", 1, "domain", "t", SECOND), "[] 0");
        check_text(client_manager(bus, "ListProcesses", "a{sv}", 1, "limit", "u", 1), latest);
        check_text(client_error(bus, PATH, MANAGER, "ListProcesses", "a{sv}", 1, "domain", "t", UINT64_C(3)),
                   NAME ".Error.NoSuchDomain");
        check_text(get(bus, OUTER_PATH, "ThreadsCount"), "<t 2>");
        sd_bus_close_unref(bus);
}

static void test_processes(void **state _unused_) {
        in_client(processes);
}

/* As many rules and processes as there may be, their texts as long as they can be made. */
static void large_answers(Fixture *f) {
        sd_bus *bus = client_open(f);
        char *rules = get(bus, OUTER_PATH, "Rules"), *ruleset = client_manager(bus, "DescribeRuleset", "s", "1");
        char *domain = client_manager(bus, "DescribeDomain", "t", OUTER);
        char *list = client_manager(bus, "ListProcesses", "a{sv}", 0);
        unsigned n_rules = count(rules, "\"kind\""), n_processes = count(list, "\"PID\"");

        check(n_rules > 256 && n_rules < 1024);
        check(count(ruleset, "\"kind\"") == n_rules);
        check(count(domain, "\"kind\"") == n_rules);
        check_text(get(bus, OUTER_PATH, "RulesCount"), "<t 3000>");
        check(n_processes > 512 && n_processes < BUS_PROCESSES_MAX);
        check(strcmp(strrchr(list, ' '), " 5000") == 0);
        sd_bus_close_unref(bus);
}

/* Short ones: the number is what limits. */
static void many_answers(Fixture *f) {
        sd_bus *bus = client_open(f);
        char *list = client_manager(bus, "ListProcesses", "a{sv}", 0);

        check(count(get(bus, OUTER_PATH, "Rules"), "\"kind\"") == 1024);
        check(count(list, "\"PID\"") == BUS_PROCESSES_MAX);
        check(strcmp(strrchr(list, ' '), " 5000") == 0);
        sd_bus_close_unref(bus);
}

/* Above what the kernel gives to anybody: the client would be found in the domain, and not see it. */
#define NO_PID (INT64_C(1) << 22)

static void with_many(Text text, Client client) {
        Fixture f;

        fixture_start(&f, &limits);
        for (uint64_t version = 1; version <= 3000; version++)
                tell_rule(&f, 1, 1, &(Rule) { .version = version, .access = UINT64_MAX, .path = text });
        tell_created(&f, 2, &(DomainCreation) { .domain = OUTER, .ruleset = 1, .ruleset_version = 3000 });
        for (int64_t pid = NO_PID; pid < NO_PID + 5000; pid++) {
                TaskDescription description = task(pid, pid);

                description.exe = text;
                tell_enforced(&f, 3, &(DomainEnforcement) { .domain = OUTER, .task = description });
        }
        run_client(&f, 0, client);
        fixture_stop(&f);
}

static void test_large_answers(void **state _unused_) {
        static char bytes[4095];

        memset(bytes, 0xff, sizeof(bytes));
        with_many((Text) { bytes, sizeof(bytes) }, large_answers);
        with_many(TEXT_LITERAL("/"), many_answers);
}

static void many_processes(Fixture *f) {
        sd_bus *bus = client_open(f);
        char *processes = client_get(bus, PATH "/domain/_1", DOMAIN, "Processes");

        check(count(processes, "(") == 1024 + 1 /* of the signature */);
        check(strstr(processes, "[(4197303, ")); /* last seen */
        check_text(client_get(bus, PATH "/domain/_1", DOMAIN, "ProcessesCount"), "<t 3000>");
        sd_bus_close_unref(bus);
}

static void test_many_processes(void **state _unused_) {
        Fixture f;

        fixture_start(&f, &limits);
        for (int64_t pid = NO_PID; pid < NO_PID + 3000; pid++)
                tell_denied(&f, pid, &(Denial) {
                        .domain = 1, .subject = { .ids[SUBJECT_pid] = pid, .known_ids = 1 << SUBJECT_pid },
                });
        run_client(&f, 0, many_processes);
        fixture_stop(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_family),
                cmocka_unit_test(test_described),
                cmocka_unit_test(test_rules_in_lists),
                cmocka_unit_test(test_rulesets),
                cmocka_unit_test(test_processes),
                cmocka_unit_test(test_large_answers),
                cmocka_unit_test(test_many_processes),
        };

        fixture_require();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
