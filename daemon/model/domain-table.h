/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The model's single writer: takes Facts, in any order, and says what they changed.
 *
 * Fields join and a lifecycle only advances: a domain once freed stays freed, so a late record of it is counted
 * but revives nothing. Freed domains are kept as history. At the cap the oldest of the history is evicted;
 * without history, the live domain not seen for longest. */
#pragma once

#include "base/id-map.h"
#include "model/change.h"
#include "model/counters.h"
#include "model/denial-log.h"
#include "model/domain.h"
#include "model/task-table.h"

/* One fact evicts at most one domain, adds or updates one, and logs one denial. */
#define DOMAIN_TABLE_CHANGES_MAX 4

typedef struct DomainTableLimits {
        size_t n_domains; /* live and freed together */
        size_t n_denials;
        size_t n_tasks;
} DomainTableLimits;

typedef struct DomainTable {
        IdMap by_id;
        DomainList live;  /* most recently seen first */
        DomainList freed; /* most recently freed first */
        size_t n_live, n_freed;
        DomainTableLimits limits;
        DenialLog denials;
        TaskTable tasks;
        Counters *counters; /* borrowed */
        Domain *evicted;    /* kept for the Change that names it, until the next fact */
        Loss loss;          /* likewise */
} DomainTable;

int domain_table_init(DomainTable *table, const DomainTableLimits *limits, Counters *counters);
void domain_table_done(DomainTable *table);

/* Returns the number of changes written, in the order in which they are to be published. A fact that cannot be
 * kept for want of memory is counted in facts_dropped; what it did change is still told. */
size_t domain_table_apply(DomainTable *table, const Fact *fact, Change ret_changes[static DOMAIN_TABLE_CHANGES_MAX]);

/* NULL if there is none. Borrowed until the next domain_table_apply(). */
const Domain *domain_table_get(const DomainTable *table, uint64_t id);
