/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the D-Bus interfaces say, asked by a client on a bus. */
#include "test-bus-fixture.h"

#include <errno.h>
#include <inttypes.h>

#include "publish/bus-domain.h"

#define LIVE UINT64_C(0x1466dc891)
#define LIVE_TEXT "5476567185"
#define LIVE_PATH PATH "/domain/_1466dc891"
#define FREED UINT64_C(0x1466dc89f)
#define FREED_TEXT "5476567199"
#define BARE UINT64_C(2) /* nothing is known of it but a denial */

static const DomainTableLimits limits = { .n_domains = 8192, .n_denials = 2000, .n_processes = 4096, .n_threads = 4096 };

/* In parts, between which the object has properties of which nothing is known. */
#define LIVE_NAMES                                                                                         \
        "\"ID\": <t 5476567185>, \"HexID\": <s \"1466dc891\">, "                                             \
        "\"UUID\": <s \"83670dad-a581-5022-bd4c-b2f73ab7833f\">, \"State\": <s \"allocated\">, "             \
        "\"Mode\": <s \"enforcing\">, \"Label\": <s \"a\\xff@nginx.service\">, "
#define LIVE_CREATOR                                                                                       \
        "\"CreatorUID\": <u 0>, "                                                                          \
        "\"CreatorComm\": <s \"a\\x0ab\">, \"CreatorExe\": <s \"/usr/bin/\\xff\\x5cx\">, "
#define LIVE_HISTORY                                                                                       \
        "\"FirstSeen\": <t 1795308515000000>, \"LastSeen\": <t 1795308518000000>, \"DenialsSeen\": <t 2>, "  \
        "\"Blockers\": <a{st} {\"fs.write_file\": 2, \"net.bind_tcp\": 1, \"other\": 1}>, "                  \
        "\"Processes\": <a(usst) [(43, \"\", \"kernel\", 1795308518000000), "                                \
        "(42, \"sh\\x1b\", \"kernel\", 1795308517000000)]>, \"ProcessesCount\": <t 2>, "                     \
        "\"ThreadsCount\": <t 1>, \"Origins\": <as [\"audit\"]>"
#define LIVE_DICT                                                                                          \
        "{" LIVE_NAMES "\"Children\": <ao []>, \"CreatorPID\": <u 4711>, " LIVE_CREATOR LIVE_HISTORY "}"
#define LIVE_OBJECT                                                                                        \
        "{" LIVE_NAMES "\"Parent\": <t 0>, \"ParentPath\": <o \"/\">, \"Children\": <ao []>, "               \
        "\"CreatorPID\": <u 4711>, \"CreatorTID\": <u 0>, " LIVE_CREATOR                                   \
        "\"Ruleset\": <s \"\">, \"RulesetVersion\": <t 0>, \"HandledAccessFS\": <as []>, "                 \
        "\"HandledAccessNet\": <as []>, \"Scoped\": <as []>, \"RulesCount\": <t 0>, "                      \
        "\"RulesUnknown\": <t 0>, \"ProcessWide\": <b false>, \"NoNewPrivs\": <b false>, "                 \
        "\"Created\": <t 0>, " LIVE_HISTORY "}"

#define FREED_DICT                                                                                         \
        "{\"ID\": <t 5476567199>, \"HexID\": <s \"1466dc89f\">, "                                            \
        "\"UUID\": <s \"480f595e-efa2-5aff-9146-7c09f1a2986d\">, \"State\": <s \"deallocated\">, "           \
        "\"Children\": <ao []>, "                                                                          \
        "\"FirstSeen\": <t 1795308516000000>, \"LastSeen\": <t 1795308519000000>, "                          \
        "\"DenialsSeen\": <t 0>, \"Blockers\": <a{st} {}>, \"Processes\": <a(usst) []>, "                    \
        "\"ProcessesCount\": <t 0>, \"ThreadsCount\": <t 0>, \"Origins\": <as [\"audit\"]>, \"Freed\": <t 1795308519000000>, "        \
        "\"DenialsKernel\": <t 7>, \"DenialsUnseen\": <t 7>}"

/* All members set, all texts hostile. */
#define FULL_DENIAL                                                                                              \
        "{\"Domain\": <t 5476567185>, \"HexID\": <s \"1466dc891\">, "                                              \
        "\"UUID\": <s \"83670dad-a581-5022-bd4c-b2f73ab7833f\">, \"Time\": <t 1795308517000000>, "                 \
        "\"Blockers\": <as [\"fs.write_file\", \"net.bind_tcp\", \"fs.n\\xc2\\x85w\", \"new\"]>, "                 \
        "\"Object\": <a{sv} {\"kind\": <s \"file\">, \"path\": <s \"/\\x00\\xfe\">, \"name\": <s \"n\">, "         \
        "\"dev\": <s \"vda\">, \"dev_number\": <s \"254:4294967295\">, \"ino\": <t 18446744073709551615>, \"ioctl_cmd\": <u 4294967295>, "                \
        "\"local\": <a{sv} {\"address\": <s \"::1\">, \"port\": <q 65535>}>, \"remote\": <a{sv} {\"port\": <q 1>}>, " \
        "\"interface\": <s \"lo\">, \"pid\": <x 77>, \"comm\": <s \"other\">, \"domain\": <t 0>}>, "                                   \
        "\"Subject\": <a{sv} {\"pid\": <x 42>, \"tid\": <x 44>, \"ppid\": <x 41>, \"uid\": <u 4294967294>, \"gid\": <u 1>, "        \
        "\"euid\": <u 2>, \"suid\": <u 3>, \"fsuid\": <u 4>, \"egid\": <u 5>, \"sgid\": <u 6>, \"fsgid\": <u 7>, " \
        "\"auid\": <u 1000>, \"session\": <u 8>, \"comm\": <s \"sh\\x1b\">, \"exe\": <s \"/bin/sh\">, "            \
        "\"cmdline\": <as [\"sh\", \"\", \"a\\x0ab\"]>, \"cwd\": <s \"/root\">, \"tty\": <s \"pts0\">, "           \
        "\"label\": <s \"unconfined\">}>, "                                                                       \
        "\"Syscall\": <a{sv} {\"name\": <s \"openat\">, \"number\": <x 257>, \"arch\": <s \"x86_64\">, "          \
        "\"success\": <b false>, \"exit\": <x -13>, \"args\": <at [18446744073709551516, 1, 2, 3]>}>, "           \
        "\"Paths\": <aa{sv} [{\"name\": <s \"/p\\x7f\">, \"nametype\": <s \"NORMAL\">, \"dev\": <s \"fe:01\">, "   \
        "\"ino\": <t 9>, \"mode\": <u 33188>}, {}]>, \"PathsDropped\": <u 3>, \"Key\": <s \"k\">, "                \
        "\"AuditSerial\": <t 99>, \"SameExec\": <b false>, \"Logged\": <b true>, \"Incomplete\": <b true>, \"Origins\": <as [\"audit\"]>}"

#define BARE_DENIAL(time)                                                                          \
        "{\"Domain\": <t 2>, \"HexID\": <s \"2\">, \"UUID\": <s \"9e6fde28-8716-5187-804f-2cc6c3925e74\">, " \
        "\"Time\": <t " time ">, \"Blockers\": <as []>, \"Object\": <a{sv} {\"kind\": <s \"unknown\">}>, "   \
        "\"Subject\": <a{sv} {}>, \"Origins\": <as [\"audit\"]>}"

static const SourceStatus sources[] = {
        { .name = "audit", .state = SOURCE_DEGRADED, .reason = "Audit is off: enable it." },
        { .name = "trace", .state = SOURCE_OFF },
};

static Denial full_denial(void) {
        static const DenialPath paths[] = {
                {
                        .name = TEXT_LITERAL("/p\x7f"), .nametype = TEXT_LITERAL("NORMAL"),
                        .dev = TEXT_LITERAL("fe:01"), .ino = 9, .has_ino = true, .mode = 0100644, .has_mode = true,
                },
                {},
        };

        return (Denial) {
                .domain = LIVE,
                .event = 99,
                .blockers = {
                        .known = UINT64_C(1) << BLOCKER_FS_WRITE_FILE | UINT64_C(1) << BLOCKER_NET_BIND_TCP,
                        .other = TEXT_LITERAL("fs.n\xc2\x85w,net.bind_tcp,new"),
                },
                .object = {
                        .kind = OBJECT_FILE,
                        .path = TEXT_LITERAL("/\0\xfe"), .name = TEXT_LITERAL("n"), .dev = TEXT_LITERAL("vda"),
                        .local_address = TEXT_LITERAL("::1"), .interface = TEXT_LITERAL("lo"),
                        .comm = TEXT_LITERAL("other"),
                        .dev_major = 254, .dev_minor = UINT32_MAX, .has_dev_number = true, .has_domain = true,
                        .ino = UINT64_MAX, .pid = 77, .ioctl_cmd = UINT32_MAX, .local_port = 65535, .remote_port = 1,
                        .has_ino = true, .has_pid = true, .has_ioctl_cmd = true, .has_local_port = true,
                        .has_remote_port = true,
                },
                .subject = {
                        .ids = {
                                [SUBJECT_pid] = 42, [SUBJECT_tid] = 44, [SUBJECT_ppid] = 41, [SUBJECT_auid] = 1000, [SUBJECT_ses] = 8,
                                [SUBJECT_uid] = 4294967294, [SUBJECT_gid] = 1, [SUBJECT_euid] = 2, [SUBJECT_suid] = 3,
                                [SUBJECT_fsuid] = 4, [SUBJECT_egid] = 5, [SUBJECT_sgid] = 6, [SUBJECT_fsgid] = 7,
                        },
                        .known_ids = UINT32_MAX,
                        .comm = TEXT_LITERAL("sh\x1b"), .exe = TEXT_LITERAL("/bin/sh"), .tty = TEXT_LITERAL("pts0"),
                        .label = TEXT_LITERAL("unconfined"), .key = TEXT_LITERAL("k"),
                        .cmdline = TEXT_LITERAL("sh\0\0a\nb\0"), .cwd = TEXT_LITERAL("/root"),
                },
                .syscall = {
                        .name = TEXT_LITERAL("openat"), .arch = TEXT_LITERAL("x86_64"), .number = 257, .exit = -13,
                        .args = { UINT64_C(-100), 1, 2, 3 },
                        .known = true, .has_success = true, .has_exit = true, .has_args = true,
                },
                .paths = paths,
                .n_paths = ARRAY_SIZE(paths),
                .n_paths_dropped = 3,
                .has_same_exec = true,
                .has_logged = true, .logged = true,
                .incomplete = true,
        };
}

static int setup(void **state) {
        static Fixture f;
        Denial denial;

        fixture_start(&f, &limits);
        for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
                f.status.sources[f.status.n_sources++] = &sources[i];

        tell_described(&f, 1, &(DomainDescription) {
                .domain = LIVE,
                .mode = DOMAIN_MODE_ENFORCING,
                .creator_pid = 4711, .has_creator_pid = true,
                .creator_uid = 0, .has_creator_uid = true,
                .creator_comm = TEXT_LITERAL("a\nb"),
                .creator_exe = TEXT_LITERAL("/usr/bin/\xff\\x"),
                .label = TEXT_LITERAL("a\xff@nginx.service"),
        });
        tell_described(&f, 2, &(DomainDescription) { .domain = FREED });
        denial = full_denial();
        tell_denied(&f, 3, &denial); /* 1 */
        tell_denied(&f, 4, &(Denial) { /* 2 */
                .domain = LIVE,
                .blockers.known = UINT64_C(1) << BLOCKER_FS_WRITE_FILE,
                .subject = {
                        .ids = { [SUBJECT_pid] = 43, [SUBJECT_auid] = 4294967295, [SUBJECT_ses] = 4294967295 },
                        .known_ids = 1 << SUBJECT_pid | 1 << SUBJECT_auid | 1 << SUBJECT_ses,
                },
        });
        tell_freed(&f, 5, FREED, 7);
        tell_denied(&f, 6, &(Denial) { .domain = BARE }); /* 3 */

        *state = &f;
        return 0;
}

static int teardown(void **state) {
        fixture_stop(*state);
        return 0;
}

static void manager_properties(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(client_get(bus, PATH, MANAGER, "Version"), "<s \"1.2.3\">");
        check_text(client_get(bus, PATH, MANAGER, "BootID"), "<s \"5f0c1a2e-9b1d-4c57-8d7e-0123456789ab\">");
        check_text(client_get(bus, PATH, MANAGER, "MachineID"), "<s \"0123456789abcdef0123456789abcdef\">");
        check_text(client_get(bus, PATH, MANAGER, "LandlockABI"), "<i 7>");
        check_text(client_get(bus, PATH, MANAGER, "LandlockErrata"), "<u 5>");
        check_text(client_get(bus, PATH, MANAGER, "Started"), "<t 1795308514000000>");
        check_text(client_get(bus, PATH, MANAGER, "Sources"),
                   "<a(sss) [(\"audit\", \"degraded\", \"Audit is off: enable it.\"), (\"trace\", \"off\", \"\")]>");
        check_text(client_get(bus, PATH, MANAGER, "LiveDomains"), "<t 2>");
        check_text(client_get(bus, PATH, MANAGER, "FreedDomains"), "<t 1>");
        sd_bus_close_unref(bus);
}

static void manager_counters(Fixture *f) {
        const Counters *c = &f->status.counters;
        sd_bus *bus = client_open(f);
        char *expected = NULL, *end;
        size_t size;
        FILE *out;

        check(c->denials == 3 && c->domains == 3);
        out = open_memstream(&expected, &size);
        check(out);
        fputs("<a{st} {", out);
#define X(name, meaning) fprintf(out, "\"" #name "\": %" PRIu64 ", ", c->name);
        COUNTERS(X)
#undef X
        check(fclose(out) == 0);
        end = expected + size - 2;
        strcpy(end, "}");
        check(asprintf(&end, "%s>", expected) > 0);
        check_text(client_get(bus, PATH, MANAGER, "Counters"), end);
        sd_bus_close_unref(bus);
}

static void manager_unknown(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(client_get(bus, PATH, MANAGER, "BootID"), "<s \"\">");
        check_text(client_get(bus, PATH, MANAGER, "MachineID"), "<s \"\">");
        check_text(client_get(bus, PATH, MANAGER, "LandlockABI"), "<i 0>");
        check_text(client_get(bus, PATH, MANAGER, "LandlockErrata"), "<u 0>");
        check_text(client_get(bus, LIVE_PATH, DOMAIN, "UUID"), "<s \"\">");
        sd_bus_close_unref(bus);
}

static void test_manager_properties(void **state) {
        Fixture *f = *state;
        Status status = f->status;

        run_client(f, 0, manager_properties);
        run_client(f, 0, manager_counters);

        f->status = (Status) { .version = "0", .landlock_abi = -EOPNOTSUPP, .landlock_errata = -EOPNOTSUPP };
        run_client(f, 0, manager_unknown);
        f->status = status;
}

static void describe(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(client_manager(bus, "DescribeDomain", "t", LIVE), LIVE_DICT);
        check_text(client_manager(bus, "DescribeDomain", "t", FREED), FREED_DICT);
        check_text(client_manager(bus, "DescribeDomain", "t", UINT64_C(0xabc)),
                   "!io.landlock.Landlockd1.Error.NoSuchDomain: Landlock domain abc is not known: no source has told "
                   "of it, or it was dropped from the history.");
        sd_bus_close_unref(bus);
}

static void test_describe(void **state) {
        run_client(*state, 0, describe);
}

static void get_domain(Fixture *f) {
        static const char freed[] =
                "!io.landlock.Landlockd1.Error.NoSuchDomain: The kernel has freed Landlock domain 1466dc89f, so it has "
                "no object any more. DescribeDomain() tells what is kept of it.";
        sd_bus *bus = client_open(f);

        check_text(client_manager(bus, "GetDomainByID", "t", LIVE), "\"" LIVE_PATH "\"");
        check_text(client_manager(bus, "GetDomain", "s", "1466dc891"), "\"" LIVE_PATH "\"");
        check_text(client_manager(bus, "GetDomain", "s", "83670dad-a581-5022-bd4c-b2f73ab7833f"), "\"" LIVE_PATH "\"");
        check_text(client_manager(bus, "GetDomain", "s", "83670DAD-A581-5022-BD4C-B2F73AB7833F"), "\"" LIVE_PATH "\"");
        check_text(client_manager(bus, "GetDomainByID", "t", FREED), freed);
        check_text(client_manager(bus, "GetDomain", "s", "1466dc89f"), freed);
        check_text(client_manager(bus, "GetDomain", "s", "480f595e-efa2-5aff-9146-7c09f1a2986d"), freed);
        check_text(client_error(bus, PATH, MANAGER, "GetDomainByID", "t", UINT64_MAX), NAME ".Error.NoSuchDomain");
        check_text(client_error(bus, PATH, MANAGER, "GetDomain", "s", "3"), NAME ".Error.NoSuchDomain");
        check_text(client_manager(bus, "GetDomain", "s", "480f595e-efa2-5aff-9146-000000000000"),
                   "!io.landlock.Landlockd1.Error.NoSuchDomain: No known Landlock domain has the UUID "
                   "480f595e-efa2-5aff-9146-000000000000. UUIDs are derived from the boot ID: is it of this boot?");
        check_text(client_manager(bus, "GetDomain", "s", "x\n"),
                   "!org.freedesktop.DBus.Error.InvalidArgs: \"x\\x0a\" is neither a domain ID in hexadecimal, as in "
                   "the kernel's log, nor a UUID.");
        check_text(client_error(bus, PATH, MANAGER, "GetDomain", "s", ""), "org.freedesktop.DBus.Error.InvalidArgs");
        check_text(client_error(bus, PATH, MANAGER, "GetDomain", "s", "10000000000000000"),
                   "org.freedesktop.DBus.Error.InvalidArgs");
        check_text(client_error(bus, PATH, MANAGER, "GetDomain", "t", LIVE), "org.freedesktop.DBus.Error.InvalidArgs");
        sd_bus_close_unref(bus);
}

static void test_get_domain(void **state) {
        run_client(*state, 0, get_domain);
}

#define BARE_DICT                                                                                                \
        "{\"ID\": <t 2>, \"HexID\": <s \"2\">, \"UUID\": <s \"9e6fde28-8716-5187-804f-2cc6c3925e74\">, "          \
        "\"State\": <s \"allocated\">, \"Children\": <ao []>, "                                                  \
        "\"FirstSeen\": <t 1795308520000000>, \"LastSeen\": <t 1795308520000000>, "                             \
        "\"DenialsSeen\": <t 1>, \"Blockers\": <a{st} {}>, \"Processes\": <a(usst) []>, \"ProcessesCount\": <t 0>, " \
        "\"ThreadsCount\": <t 0>, \"Origins\": <as [\"audit\"]>}"
#define BARE_ENTRY "(2, \"" PATH "/domain/_2\", " BARE_DICT ")"
#define LIVE_ENTRY "(" LIVE_TEXT ", \"" LIVE_PATH "\", " LIVE_DICT ")"
#define FREED_ENTRY "(" FREED_TEXT ", \"/\", " FREED_DICT ")"

#define OPTION(name, type, value) { name, type, (uintptr_t) (value) }

static void list_domains(Fixture *f) {
        static const struct {
                struct { const char *name, *type; uintptr_t value; } options[3];
                const char *expected;
        } lists[] = {
                { { { 0 } }, "[" LIVE_ENTRY ", " BARE_ENTRY "] 0" },
                { { OPTION("state", "s", "allocated") }, "[" LIVE_ENTRY ", " BARE_ENTRY "] 0" },
                { { OPTION("state", "s", "deallocated") }, "[" FREED_ENTRY "] 0" },
                { { OPTION("state", "s", "any") }, "[" FREED_ENTRY ", " LIVE_ENTRY ", " BARE_ENTRY "] 0" },
                /* Pages. */
                { { OPTION("state", "s", "any"), OPTION("limit", "u", 1) }, "[" FREED_ENTRY "] " FREED_TEXT },
                { { OPTION("state", "s", "any"), OPTION("limit", "u", 1), OPTION("after", "t", FREED) },
                  "[" LIVE_ENTRY "] " LIVE_TEXT },
                { { OPTION("state", "s", "any"), OPTION("limit", "u", 1), OPTION("after", "t", LIVE) },
                  "[" BARE_ENTRY "] 0" },
                { { OPTION("state", "s", "any"), OPTION("limit", "u", 2) },
                  "[" FREED_ENTRY ", " LIVE_ENTRY "] " LIVE_TEXT },
                { { OPTION("after", "t", 2) }, "[] 0" },
                /* Filters. */
                { { OPTION("uid", "u", 0) }, "[" LIVE_ENTRY "] 0" },
                { { OPTION("uid", "u", 7) }, "[] 0" },
                { { OPTION("has-denials", "b", true), OPTION("state", "s", "any") },
                  "[" LIVE_ENTRY ", " BARE_ENTRY "] 0" },
                { { OPTION("has-denials", "b", false), OPTION("state", "s", "any") }, "[" FREED_ENTRY "] 0" },
                { { OPTION("label", "s", "\\xff@nginx") }, "[" LIVE_ENTRY "] 0" },
                { { OPTION("label", "s", "Nginx") }, "[] 0" },
                { { OPTION("since", "t", 1795308515000001) }, "[" BARE_ENTRY "] 0" },
                { { OPTION("since", "t", 1795308515000000) }, "[" LIVE_ENTRY ", " BARE_ENTRY "] 0" },
        };
        sd_bus *bus = client_open(f);

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
                const __typeof__(lists[i].options[0]) *o = lists[i].options;

                check_text(client_manager(
                                        bus, "ListDomains", "a{sv}", !!o[0].name + !!o[1].name + !!o[2].name, o[0].name,
                                        o[0].type, o[0].value, o[1].name, o[1].type, o[1].value, o[2].name, o[2].type,
                                        o[2].value),
                           lists[i].expected);
        }
        sd_bus_close_unref(bus);
}

static void test_list_domains(void **state) {
        run_client(*state, 0, list_domains);
}

#define SECOND_DENIAL                                                                                            \
        "{\"Domain\": <t 5476567185>, \"HexID\": <s \"1466dc891\">, "                                              \
        "\"UUID\": <s \"83670dad-a581-5022-bd4c-b2f73ab7833f\">, \"Time\": <t 1795308518000000>, "                 \
        "\"Blockers\": <as [\"fs.write_file\"]>, \"Object\": <a{sv} {\"kind\": <s \"unknown\">}>, "               \
        "\"Subject\": <a{sv} {\"pid\": <x 43>}>, \"Origins\": <as [\"audit\"]>}"

static void list_denials(Fixture *f) {
        static const char all[] =
                "[(1, " FULL_DENIAL "), (2, " SECOND_DENIAL "), (3, " BARE_DENIAL("1795308520000000") ")] 4";
        sd_bus *bus = client_open(f);

        check_text(client_manager(bus, "ListDenials", "a{sv}", 0), all);
        check_text(client_manager(bus, "ListDenials", "a{sv}", 1, "since", "t", UINT64_C(1)), all);
        check_text(client_manager(bus, "ListDenials", "a{sv}", 1, "since", "t", UINT64_C(0)), all);
        /* A page, the one after it, and the end. */
        check_text(client_manager(bus, "ListDenials", "a{sv}", 2, "since", "t", UINT64_C(1), "limit", "u", 1),
                   "[(1, " FULL_DENIAL ")] 2");
        check_text(client_manager(bus, "ListDenials", "a{sv}", 2, "since", "t", UINT64_C(2), "limit", "u", 1),
                   "[(2, " SECOND_DENIAL ")] 3");
        check_text(client_manager(bus, "ListDenials", "a{sv}", 1, "since", "t", UINT64_C(4)), "[] 4");
        check_text(client_manager(bus, "ListDenials", "a{sv}", 1, "since", "t", UINT64_MAX), "[] 4");
        /* The newest. */
        check_text(client_manager(bus, "ListDenials", "a{sv}", 1, "limit", "u", 1),
                   "[(3, " BARE_DENIAL("1795308520000000") ")] 4");
        /* Of one domain. */
        check_text(client_manager(bus, "ListDenials", "a{sv}", 2, "domain", "t", LIVE, "limit", "u", 1),
                   "[(2, " SECOND_DENIAL ")] 4");
        check_text(client_manager(
                                bus, "ListDenials", "a{sv}", 3, "since", "t", UINT64_C(1), "domain", "t", LIVE,
                                "limit", "u", 1),
                   "[(1, " FULL_DENIAL ")] 2");
        check_text(client_manager(bus, "ListDenials", "a{sv}", 1, "domain", "t", FREED), "[] 4");
        sd_bus_close_unref(bus);
}

static void test_list_denials(void **state) {
        run_client(*state, 0, list_denials);
}

/* 5003 have been seen, 2000 are kept. */
static void list_many_denials(Fixture *f) {
        sd_bus *bus = client_open(f);

        check_text(client_manager(bus, "ListDenials", "a{sv}", 2, "since", "t", UINT64_C(17), "limit", "u", 1),
                   "[(3004, " BARE_DENIAL("1795308524000000") ")] 3005");
        check_text(client_manager(bus, "ListDenials", "a{sv}", 1, "limit", "u", 1),
                   "[(5003, " BARE_DENIAL("1795308524000000") ")] 5004");
        sd_bus_close_unref(bus);
}

static void count_denials(Fixture *f) {
        sd_bus *bus = client_open(f);

        check(count(client_manager(bus, "ListDenials", "a{sv}", 0), "\"Domain\"") == 100);
        check(count(client_manager(bus, "ListDenials", "a{sv}", 1, "limit", "u", 1000), "\"Domain\"") == 1000);
        sd_bus_close_unref(bus);
}

static void test_list_many_denials(void **state) {
        Fixture *f = *state;

        for (unsigned i = 0; i < 5000; i++)
                tell_denied(f, 10, &(Denial) { .domain = BARE });
        run_client(f, 0, list_many_denials);
        run_client(f, 0, count_denials);
}

static void domain_objects(Fixture *f) {
        static const char *const gone[] = {
                PATH "/domain/_1466dc89f",  /* freed */
                PATH "/domain/_3",          /* never seen */
                PATH "/domain/_01466dc891", /* other spellings */
                PATH "/domain/_1466DC891",
                PATH "/domain/1466dc891",
                PATH "/domain/_1466dc891/x",
                PATH "/domain/_",
                PATH "/domain",
        };
        sd_bus *bus = client_open(f);

        check_text(client_call(bus, LIVE_PATH, "org.freedesktop.DBus.Properties", "GetAll", "s", DOMAIN),
                   LIVE_OBJECT);
        check_text(client_get(bus, LIVE_PATH, DOMAIN, "HexID"), "<s \"1466dc891\">");
        /* What is not known. */
        check_text(client_get(bus, PATH "/domain/_2", DOMAIN, "Mode"), "<s \"\">");
        check_text(client_get(bus, PATH "/domain/_2", DOMAIN, "CreatorPID"), "<u 0>");
        check_text(client_get(bus, PATH "/domain/_2", DOMAIN, "CreatorUID"), "<u 4294967295>");
        check_text(client_get(bus, PATH "/domain/_2", DOMAIN, "CreatorComm"), "<s \"\">");
        check_text(client_get(bus, PATH "/domain/_2", DOMAIN, "CreatorExe"), "<s \"\">");

        for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
                char *error = client_error(bus, gone[i], "org.freedesktop.DBus.Properties", "Get", "ss", DOMAIN, "ID");

                check(strcmp(error, SD_BUS_ERROR_UNKNOWN_OBJECT) == 0 ||
                      strcmp(error, SD_BUS_ERROR_UNKNOWN_PROPERTY) == 0);
        }
        sd_bus_close_unref(bus);
}

static void managed_objects(Fixture *f) {
        sd_bus *bus = client_open(f);
        char *all = client_get_objects(bus);

        check(count(all, "\"" PATH "/domain/_") == 2);
        check(strstr(all, "\"" LIVE_PATH "\": {"));
        check(strstr(all, "\"" DOMAIN "\": " LIVE_OBJECT));
        sd_bus_close_unref(bus);
}

static void introspected_objects(Fixture *f) {
        sd_bus *bus = client_open(f);
        char *all = client_introspect(bus, PATH "/domain");

        check(count(all, "<node name=") == 2);
        check(strstr(all, "<node name=\"_1466dc891\"/>"));
        check(strstr(all, "<node name=\"_2\"/>"));
        sd_bus_close_unref(bus);
}

static void test_domain_objects(void **state) {
        run_client(*state, 0, domain_objects);
        run_client(*state, 0, managed_objects);
        run_client(*state, 0, introspected_objects);
}

/* Each domain as large as whoever is sandboxed can make it: on one bus with the limits of the system bus. */
static void large_answers(Fixture *f) {
        sd_bus *bus = client_open(f);
        unsigned n;

        n = count(client_manager(bus, "ListDomains", "a{sv}", 0), "\"HexID\"");
        check(n > 512 && n < BUS_OBJECTS_MAX);
        check(count(client_get_objects(bus), "\"HexID\"") == n);
        check(count(client_introspect(bus, PATH "/domain"), "<node name=") == n);
        sd_bus_close_unref(bus);
}

static void all_large_denials(Fixture *f) {
        sd_bus *bus = client_open(f);
        unsigned n = 0, n_calls = 0;
        uint64_t since = 1;

        while (since < f->table.denials.next_seq) {
                char *answer = client_manager(bus, "ListDenials", "a{sv}", 2, "since", "t", since, "limit", "u", 1000);

                check(answer[0] == '[');
                n += count(answer, "\"HexID\"");
                since = strtoull(strrchr(answer, ' '), NULL, 10);
                n_calls++;
                free(answer);
        }
        check(n == 200);
        check(n_calls > 1);
        sd_bus_close_unref(bus);
}

static void many_answers(Fixture *f) {
        sd_bus *bus = client_open(f);

        check(count(client_manager(bus, "ListDomains", "a{sv}", 0), "\"HexID\"") == BUS_DOMAINS_MAX);
        check(count(client_get_objects(bus), "\"HexID\"") == BUS_OBJECTS_MAX);
        check_text(client_get(bus, PATH, MANAGER, "LiveDomains"), "<t 8000>");
        /* Not listed, but there. */
        check_text(client_get(bus, PATH "/domain/_1", DOMAIN, "HexID"), "<s \"1\">");
        sd_bus_close_unref(bus);
}

static void test_many_domains(void **state _unused_) {
        Fixture f;

        fixture_start(&f, &limits);
        for (uint64_t id = 1; id <= 8000; id++)
                tell_described(&f, id, &(DomainDescription) {
                        .domain = id,
                        .mode = DOMAIN_MODE_ENFORCING,
                        .creator_pid = id, .has_creator_pid = true,
                        .creator_uid = 1000, .has_creator_uid = true,
                        .creator_comm = TEXT_LITERAL("sandboxer"),
                        .creator_exe = TEXT_LITERAL("/usr/libexec/some-program/sandboxer-helper"),
                });
        run_client(&f, 0, many_answers);
        fixture_stop(&f);
}

static void test_large_domains(void **state _unused_) {
        static char bytes[4095];
        const Text text = { bytes, sizeof(bytes) }, zeros = { (char[128]) {}, 128 };
        DenialPath paths[DENIAL_PATHS_MAX];
        Fixture f;

        memset(bytes, 0xff, sizeof(bytes));
        for (size_t i = 0; i < DENIAL_PATHS_MAX; i++)
                paths[i] = (DenialPath) { .name = text, .nametype = text, .dev = text };

        fixture_start(&f, &limits);
        for (uint64_t id = 1; id <= BUS_DOMAINS_MAX; id++)
                tell_described(&f, id, &(DomainDescription) {
                        .domain = id, .creator_comm = { bytes, 15 }, .creator_exe = text,
                });
        run_client(&f, 0, large_answers);

        for (uint64_t n = 1; n <= 200; n++)
                tell_denied(&f, n, &(Denial) {
                        .domain = 1,
                        .object = { .kind = OBJECT_FILE, .path = text, .name = text, .interface = text },
                        .subject = { .exe = text, .cmdline = zeros, .cwd = text, .label = text },
                        .paths = paths,
                        .n_paths = DENIAL_PATHS_MAX,
                });
        run_client(&f, 0, all_large_denials);
        fixture_stop(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_manager_properties),
                cmocka_unit_test(test_describe),
                cmocka_unit_test(test_get_domain),
                cmocka_unit_test(test_list_domains),
                cmocka_unit_test(test_list_denials),
                cmocka_unit_test(test_domain_objects),
                cmocka_unit_test(test_list_many_denials),
                cmocka_unit_test(test_many_domains),
                cmocka_unit_test(test_large_domains),
        };

        fixture_require();
        return cmocka_run_group_tests(tests, setup, teardown);
}
