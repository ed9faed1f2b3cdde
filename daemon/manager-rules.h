/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules of domains that were there before landlockd: nobody tells of them, so they are read in the kernel after a look,
 * a few in each turn of the loop. */
#pragma once

#include <event2/event.h>

#include "base/macros.h"
#include "model/domain-table.h"
#include "source/bpf-snapshot.h"

typedef struct ManagerRules ManagerRules;

/* The table is borrowed. -ENOMEM. */
int manager_rules_new(ManagerRules **ret, struct event_base *base, const DomainTable *table);
ManagerRules *manager_rules_free(ManagerRules *rules);
DEFINE_CLEANUP(ManagerRules *, manager_rules_free);

/* Reports the rules of each living domain of which they are missing, from the event loop. The snapshot is borrowed until
 * the end. Without memory none are. */
void manager_rules_request(ManagerRules *rules, BpfSnapshot *snapshot, FactSink sink);
