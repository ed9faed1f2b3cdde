/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rulesets and their rules, as they look on D-Bus. */
#pragma once

#include "model/ruleset.h"
#include "publish/bus-view.h"

/* Appends an "as": the names of those rights. */
int bus_append_rights(sd_bus_message *m, AccessClass class, uint64_t bits);

/* At most how many bytes that takes. */
size_t bus_rights_bytes(const AccessRights *rights);

/* Appends an "aa{sv}": the first `n_rules` of the ruleset, as far as there is room for rules in one answer. */
int bus_append_rules(sd_bus_message *m, const Ruleset *ruleset, size_t n_rules);

/* Appends an "a{sv}": all that is known of a ruleset. */
int bus_append_ruleset(sd_bus_message *m, const BusView *view, const Ruleset *ruleset);
