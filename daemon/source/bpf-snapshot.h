/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The exact domain of every running thread, read in the kernel by a BPF program: who was there before landlockd looked,
 * or while it lost events. Landlock itself tells nobody. */
#pragma once

#include "base/macros.h"
#include "model/fact.h"

typedef struct BpfSnapshot BpfSnapshot;

/* Takes CAP_BPF and CAP_PERFMON, now but not later. On failure *ret_reason says for people why, and what to do:
 * -EOPNOTSUPP (by this kernel, or this build), -EPERM… */
int bpf_snapshot_new(BpfSnapshot **ret, char *ret_reason, size_t n_reason);
BpfSnapshot *bpf_snapshot_free(BpfSnapshot *snapshot);
DEFINE_CLEANUP(BpfSnapshot *, bpf_snapshot_free);

/* Reports each thread that lives in a domain as FACT_TASK_SEEN and before the first of them each domain as
 * FACT_DOMAIN_SEEN, those around it earlier still. A domain may be reported twice. One that no thread lives in may live on,
 * held by an open file of one that did. Threads that are about to exit count as gone.
 *
 * -EBADMSG: the kernel's structures are not as they should be; what was reported is true all the same. */
int bpf_snapshot_run(BpfSnapshot *snapshot, FactSink sink);

/* The same for the threads of one process. */
int bpf_snapshot_process(BpfSnapshot *snapshot, int64_t pid, FactSink sink);

/* The same for one thread. Returns whether it is in a domain; -ESRCH. */
int bpf_snapshot_task(BpfSnapshot *snapshot, int64_t tid, FactSink sink);

/* Reports the rules of a domain, each as FACT_RULE_ADDED, and then that the domain has them, as FACT_DOMAIN_SEEN with a
 * ruleset that has the domain's ID. By one thread that is in the domain, or in one nested in it: if it is not any more,
 * nothing is reported; -E2BIG: nor if there are more rules than can be gone through. Of more than BPF_RECORD_RULES_MAX
 * the rest is only counted, and so is a rule whose file is gone with its file system. */
int bpf_snapshot_rules(BpfSnapshot *snapshot, int64_t tid, uint64_t domain, FactSink sink);

/* The innermost domain of one thread; 0: it is in none. -ESRCH. */
int bpf_snapshot_thread(BpfSnapshot *snapshot, int64_t tid, uint64_t *ret_domain);

/* Where Landlock's part of a credential begins, for other BPF programs. */
uint32_t bpf_snapshot_credential_offset(const BpfSnapshot *snapshot);
