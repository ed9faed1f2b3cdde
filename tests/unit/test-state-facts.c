/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-state-facts.h"

#include <stdlib.h>

#include "base/macros.h"

static uint64_t now;

void facts_begin(void) {
        now = FACTS_TIME;
        srand(1);
}

uint64_t facts_now(void) {
        return now;
}

uint64_t facts_choose(uint64_t n) {
        return (uint64_t) rand() % n;
}

static const Text texts[] = {
        TEXT_LITERAL("sh"),
        TEXT_LITERAL(""),
        TEXT_LITERAL("/usr/bin/caf\xc3\xa9"),
        TEXT_LITERAL("a \"quoted\" \\ \xff\n\x1b"),
        TEXT_LITERAL("\0abstract"),
        TEXT_NULL,
};

static Text some_text(void) {
        return texts[facts_choose(ARRAY_SIZE(texts))];
}

/* Younger domains have higher IDs; parents are older. */
static uint64_t last_domain = 0x1466dc890, last_ruleset = 0x1466dc000;

static uint64_t old_domain(void) {
        return last_domain - facts_choose(50);
}

/* One that is known: what is told of others comes of losses, and may join in another order. 0: none. */
static uint64_t old_ruleset(const DomainTable *table) {
        const Ruleset *ruleset = ruleset_table_get(&table->rulesets, last_ruleset - facts_choose(10));

        return ruleset && !ruleset->freed ? ruleset->id : 0;
}

static TaskDescription some_task(void) {
        int64_t tid = 1000 + (int64_t) facts_choose(120);

        return (TaskDescription){ .tid = tid,
                                  .pid = tid - tid % 3,
                                  .has_pid = true,
                                  .uid = 7,
                                  .has_uid = facts_choose(2),
                                  .comm = some_text(),
                                  .exe = some_text() };
}

static Fact ruleset_fact(const DomainTable *table) {
        uint64_t known = old_ruleset(table);

        switch (known ? facts_choose(4) : 0) {
        case 0:
                return (Fact) { .type = FACT_RULESET_CREATED,
                               .ruleset_created = {
                                       ++last_ruleset, { { (uint64_t) rand(), 3, 1 } }, (int64_t) facts_choose(100) } };
        case 1:
                return (Fact) { .type = FACT_RULESET_FREED, .ruleset_freed = { known, facts_choose(6) } };
        default:
                return (Fact) { .type = FACT_RULE_ADDED,
                               .rule_added = { known,
                                               { .version = 1 + facts_choose(8),
                                                 .kind = facts_choose(2) ? RULE_NET_PORT : RULE_PATH_BENEATH,
                                                 .access = (uint64_t) rand() } } };
        }
}

static Fact domain_fact(const DomainTable *table) {
        switch (facts_choose(5)) {
        case 0:
                last_domain++;
                return (Fact) { .type = FACT_DOMAIN_CREATED,
                               .created = { last_domain, facts_choose(2) ? 0 : old_domain(),
                                            facts_choose(4) ? old_ruleset(table) : 0, facts_choose(6), some_task(),
                                            some_text() } };
        case 1:
                return (Fact) { .type = FACT_DOMAIN_FREED, .freed = { old_domain(), facts_choose(9), facts_choose(2) } };
        case 2:
                return (Fact) { .type = FACT_DOMAIN_DESCRIBED,
                               .described = { old_domain(), facts_choose(2), 42, 1000, facts_choose(2), facts_choose(2),
                                              some_text(), some_text(), some_text() } };
        case 3:
                return (Fact) { .type = FACT_DOMAIN_SEEN,
                               .sight = { .described.domain = old_domain(),
                                          .handled = { { 5, 0, 2 } },
                                          .has_handled = facts_choose(2) } };
        default:
                return (Fact) { .type = FACT_DOMAIN_ENFORCED,
                               .enforced = { old_domain(), some_task(), facts_choose(2), facts_choose(2) } };
        }
}

static Fact task_fact(const DomainTable *table _unused_) {
        const TaskDescription a = some_task(), b = some_task();

        switch (facts_choose(5)) {
        case 0:
                return (Fact) { .type = FACT_TASK_FORKED, .forked = { a.tid, b.tid, facts_choose(2) } };
        case 1:
                return (Fact) { .type = FACT_TASK_EXECED,
                               .execed = { a.tid,
                                           { .tid = facts_choose(2) ? a.tid : a.pid,
                                             .comm = some_text(),
                                             .exe = some_text() } } };
        case 2:
                return (Fact) { .type = FACT_TASK_SEEN, .seen = { .domain = old_domain(), .task = a, .attribution = facts_choose(3) } };
        default:
                return (Fact) { .type = FACT_TASK_EXITED, .exited = { a.tid } };
        }
}

static Fact denial_fact(const DomainTable *table _unused_) {
        const TaskDescription task = some_task();

        return (Fact) {
                .type = FACT_ACCESS_DENIED,
                .denied = {
                        .domain = old_domain(),
                        .time_usec = now + 1,
                        .origins = ORIGIN_TRACE,
                        .event = facts_choose(3),
                        .blockers = { .known = 1 + facts_choose(UINT64_C(1) << BLOCKER_MAX), .other = facts_choose(4) ? TEXT_NULL : TEXT_LITERAL("fs.new,x.y") },
                        .object = { .kind = facts_choose(5), .path = some_text(), .ino = UINT64_MAX - facts_choose(3), .has_ino = facts_choose(2) },
                        .subject = { .ids = { [SUBJECT_pid] = task.pid, [SUBJECT_tid] = task.tid, [SUBJECT_uid] = 7 },
                                     .known_ids = facts_choose(4) ? 1U << SUBJECT_pid | 1U << SUBJECT_tid | 1U << SUBJECT_uid : 0,
                                     .comm = task.comm, .exe = some_text(), .cmdline = some_text() },
                        .syscall = { .name = some_text(), .arch = some_text(), .exit = -13, .has_exit = facts_choose(2) },
                },
        };
}

Fact facts_next(const DomainTable *table) {
        Fact (*const kinds[])(const DomainTable *table) = { ruleset_fact, domain_fact, task_fact, denial_fact };
        Fact fact = kinds[facts_choose(ARRAY_SIZE(kinds))](table);

        fact.time_usec = ++now;
        fact.origins = ORIGIN_TRACE;
        return fact;
}
