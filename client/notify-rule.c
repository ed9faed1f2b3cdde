/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/notify-rule.h"

#include <string.h>

#include "client/memory.h"
#include "client/notify-pattern.h"

bool notify_rule_valid(const NotifyRule *rule) {
        return rule->exe || rule->blockers || rule->object;
}

static bool matches_one_of(const char *patterns, const char *name) {
        _cleanup_free_ char *copy = check_memory(strdup(patterns));
        char *rest = copy;

        for (char *pattern; (pattern = strsep(&rest, ","));)
                if (notify_pattern_matches(pattern, name))
                        return true;
        return false;
}

static bool matches_each(const char *patterns, const char *names) {
        _cleanup_free_ char *copy = check_memory(strdup(names));
        char *rest = copy;

        for (char *name; (name = strsep(&rest, ","));)
                if (!matches_one_of(patterns, name))
                        return false;
        return true;
}

static bool matches(const NotifyRule *rule, const NotifyDenial *denial) {
        return (!rule->exe || notify_pattern_matches(rule->exe, denial->exe)) &&
               (!rule->blockers || matches_each(rule->blockers, denial->blockers)) &&
               (!rule->object || notify_pattern_matches(rule->object, denial->object));
}

void notify_rule_init(NotifyRule *rule, const NotifyDenial *denial) {
        *rule = (NotifyRule) {
                .exe = notify_pattern_from_text(denial->exe),
                .blockers = check_memory(strdup(denial->blockers)),
                .object = *denial->object ? notify_pattern_from_text(denial->object) : NULL,
        };
}

void notify_rule_clear(NotifyRule *rule) {
        free(rule->exe);
        free(rule->blockers);
        free(rule->object);
        *rule = (NotifyRule) {};
}

bool notify_rules_add(NotifyRules *rules, NotifyRule *rule) {
        if (rules->n == NOTIFY_RULES_MAX)
                return false;
        rules->rules = check_memory(reallocarray(rules->rules, rules->n + 1, sizeof(*rules->rules)));
        rules->rules[rules->n++] = *rule;
        *rule = (NotifyRule) {};
        return true;
}

bool notify_rules_match(const NotifyRules *rules, const NotifyDenial *denial) {
        for (size_t i = 0; i < rules->n; i++)
                if (matches(&rules->rules[i], denial))
                        return true;
        return false;
}

void notify_rules_clear(NotifyRules *rules) {
        for (size_t i = 0; i < rules->n; i++)
                notify_rule_clear(&rules->rules[i]);
        free(rules->rules);
        *rules = (NotifyRules) {};
}
