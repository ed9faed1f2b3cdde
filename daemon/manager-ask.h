/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When the kernel, or else /proc, is asked because of what was told: of one process, not of all. */
#pragma once

#include "model/domain-table.h"
#include "source/bpf-snapshot.h"

/* A process that is named as one in a domain, and of which nobody will tell what it forked before. */
typedef struct Stranger {
        uint64_t domain;
        int64_t pid;
        uint64_t time_usec; /* realtime; it was there then */
} Stranger;

/* Whether the change names one, where events do not tell who is in a domain. */
bool manager_ask_is_stranger(const Change *change, Stranger *ret);

/* In which domain a thread is, for who asks on the bus; 0: in none. `snapshot` may be NULL: without BPF programs nobody can
 * tell of a thread that events did not name whether it is in no domain, or in one that is older than landlockd
 * (-EOPNOTSUPP). -ESRCH: there is no such thread. */
int manager_ask_domain(const DomainTable *table, BpfSnapshot *snapshot, int64_t tid, uint64_t *ret_domain);

/* Has the sink told in which domain the thread is now that has restricted itself, and the others of its process if it did
 * that for all. One that has ended is told by what tells of its exit. */
void manager_ask_restricted(const DomainTable *table, BpfSnapshot *snapshot, const TaskRestriction *restricted, FactSink sink);
