/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/ruleset-table.h"

#include <assert.h>
#include <errno.h>

void ruleset_table_init(RulesetTable *table, size_t n_rulesets_max, size_t n_rules_max, Counters *counters) {
        *table = (RulesetTable) {
                .n_rulesets_max = n_rulesets_max,
                .n_rules_max = n_rules_max,
                .counters = counters,
        };
        TAILQ_INIT(&table->unused);
        TAILQ_INIT(&table->used);
        TAILQ_INIT(&table->dead);
}

static void drop(RulesetTable *table, RulesetList *list, Ruleset *ruleset) {
        TAILQ_REMOVE(list, ruleset, entry);
        id_map_remove(&table->by_id, ruleset->id);
        table->n_rulesets--;
        table->n_rules -= ruleset->n_rules;
        for (size_t i = 0; i < ruleset->n_rules; i++)
                free((char *) ruleset->rules[i].path.data);
        free(ruleset->rules);
        free(ruleset);
}

static void drop_all(RulesetTable *table, RulesetList *list) {
        while (!TAILQ_EMPTY(list))
                drop(table, list, TAILQ_FIRST(list));
}

void ruleset_table_done(RulesetTable *table) {
        drop_all(table, &table->unused);
        drop_all(table, &table->used);
        drop_all(table, &table->dead);
        id_map_done(&table->by_id);
}

Ruleset *ruleset_table_get(const RulesetTable *table, uint64_t id) {
        return id_map_get(&table->by_id, id);
}

static int add(RulesetTable *table, uint64_t id, Ruleset **ret) {
        Ruleset *ruleset;

        if (table->n_rulesets >= table->n_rulesets_max) {
                table->counters->rulesets_evicted++;
                if (TAILQ_EMPTY(&table->unused))
                        return -ENOSPC;
                drop(table, &table->unused, TAILQ_FIRST(&table->unused));
        }

        ruleset = calloc(1, sizeof(Ruleset));
        if (!ruleset)
                return -ENOMEM;
        ruleset->id = id;
        if (id_map_put(&table->by_id, id, ruleset) < 0) {
                free(ruleset);
                return -ENOMEM;
        }
        TAILQ_INSERT_TAIL(&table->unused, ruleset, entry);
        table->n_rulesets++;
        table->counters->rulesets++;
        *ret = ruleset;
        return 0;
}

/* The kernel tells the rights that a rule leaves alone too: all that its ruleset does not handle. */
static void mask_access(const Ruleset *ruleset, Rule *rule) {
        if (ruleset->has_handled)
                rule->access &= ruleset->handled.bits[rule_access_class(rule)];
}

int ruleset_table_create(RulesetTable *table, const RulesetCreation *creation, uint64_t time_usec, Ruleset **ret) {
        Ruleset *ruleset = ruleset_table_get(table, creation->ruleset);
        int r;

        if (!ruleset) {
                r = add(table, creation->ruleset, &ruleset);
                if (r < 0)
                        return r == -ENOSPC ? 0 : r;
        } else if (ruleset->has_handled)
                return 0;

        ruleset->handled = creation->handled;
        ruleset->has_handled = true;
        for (size_t i = 0; i < ruleset->n_rules; i++)
                mask_access(ruleset, &ruleset->rules[i]);
        ruleset->creator_tid = creation->tid;
        ruleset->has_creator_tid = true;
        ruleset->created_usec = time_usec;
        *ret = ruleset;
        return 1;
}

/* Room for one more rule, which nothing but memory limits. */
static int grow(Ruleset *ruleset) {
        size_t n_max = MAX(2 * ruleset->n_rules_max, (size_t) 8);
        Rule *rules;

        if (ruleset->n_rules < ruleset->n_rules_max)
                return 0;
        rules = reallocarray(ruleset->rules, n_max, sizeof(Rule));
        if (!rules)
                return -ENOMEM;
        ruleset->rules = rules;
        ruleset->n_rules_max = n_max;
        return 0;
}

/* The rule goes behind those of lower versions: to the end, unless it is late. Returns 0 if it was there already. */
static int insert(RulesetTable *table, Ruleset *ruleset, const Rule *rule, const Rule **ret) {
        size_t at = ruleset_n_rules(ruleset, rule->version);
        Text path = TEXT_NULL;

        if (at > 0 && ruleset->rules[at - 1].version == rule->version)
                return 0;
        if (table->n_rules >= table->n_rules_max) {
                table->counters->rules_dropped++;
                return 0;
        }
        if (grow(ruleset) < 0 || (text_known(rule->path) && text_dup(rule->path, &path) < 0))
                return -ENOMEM;

        memmove(&ruleset->rules[at + 1], &ruleset->rules[at], (ruleset->n_rules - at) * sizeof(Rule));
        ruleset->rules[at] = *rule;
        ruleset->rules[at].path = path;
        mask_access(ruleset, &ruleset->rules[at]);
        ruleset->n_rules++;
        table->n_rules++;
        *ret = &ruleset->rules[at];
        return 1;
}

int ruleset_table_add_rule(RulesetTable *table, const RuleAddition *addition, Ruleset **ret, const Rule **ret_rule) {
        Ruleset *ruleset = ruleset_table_get(table, addition->ruleset);
        int r;

        table->counters->rules++;
        if (!ruleset) {
                r = add(table, addition->ruleset, &ruleset);
                if (r < 0) {
                        table->counters->rules_dropped++;
                        return r == -ENOSPC ? 0 : r;
                }
        }
        ruleset->version = MAX(ruleset->version, addition->rule.version);
        *ret = ruleset;
        return insert(table, ruleset, &addition->rule, ret_rule);
}

static void move(Ruleset *ruleset, RulesetList *from, RulesetList *to) {
        TAILQ_REMOVE(from, ruleset, entry);
        TAILQ_INSERT_TAIL(to, ruleset, entry);
}

int ruleset_table_freed(RulesetTable *table, const RulesetEnd *end, Ruleset **ret) {
        Ruleset *ruleset = ruleset_table_get(table, end->ruleset);

        if (!ruleset || ruleset->freed)
                return 0;
        ruleset->freed = true;
        ruleset->version = MAX(ruleset->version, end->version);
        if (ruleset->n_domains == 0)
                move(ruleset, &table->unused, &table->dead);
        *ret = ruleset;
        return 1;
}

int ruleset_table_restore(RulesetTable *table, const Ruleset *told) {
        Ruleset *ruleset = ruleset_table_get(table, told->id);
        const Rule *rule;
        int r;

        if (!ruleset) {
                r = add(table, told->id, &ruleset);
                if (r < 0)
                        return r == -ENOSPC ? 0 : r;
        }
        if (told->has_handled && !ruleset->has_handled) {
                ruleset->handled = told->handled;
                ruleset->has_handled = true;
                for (size_t i = 0; i < ruleset->n_rules; i++)
                        mask_access(ruleset, &ruleset->rules[i]);
        }
        if (told->has_creator_tid && !ruleset->has_creator_tid) {
                ruleset->creator_tid = told->creator_tid;
                ruleset->has_creator_tid = true;
                ruleset->created_usec = told->created_usec;
        }
        ruleset->version = MAX(ruleset->version, told->version);
        ruleset->freed_before |= told->freed;
        for (size_t i = 0; i < told->n_rules; i++)
                if (insert(table, ruleset, &told->rules[i], &rule) < 0)
                        return -ENOMEM;
        return 0;
}

static void restore_end(RulesetTable *table, Ruleset *ruleset) {
        Ruleset *ret;

        if (ruleset->freed_before)
                ruleset_table_freed(table, &(RulesetEnd) { ruleset->id, ruleset->version }, &ret);
}

void ruleset_table_restore_end(RulesetTable *table, uint64_t id) {
        Ruleset *ruleset = id != 0 ? ruleset_table_get(table, id) : NULL, *next;

        if (ruleset)
                restore_end(table, ruleset);
        if (id == 0) {
                TAILQ_FOREACH(ruleset, &table->used, entry)
                        restore_end(table, ruleset);
                for (ruleset = TAILQ_FIRST(&table->unused); ruleset; ruleset = next) {
                        next = TAILQ_NEXT(ruleset, entry);
                        restore_end(table, ruleset);
                }
        }
        ruleset_table_collect(table);
}

Ruleset *ruleset_table_ref(RulesetTable *table, uint64_t id, uint64_t version) {
        Ruleset *ruleset = ruleset_table_get(table, id);

        if (!ruleset)
                return NULL;
        ruleset->version = MAX(ruleset->version, version);
        if (ruleset->n_domains++ == 0)
                move(ruleset, ruleset->freed ? &table->dead : &table->unused, &table->used);
        return ruleset;
}

void ruleset_table_unref(RulesetTable *table, Ruleset *ruleset) {
        if (!ruleset)
                return;
        assert(ruleset->n_domains > 0);
        if (--ruleset->n_domains == 0)
                move(ruleset, &table->used, ruleset->freed ? &table->dead : &table->unused);
}

void ruleset_table_collect(RulesetTable *table) {
        drop_all(table, &table->dead);
}
