/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may see what: every kind of caller against every kind of domain, process and denial. */
#include "test.h"

#include <errno.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "publish/bus-caller.h"

/* A, of uid 1000, has in it B and in that C, of the same uid, and D of another's; of E nobody knows whose it is; R is
 * root's; F is A's owner's, in no other, and freed. */
enum { A = 0xa, B = 0xb, C = 0xc, D = 0xd, E = 0xe, F = 0xf, R = 0x10, UNHEARD = 0x99 };
static const uint64_t all[] = { A, B, C, D, E, F, R };
static const char letters[] = "ABCDEFR";

static DomainTable table;
static Counters counters;

static void tell(const Fact *fact) {
        Change changes[DOMAIN_TABLE_CHANGES_MAX];

        domain_table_apply(&table, fact, changes);
}

static void tell_created(uint64_t domain, uint64_t parent, int64_t uid) {
        tell(&(Fact) {
                .type = FACT_DOMAIN_CREATED, .origins = ORIGIN_TRACE, .time_usec = domain,
                .created = { .domain = domain, .parent = parent, .ruleset = domain, .ruleset_version = 0,
                             .creator = { .tid = 1, .pid = 1, .has_pid = true, .uid = uid, .has_uid = uid >= 0 } },
        });
}

static void tell_ruleset(uint64_t ruleset) {
        tell(&(Fact) { .type = FACT_RULESET_CREATED, .origins = ORIGIN_TRACE, .time_usec = 1,
                       .ruleset_created = { .ruleset = ruleset, .tid = 1 } });
}

/* A process of which the thread that leads it is known to be in the domain, or only that it is. */
static void tell_process(uint64_t domain, int64_t pid, int64_t tid, int64_t uid, unsigned origins) {
        tell(&(Fact) {
                .type = FACT_TASK_SEEN, .origins = origins, .time_usec = 1000 + pid,
                .seen = {
                        .domain = domain,
                        .task = { .tid = tid, .pid = pid, .has_pid = true, .uid = uid, .has_uid = uid >= 0 },
                        .attribution = ATTRIBUTION_KERNEL,
                },
        });
}

static int setup(void **state _unused_) {
        static const DomainTableLimits limits = { .n_domains = 64, .n_denials = 64, .n_processes = 64, .n_threads = 64,
                                                  .n_rulesets = 64, .n_rules = 64 };

        if (domain_table_init(&table, &limits, &counters) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(all); i++)
                tell_ruleset(all[i]);
        tell_ruleset(UNHEARD);
        tell_created(A, 0, 1000);
        tell_created(B, A, 1000);
        tell_created(C, B, 1000);
        tell_created(D, A, 1001);
        tell_created(E, 0, -1);
        tell_created(F, 0, 1000);
        tell_created(R, 0, 0);
        tell(&(Fact) { .type = FACT_DOMAIN_FREED, .origins = ORIGIN_TRACE, .time_usec = 100, .freed = { .domain = F } });

        tell_process(A, 100, 100, 1000, ORIGIN_TRACE);
        tell_process(B, 200, 200, 1000, ORIGIN_TRACE);
        tell_process(A, 200, 201, 1000, ORIGIN_TRACE);
        tell_process(B, 300, 300, 1002, ORIGIN_TRACE);
        tell_process(B, 301, 301, -1, ORIGIN_TRACE);
        for (int i = 0; i <= BUS_CALLER_DOMAINS_MAX; i++) {
                tell_created(0x100 + i, 0, 0);
                tell_process(0x100 + i, 400, 400 + i, 0, ORIGIN_TRACE);
        }
        return 0;
}

static int teardown(void **state _unused_) {
        domain_table_done(&table);
        return 0;
}

static const struct Row {
        const char *name;
        BusCaller caller;
        const char *domains;   /* letters of those that it sees */
        const char *processes; /* likewise of those below */
        const char *denials;
        bool may_ask, may_ask_if_only_privileged;
} rows[] = {
        { "root", { .observes_all = true, .place = BUS_CALLER_FREE }, "ABCDEFR", "abcd", "0123456789", true, true },
        { "root, nobody knows where", { .observes_all = true }, "ABCDEFR", "abcd", "0123456789", true, true },
        { "root, gone", { .observes_all = true, .place = BUS_CALLER_GONE }, "", "", "", false, false },
        { "root in A", { .observes_all = true, .place = BUS_CALLER_CONFINED, .domains = { A }, .n_domains = 1 },
          "BCD", "bcd", "0123456", true, true },
        { "root in B", { .observes_all = true, .place = BUS_CALLER_CONFINED, .domains = { B }, .n_domains = 1 },
          "C", "", "", true, true },
        { "root in A and B", { .observes_all = true, .place = BUS_CALLER_CONFINED, .domains = { A, B }, .n_domains = 2 },
          "C", "", "", true, true },
        { "root in C", { .observes_all = true, .place = BUS_CALLER_CONFINED, .domains = { C }, .n_domains = 1 },
          "", "", "", true, true },
        { "root in one that nobody told of",
          { .observes_all = true, .place = BUS_CALLER_CONFINED, .domains = { UNHEARD }, .n_domains = 1 },
          "", "", "", true, true },
        { "by polkit", { .uid = 1002, .observes_all = true, .place = BUS_CALLER_FREE }, "ABCDEFR", "abcd", "0123456789",
          true, true },
        { "by polkit in A",
          { .uid = 1002, .observes_all = true, .place = BUS_CALLER_CONFINED, .domains = { A }, .n_domains = 1 },
          "BCD", "bcd", "0123456", true, true },
        { "owner", { .uid = 1000, .place = BUS_CALLER_FREE }, "ABCF", "ab", "0123", true, false },
        { "owner, nobody knows where", { .uid = 1000 }, "", "", "", false, false },
        { "owner, gone", { .uid = 1000, .place = BUS_CALLER_GONE }, "", "", "", false, false },
        { "owner in A", { .uid = 1000, .place = BUS_CALLER_CONFINED, .domains = { A }, .n_domains = 1 },
          "BC", "b", "0123", true, false },
        { "owner in D", { .uid = 1000, .place = BUS_CALLER_CONFINED, .domains = { D }, .n_domains = 1 },
          "", "", "", true, false },
        { "another", { .uid = 1001, .place = BUS_CALLER_FREE }, "D", "", "", true, false },
        { "another in A", { .uid = 1001, .place = BUS_CALLER_CONFINED, .domains = { A }, .n_domains = 1 },
          "D", "", "", true, false },
        { "who runs in somebody else's", { .uid = 1002, .place = BUS_CALLER_FREE }, "", "", "", true, false },
        { "no valid uid", { .uid = (uid_t) -1, .place = BUS_CALLER_FREE }, "", "", "", true, false },
};

static void test_domains(void **state _unused_) {
        for (const struct Row *row = rows; row < rows + ARRAY_SIZE(rows); row++)
                for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                        const Domain *domain = domain_table_get(&table, all[i]);
                        bool sees = bus_caller_sees_domain(&row->caller, domain);

                        if (sees != !!strchr(row->domains, letters[i]))
                                fail_msg("%s %s %c", row->name, sees ? "sees" : "does not see", letters[i]);
                }
}

static void test_rulesets(void **state _unused_) {
        for (const struct Row *row = rows; row < rows + ARRAY_SIZE(rows); row++) {
                for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                        const Ruleset *ruleset = ruleset_table_get(&table.rulesets, all[i]);
                        bool sees = bus_caller_sees_ruleset(&row->caller, &table, ruleset);

                        if (sees != !!strchr(row->domains, letters[i]))
                                fail_msg("%s %s the ruleset of %c", row->name, sees ? "sees" : "does not see", letters[i]);
                }
                assert_int_equal(bus_caller_sees_ruleset(&row->caller, &table, ruleset_table_get(&table.rulesets, UNHEARD)),
                                 bus_caller_sees_all(&row->caller));
        }
}

static void test_processes(void **state _unused_) {
        static const struct { uint64_t domain; int64_t pid; } processes[] = { { A, 100 }, { B, 200 }, { B, 300 }, { B, 301 } };

        for (const struct Row *row = rows; row < rows + ARRAY_SIZE(rows); row++)
                for (size_t i = 0; i < ARRAY_SIZE(processes); i++) {
                        const Domain *domain = domain_table_get(&table, processes[i].domain);
                        const Process *process = process_table_get(&table.processes, domain, processes[i].pid);
                        bool sees;

                        assert_non_null(process);
                        sees = bus_caller_sees_process(&row->caller, process);
                        if (sees != !!strchr(row->processes, "abcd"[i]))
                                fail_msg("%s %s process %c", row->name, sees ? "sees" : "does not see", "abcd"[i]);
                }
}

#define UID(n) (UINT32_C(1) << SUBJECT_##n)

static const Denial denials[] = {
        { .domain = B, .subject = { .ids[SUBJECT_uid] = 1000, .known_ids = UID(uid) } },
        { .domain = B, .subject = { .ids = { [SUBJECT_uid] = 1000, [SUBJECT_euid] = 1000, [SUBJECT_suid] = 1000,
                                             [SUBJECT_fsuid] = 1000 },
                                    .known_ids = UID(uid) | UID(euid) | UID(suid) | UID(fsuid) } },
        { .domain = C, .subject = { .ids[SUBJECT_uid] = 1000, .known_ids = UID(uid) } },
        { .domain = B, .subject = { .ids[SUBJECT_uid] = 1000, .known_ids = UID(uid) } },
        /* Not known who, somebody else, with the rights of somebody else. */
        { .domain = B },
        { .domain = B, .subject = { .ids[SUBJECT_uid] = 1001, .known_ids = UID(uid) } },
        { .domain = B, .subject = { .ids[SUBJECT_uid] = 1000, .known_ids = UID(uid) | UID(euid) } },
        /* In a domain that is not the caller's, or that is not in the table. */
        { .domain = R, .subject = { .ids[SUBJECT_uid] = 1000, .known_ids = UID(uid) } },
        { .domain = E, .subject = { .ids[SUBJECT_uid] = 1000, .known_ids = UID(uid) } },
        { .domain = UNHEARD, .subject = { .ids[SUBJECT_uid] = 1000, .known_ids = UID(uid) } },
};

static void test_denials(void **state _unused_) {
        for (const struct Row *row = rows; row < rows + ARRAY_SIZE(rows); row++)
                for (size_t i = 0; i < ARRAY_SIZE(denials); i++) {
                        bool sees = bus_caller_sees_denial(&row->caller, &table, &denials[i]);
                        bool expected = strchr(row->denials, '0' + (int) i);

                        /* From within B only what is about C is left. */
                        if (strcmp(row->domains, "C") == 0)
                                expected = denials[i].domain == C;
                        if (sees != expected)
                                fail_msg("%s %s denial %zu", row->name, sees ? "sees" : "does not see", i);
                }
}

/* The other party is the caller's if its domain is. */
static void test_party(void **state _unused_) {
        Denial denial = denials[0];

        denial.object = (DenialObject) { .kind = OBJECT_PROCESS, .pid = 100, .has_pid = true, .has_domain = true };
        for (const struct Row *row = rows; row < rows + ARRAY_SIZE(rows); row++) {
                bool sees_all = bus_caller_sees_all(&row->caller);

                for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                        denial.object.domain = all[i];
                        assert_int_equal(bus_caller_sees_party(&row->caller, &table, &denial),
                                         !!strchr(row->domains, letters[i]));
                }
                denial.object.domain = 0;
                assert_int_equal(bus_caller_sees_party(&row->caller, &table, &denial), sees_all);
                denial.object.domain = UNHEARD;
                assert_int_equal(bus_caller_sees_party(&row->caller, &table, &denial), sees_all);
                denial.object.has_domain = false;
                denial.object.domain = A;
                assert_int_equal(bus_caller_sees_party(&row->caller, &table, &denial), sees_all);
                denial.object.has_domain = true;
        }
}

static bool may_ask(const BusCaller *caller, bool unprivileged) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = bus_caller_check(caller, unprivileged, &error);

        assert_int_equal(r < 0, sd_bus_error_is_set(&error));
        return r >= 0;
}

static void test_may_ask(void **state _unused_) {
        for (const struct Row *row = rows; row < rows + ARRAY_SIZE(rows); row++) {
                if (may_ask(&row->caller, true) != row->may_ask)
                        fail_msg("%s may%s ask", row->name, row->may_ask ? " not" : "");
                if (may_ask(&row->caller, false) != row->may_ask_if_only_privileged)
                        fail_msg("%s may%s ask where only who is privileged may", row->name,
                                 row->may_ask_if_only_privileged ? " not" : "");
        }
}

static int answer;
static uint64_t answered_domain;

static int read_domain(void *userdata _unused_, int64_t tid _unused_, uint64_t *ret_domain) {
        if (answer < 0)
                return answer;
        *ret_domain = answered_domain;
        return 0;
}

static void test_locate(void **state _unused_) {
        static const struct {
                int64_t pid;
                int answer; /* the kernel's */
                uint64_t domain;
                BusCallerPlace place;
                uint64_t domains[2];
        } cases[] = {
                { 1, 0, 0, BUS_CALLER_FREE, { 0 } },
                { 1, 0, A, BUS_CALLER_CONFINED, { A } },
                { 1, 0, UNHEARD, BUS_CALLER_CONFINED, { UNHEARD } },
                { 1, -EOPNOTSUPP, 0, BUS_CALLER_PLACE_UNKNOWN, { 0 } },
                { 1, -EIO, 0, BUS_CALLER_PLACE_UNKNOWN, { 0 } },
                { 1, -ESRCH, 0, BUS_CALLER_GONE, { 0 } },
                { 0, 0, 0, BUS_CALLER_PLACE_UNKNOWN, { 0 } },
                /* What the table knows of all threads counts too. */
                { 100, -EOPNOTSUPP, 0, BUS_CALLER_CONFINED, { A } },
                { 100, 0, A, BUS_CALLER_CONFINED, { A } },
                { 100, 0, B, BUS_CALLER_CONFINED, { B, A } },
                { 200, -EOPNOTSUPP, 0, BUS_CALLER_CONFINED, { A, B } },
                { 200, 0, B, BUS_CALLER_CONFINED, { B, A } },
                { 100, -ESRCH, 0, BUS_CALLER_GONE, { A } },
                { 400, -EOPNOTSUPP, 0, BUS_CALLER_GONE, { 0 } },
        };
        const DomainReader reader = { read_domain, NULL };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                BusCaller caller = { .pid = cases[i].pid, .pidfd = -EBADF, .n_domains = 7, .domains = { 1, 2, 3 } };

                answer = cases[i].answer;
                answered_domain = cases[i].domain;
                assert_int_equal(bus_caller_locate(&caller, &table, &reader), 0);
                assert_int_equal(caller.place, cases[i].place);
                if (caller.place != BUS_CALLER_CONFINED)
                        continue;
                assert_int_equal(caller.n_domains, cases[i].domains[1] ? 2 : 1);
                for (size_t n = 0; n < caller.n_domains; n++)
                        assert_true(caller.domains[n] == cases[i].domains[0] || caller.domains[n] == cases[i].domains[1]);
        }
}

static void test_locate_later(void **state _unused_) {
        BusCaller caller = { .pid = 1, .pidfd = -EBADF, .place = BUS_CALLER_CONFINED, .domains = { A }, .n_domains = 1 };

        answer = -EAGAIN;
        assert_int_equal(bus_caller_locate(&caller, &table, &(DomainReader) { read_domain, NULL }), -EAGAIN);
        assert_int_equal(caller.place, BUS_CALLER_CONFINED);
        assert_int_equal(caller.n_domains, 1);
}

/* A number that another process has got by now tells nothing. */
static void test_gone(void **state _unused_) {
        const DomainReader reader = { read_domain, NULL };
        BusCaller caller = {};
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                pause();
                _exit(0);
        }
        caller.pid = pid;
        caller.pidfd = pidfd_open(pid, 0);
        assert_true(caller.pidfd >= 0);
        answer = 0;
        answered_domain = 0;
        bus_caller_locate(&caller, &table, &reader);
        assert_int_equal(caller.place, BUS_CALLER_FREE);

        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        bus_caller_locate(&caller, &table, &reader);
        assert_int_equal(caller.place, BUS_CALLER_GONE);
        close(caller.pidfd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_domains),
                cmocka_unit_test(test_rulesets),
                cmocka_unit_test(test_processes),
                cmocka_unit_test(test_denials),
                cmocka_unit_test(test_party),
                cmocka_unit_test(test_may_ask),
                cmocka_unit_test(test_locate),
                cmocka_unit_test(test_locate_later),
                cmocka_unit_test(test_gone),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
