/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside the domain table: how its parts write down what one fact changed. Each file applies one kind of fact. */
#pragma once

#include "model/domain-table.h"

/* The changes of one fact as they are written. */
typedef struct Changes {
        DomainTable *table;
        Change *list;
        size_t n;
        unsigned origins;
        uint64_t time_usec, boot_usec;
        Text node;
} Changes;

/* domain-table.c: frees what was kept for the changes of the last fact only. */
void domain_table_free_published(DomainTable *table);

/* domain-table-life.c, on which all others build */

/* The caller fills in what the change is of. */
Change *changes_add(Changes *changes, ChangeType type, const Domain *domain);

/* The domain that a fact is about, as seen just now. Returns 1 if it is new, which the caller
 * publishes, 0 if not, -ENOMEM. */
int domain_table_see(Changes *changes, uint64_t id, Domain **ret);

/* How often it denied, logged or not, as the kernel told it. */
void domain_table_take_count(Changes *changes, Domain *domain, uint64_t n_denials);

/* One source told its end. */
void domain_table_end_told(Changes *changes, Domain *domain);

/* Its end, if it was told by all who tell it and no denial of it waits. */
void domain_table_try_end(Changes *changes, Domain *domain);

/* The end of a domain that was not told. */
void domain_table_end_unseen(Changes *changes, Domain *domain);

/* Whether all threads that are in the domain are known, as far as they had room: it is followed from its beginning, or
 * since a look. */
bool domain_table_knows_members(const DomainTable *table, const Domain *domain);

/* A process has left the domain: if nobody lives in it any more, or in one nested in it, and nobody will tell of its end,
 * that is now. An open file may keep it in the kernel, where it restricts nobody any more. */
void domain_table_desert(Changes *changes, Domain *domain);

/* It turns out that somebody does live in it. */
void domain_table_resettle(Changes *changes, Domain *domain);

/* Something new was found: by the look? Then it is counted. */
void domain_table_count_found(Changes *changes, uint64_t *count);

/* domain-table-denials.c */
int domain_table_apply_denied(Changes *changes, const Denial *denied);

/* One half that waited long enough; false if there is none. */
bool domain_table_settle_denial(Changes *changes);

/* domain-table-tasks.c */
int domain_table_apply_enforced(Changes *changes, const DomainEnforcement *enforced);
int domain_table_apply_forked(Changes *changes, const TaskFork *forked);
int domain_table_apply_execed(Changes *changes, const TaskExec *execed);
int domain_table_apply_exited(Changes *changes, const TaskExit *exited);
int domain_table_apply_gone(Changes *changes, const ProcessEnd *gone);
int domain_table_apply_seen(Changes *changes, const TaskSight *seen);

/* What the table knows of the thread's process joins what the fact tells of it. */
TaskDescription domain_table_complete_task(const DomainTable *table, const TaskDescription *task);

/* The domain denied its thread something: so the thread is in it. What is known of the thread joins the denial. */
int domain_table_see_subject(Changes *changes, Domain *domain, Denial *denial);

/* domain-table-sweep.c */
void domain_table_begin_look(Changes *changes);
void domain_table_end_look(Changes *changes, const SnapshotEnd *ended);

/* Takes out one thing that the look did not find, or tells the sum; false when there is nothing left to do. */
bool domain_table_sweep(Changes *changes);
