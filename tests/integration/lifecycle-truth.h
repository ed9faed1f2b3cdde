/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was made in one life-cycle: rulesets, rules, domains, who was ever in which, what was refused. It lives in
 * memory shared by all processes that add to it, even across execve(2), so it is of a fixed size, holds no pointers
 * and is only ever appended to. Rulesets and domains are told apart by their index: the kernel does not tell its IDs
 * to those whom they are about. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "landlock-abi.h"

enum {
        TRUE_RULESETS_MAX = 8192,
        TRUE_RULES_MAX = 16384,
        TRUE_DOMAINS_MAX = 8192,
        TRUE_TASKS_MAX = 32768,
        TRUE_DENIALS_MAX = 8192,
        TRUE_PATH_MAX = 256,
        OUTSIDE = -1, /* the domain of who is in none */
};

typedef struct TrueRuleset {
        pid_t pid, tid; /* its creator's */
        LandlockRuleset attr;
        atomic_uint n_rules;
} TrueRuleset;

typedef struct TrueRule {
        unsigned ruleset;
        unsigned version; /* that it made of the ruleset */
        uint64_t access;
        bool is_port;
        uint64_t port;
        unsigned dev_major, dev_minor;
        ino_t ino;
        char path[TRUE_PATH_MAX]; /* any bytes */
} TrueRule;

typedef struct TrueDomain {
        pid_t pid, tid; /* its creator's */
        int parent;     /* index or OUTSIDE */
        unsigned ruleset, ruleset_version;
        bool process_wide, no_new_privs;
        bool by_file; /* lives on in an open file after all its threads are gone */
} TrueDomain;

/* How a thread came into its domain, or into being. */
typedef enum TrueWay {
        WAY_FORKED,   /* with the domain of the thread that made it */
        WAY_ENFORCED, /* by restricting itself, or by a thread that restricted all */
        WAY_EXECED,   /* under the ID of the leader, for a thread that executed and was not the leader */
} TrueWay;

/* A later one of the same thread ID is where the thread went. */
typedef struct TrueTask {
        pid_t pid, tid;
        int domain;
        TrueWay way;
} TrueTask;

typedef struct TrueDenial {
        pid_t pid, tid;
        unsigned domain;
        uint64_t count;
        bool same_exec; /* and thereby logged: no life-cycle asks for anything else */
} TrueDenial;

typedef struct LifecycleTruth {
        atomic_uint n_rulesets, n_rules, n_domains, n_tasks, n_denials;
        TrueRuleset rulesets[TRUE_RULESETS_MAX];
        TrueRule rules[TRUE_RULES_MAX];
        TrueDomain domains[TRUE_DOMAINS_MAX];
        TrueTask tasks[TRUE_TASKS_MAX];
        TrueDenial denials[TRUE_DENIALS_MAX];
} LifecycleTruth;

/* Maps what `fd` holds: a memfd, which is given its size. */
LifecycleTruth *lifecycle_truth_map(int fd);
LifecycleTruth *lifecycle_truth_free(LifecycleTruth *truth);

/* Each returns the index of what it added. */
unsigned lifecycle_truth_add_ruleset(LifecycleTruth *truth, const TrueRuleset *ruleset);
unsigned lifecycle_truth_add_domain(LifecycleTruth *truth, const TrueDomain *domain);

void lifecycle_truth_add_rule(LifecycleTruth *truth, const TrueRule *rule);
void lifecycle_truth_add_task(LifecycleTruth *truth, const TrueTask *task);
void lifecycle_truth_add_denial(LifecycleTruth *truth, const TrueDenial *denial);

/* One line of JSON on stdout, at once. What lives is asked of /proc now. */
void lifecycle_truth_print(const LifecycleTruth *truth, const char *name, const char *phase);
