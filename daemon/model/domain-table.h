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
#include "model/denial-join.h"
#include "model/denial-log.h"
#include "model/domain.h"
#include "model/process-table.h"
#include "model/ruleset-table.h"

/* A fact can evict two domains, add two, put a process out of one and into another, and complete a denial and by it
 * a domain's end, while an older denial has to make room. */
#define DOMAIN_TABLE_CHANGES_MAX 16

/* How many rounds something waits at most: one source's word of a domain's end for that of another, which may have lost
 * it. Processes of the domain go when it ends, and their own ends, which the other source tells, come before. */
#define DOMAIN_TABLE_ROUNDS_MAX 20

typedef struct DomainTableLimits {
        size_t n_domains; /* live and freed together; at least 4 */
        size_t n_denials;
        size_t n_processes;
        size_t n_threads;
        size_t n_rulesets;
        size_t n_rules;
} DomainTableLimits;

/* What is told of threads that are in a domain. */
typedef enum ThreadsTold {
        THREADS_NOT_TOLD,
        THREADS_TOLD,  /* each fork and exit, of all that are in domains whose making was told, or that were looked at */
        THREADS_ASKED, /* the same of all domains: whoever gets into one is looked at, but others may name him first */
} ThreadsTold;

typedef struct DomainTable {
        IdMap by_id;
        DomainList live;   /* most recently seen first */
        DomainList freed;  /* most recently freed first */
        DomainList ending; /* live ones whose end was told, but perhaps not yet by every source */
        size_t n_live, n_freed;
        DomainTableLimits limits;
        unsigned expected; /* ORIGIN_*: the sources that tell of every logged denial */
        ThreadsTold threads_told;
        bool unsure;       /* some of that was lost, and nobody has looked since */
        DenialLog denials;
        DenialJoin join;
        RulesetTable rulesets;
        ProcessTable processes;
        Reconciliation reconciliation;
        bool looking;    /* a snapshot is being told */
        bool sweeping;   /* what it did not tell is being taken out */
        bool reconciled; /* the sum is to be told */
        uint64_t looking_since_boot_usec;
        Counters *counters;  /* borrowed */
        DomainList evicted;  /* kept for the Changes that name them, until the next fact */
        ProcessList gone;    /* likewise */
        Denial *settled;     /* likewise */
        Loss loss;           /* likewise */
} DomainTable;

int domain_table_init(DomainTable *table, const DomainTableLimits *limits, Counters *counters);
void domain_table_done(DomainTable *table);

/* Which sources tell of every logged denial and of a domain's end, and whether threads are followed by events. With
 * audit and another one, a denial waits for its other half, and an end for the other source's word; with fewer nothing
 * waits. Where nobody tells of a domain's end, it is over with its last thread. */
void domain_table_expect(DomainTable *table, unsigned origins, ThreadsTold threads_told);

/* Returns the number of changes written, in the order in which they are to be published. A fact that cannot be
 * kept for want of memory is counted in facts_dropped; what it did change is still told. */
size_t domain_table_apply(DomainTable *table, const Fact *fact, Change ret_changes[static DOMAIN_TABLE_CHANGES_MAX]);

/* Whether something waits: then the caller begins a round, 50 ms after the last one. */
bool domain_table_waits(const DomainTable *table);
void domain_table_begin_round(DomainTable *table);

/* After a round was begun or a snapshot ended: what that brings, in portions, until it returns 0. */
size_t domain_table_settle(DomainTable *table, Change ret_changes[static DOMAIN_TABLE_CHANGES_MAX]);

/* NULL if there is none. Borrowed until the next domain_table_apply() or _settle(). */
const Domain *domain_table_get(const DomainTable *table, uint64_t id);

/* Whether it is known in which domain the thread is. */
bool domain_table_follows(const DomainTable *table, int64_t tid);

/* Whether what the thread's process runs is to be read, since it is neither told nor known: of a first thread that nobody
 * followed it is not, since it can have executed something. Of one that is known, its first thread is to ask: once in each
 * look. */
bool domain_table_lacks_program(const DomainTable *table, const TaskSight *seen);

/* Whether the denial shows that a thread is in a domain of which that is not known. */
bool domain_table_lacks_subject(const DomainTable *table, const Denial *denial);

/* A fork or an exit that came after younger news of the same thread: the fork need not have brought the child into the
 * domain of its parent, and the exit may be that of another thread which had the number before. Returns the thread that
 * is worth a look into the kernel; 0: the fact is in order, or of no use. */
int64_t domain_table_doubts(const DomainTable *table, const Fact *fact);
