/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A ruleset and its rules, as they were added.
 *
 * The kernel numbers each change of a ruleset: version n is what n landlock_add_rule(2) calls made of it. Rules are
 * never taken away, so that a domain made from version n has exactly the rules whose version is at most n. */
#pragma once

#include <sys/queue.h>

#include "model/access.h"
#include "model/origin.h"

typedef enum RuleKind {
        RULE_PATH_BENEATH,
        RULE_NET_PORT,
} RuleKind;

/* "path_beneath", "net_port"; static. */
const char *rule_kind_to_string(RuleKind kind);

/* One landlock_add_rule(2): rights granted on what is beneath a path, or on a port. */
typedef struct Rule {
        uint64_t version; /* that it made of the ruleset: 1 for the first */
        RuleKind kind;
        uint32_t dev_major, dev_minor;
        uint64_t access;  /* bits of ACCESS_FS or ACCESS_NET; of those that the ruleset handles, if that is known */
        uint64_t ino;
        uint64_t port;    /* as the program gave it; host byte order */
        Text path;        /* raw */
} Rule;

static inline AccessClass rule_access_class(const Rule *rule) {
        return rule->kind == RULE_NET_PORT ? ACCESS_NET : ACCESS_FS;
}

typedef struct Ruleset {
        uint64_t id;
        uint64_t created_usec;   /* realtime; 0: before landlockd looked */
        int64_t creator_tid;     /* thread that made it */
        bool has_creator_tid, has_handled;
        bool freed_before;       /* as an earlier landlockd told; not yet acted on */
        bool freed;              /* by the kernel; kept for the domains that were made from it */
        AccessRights handled;    /* scope: what is scoped */
        uint64_t version;        /* the highest that was told */
        Rule *rules;             /* by version, ascending; their paths are owned */
        size_t n_rules, n_rules_max;
        size_t n_domains;        /* that were made from it and are in the table */
        TAILQ_ENTRY(Ruleset) entry;
} Ruleset;

typedef TAILQ_HEAD(RulesetList, Ruleset) RulesetList;

/* The rules that a domain made from `version` has: the first so many of ruleset->rules. */
size_t ruleset_n_rules(const Ruleset *ruleset, uint64_t version);

/* How many rules of that version are not known: added before landlockd looked, lost, or over the cap. */
static inline uint64_t ruleset_n_unknown_rules(const Ruleset *ruleset, uint64_t version) {
        return version - ruleset_n_rules(ruleset, version);
}
