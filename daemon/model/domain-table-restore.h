/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an earlier landlockd of this boot had told, put back into a table that no source has filled yet. It was published
 * then: nothing here makes a Change. An object comes as a line told it, whole, and replaces what is known of it. */
#pragma once

#include "model/domain-table.h"

typedef enum RestoreFrom {
        RESTORE_FROM_LIST,   /* a line of all that was in the table, the most recent first: what is there already is younger */
        RESTORE_WITHIN_LIST, /* an event that came between such lines: what it refers to may still come */
        RESTORE_FROM_EVENT,
} RestoreFrom;

/* Goes before all else. */
void domain_table_restore_begin(DomainTable *table);

/* All return -ENOMEM. Of what they are given, the parts that belong to a table are not looked at: lists, and counts of
 * what is in it. Texts are borrowed. */
int domain_table_restore_ruleset(DomainTable *table, const Ruleset *told, RestoreFrom from);
int domain_table_restore_domain(DomainTable *table, const Domain *told, RestoreFrom from);
int domain_table_restore_process(DomainTable *table, uint64_t domain, const Process *told, size_t n_threads,
                                 RestoreFrom from);

/* One of a list is counted by its domain already. */
int domain_table_restore_denial(DomainTable *table, const Denial *told, RestoreFrom from);

void domain_table_restore_eviction(DomainTable *table, uint64_t domain);
void domain_table_restore_process_gone(DomainTable *table, uint64_t domain, int64_t pid);

/* The list is at its end: what refers to each other comes together. */
void domain_table_restore_list_end(DomainTable *table);

/* From now on things happen. */
void domain_table_restore_end(DomainTable *table);
