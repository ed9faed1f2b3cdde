/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a person does not want to be told of: an entry of the ignore list, and the list. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"
#include "client/notify-denial.h"

/* What is NULL matches everything. Owned. */
typedef struct NotifyRule {
        char *exe;      /* a pattern (client/notify-pattern.h) */
        char *blockers; /* patterns, comma-separated: each blocker of the denial has to match one of them */
        char *object;   /* a pattern */
} NotifyRule;

/* A rule that names nothing would silence everything, so it is none. */
bool notify_rule_valid(const NotifyRule *rule);

/* Denials of this program by the same blockers, of the same object if that is known. Cleared by notify_rule_clear(). */
void notify_rule_init(NotifyRule *rule, const NotifyDenial *denial);
void notify_rule_clear(NotifyRule *rule);

/* Rules kept; zero-initialised it is an empty list. */
#define NOTIFY_RULES_MAX 1000

typedef struct NotifyRules {
        NotifyRule *rules;
        size_t n;
} NotifyRules;

/* Takes the rule, which is left empty. false at NOTIFY_RULES_MAX: then nothing is taken. */
bool notify_rules_add(NotifyRules *rules, NotifyRule *rule);
bool notify_rules_match(const NotifyRules *rules, const NotifyDenial *denial);
void notify_rules_clear(NotifyRules *rules);
