/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rulesets by ID. One is kept until the kernel has freed it and no domain in the table was made from it. At the cap
 * of rulesets the one longest unused by any domain is evicted; rules beyond their cap are not kept, only counted. */
#pragma once

#include "base/id-map.h"
#include "base/macros.h"
#include "model/counters.h"
#include "model/fact.h"
#include "model/ruleset.h"

typedef struct RulesetTable {
        IdMap by_id;
        RulesetList unused; /* no domain was made from them; oldest first */
        RulesetList used;
        RulesetList dead; /* neither the kernel nor a domain has them any more */
        size_t n_rulesets, n_rulesets_max;
        size_t n_rules, n_rules_max;
        Counters *counters; /* borrowed */
} RulesetTable;

void ruleset_table_init(RulesetTable *table, size_t n_rulesets_max, size_t n_rules_max, Counters *counters);
void ruleset_table_done(RulesetTable *table);

/* NULL if it is not there. Borrowed until the table changes. */
Ruleset *ruleset_table_get(const RulesetTable *table, uint64_t id);

/* The three give 1 if something changed, 0 if not, -ENOMEM. */
int ruleset_table_create(RulesetTable *table, const RulesetCreation *creation, uint64_t time_usec, Ruleset **ret);
int ruleset_table_add_rule(RulesetTable *table, const RuleAddition *addition, Ruleset **ret, const Rule **ret_rule);
int ruleset_table_freed(RulesetTable *table, const RulesetEnd *end, Ruleset **ret);

/* What an earlier landlockd told of one joins what is known. One that was freed then is kept until _restore_end() of it,
 * or of all (0). -ENOMEM. */
int ruleset_table_restore(RulesetTable *table, const Ruleset *told);
void ruleset_table_restore_end(RulesetTable *table, uint64_t id);

/* A domain was made from it; NULL if it is not known. Given back with ruleset_table_unref(). */
Ruleset *ruleset_table_ref(RulesetTable *table, uint64_t id, uint64_t version);
void ruleset_table_unref(RulesetTable *table, Ruleset *ruleset);

/* Drops those that nothing needs any more: after their last Change was published. */
void ruleset_table_collect(RulesetTable *table);
