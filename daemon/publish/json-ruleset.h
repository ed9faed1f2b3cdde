/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A ruleset's own part of its line: what it handles, and its rules. */
#pragma once

#include "model/ruleset.h"
#include "publish/json-writer.h"

/* "handled": the rights that are denied unless a rule grants them, and what is scoped. */
void json_handled_put(JsonWriter *w, const AccessRights *handled);

/* The members from "ruleset" to "freed", into an object that is open. `change` is what happened to it, NULL in a
 * snapshot. */
void json_ruleset_put(JsonWriter *w, const Ruleset *ruleset, const char *change);

/* "rules": that one. */
void json_rule_put(JsonWriter *w, const Rule *rule);

/* "rules": those after version *version, the first of them in any case, the others as far as the writer then holds no
 * more than `size_max` bytes. Moves *version to the last one. */
void json_rules_put(JsonWriter *w, const Ruleset *ruleset, size_t size_max, uint64_t *version);
