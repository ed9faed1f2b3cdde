/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules of domains of which no trace event tells, for they are older than landlockd, or the kernel has no such
 * events: they are read in the kernel, a few domains in each turn of the loop. */
#pragma once

#include <event2/event.h>

#include "base/macros.h"
#include "model/domain-table.h"
#include "source/bpf-snapshot.h"

typedef struct ManagerRules ManagerRules;

/* All is borrowed. -ENOMEM. */
int manager_rules_new(
                ManagerRules **ret, struct event_base *base, const DomainTable *table, BpfSnapshot *snapshot,
                FactSink sink);
ManagerRules *manager_rules_free(ManagerRules *rules);
DEFINE_CLEANUP(ManagerRules *, manager_rules_free);

/* Reports the rules of the domain, if they are still missing then, from the event loop. Without memory they stay
 * unknown. */
void manager_rules_want(ManagerRules *rules, uint64_t domain);

/* The same for all that live. */
void manager_rules_want_all(ManagerRules *rules);
