/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/ruleset.h"

#include <assert.h>

const char *rule_kind_to_string(RuleKind kind) {
        switch (kind) {
        case RULE_PATH_BENEATH:
                return "path_beneath";
        case RULE_NET_PORT:
                return "net_port";
        }
        assert(false);
        return NULL;
}

size_t ruleset_n_rules(const Ruleset *ruleset, uint64_t version) {
        size_t n = ruleset->n_rules;

        /* Nearly always the last version is asked for. */
        while (n > 0 && ruleset->rules[n - 1].version > version)
                n--;
        return n;
}
