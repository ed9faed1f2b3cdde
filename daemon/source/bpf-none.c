/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stands for what uses libbpf in a landlockd that was built without it. */

#include <errno.h>
#include <stdio.h>

#include "source/bpf-events.h"
#include "source/bpf-snapshot.h"

int bpf_snapshot_new(BpfSnapshot **ret _unused_, char *ret_reason, size_t n_reason) {
        snprintf(ret_reason, n_reason, "this landlockd was built without BPF programs (configure --with-bpf)");
        return -EOPNOTSUPP;
}

BpfSnapshot *bpf_snapshot_free(BpfSnapshot *snapshot _unused_) {
        return NULL;
}

int bpf_snapshot_run(BpfSnapshot *snapshot _unused_, FactSink sink _unused_) {
        return -EOPNOTSUPP;
}

int bpf_snapshot_process(BpfSnapshot *snapshot _unused_, int64_t pid _unused_, FactSink sink _unused_) {
        return -EOPNOTSUPP;
}

int bpf_snapshot_task(BpfSnapshot *snapshot _unused_, int64_t tid _unused_, FactSink sink _unused_) {
        return -EOPNOTSUPP;
}

int bpf_snapshot_rules(BpfSnapshot *snapshot _unused_, int64_t tid _unused_, uint64_t domain _unused_, FactSink sink _unused_) {
        return -EOPNOTSUPP;
}

int bpf_snapshot_thread(BpfSnapshot *snapshot _unused_, int64_t tid _unused_, uint64_t *ret_domain _unused_) {
        return -EOPNOTSUPP;
}

uint32_t bpf_snapshot_credential_offset(const BpfSnapshot *snapshot _unused_) {
        return 0;
}

int bpf_events_new(BpfEvents **ret _unused_, const BpfEventsOptions *options _unused_) {
        return -EOPNOTSUPP;
}

BpfEvents *bpf_events_free(BpfEvents *events _unused_) {
        return NULL;
}

int bpf_events_fd(const BpfEvents *events _unused_) {
        return -EBADF;
}

void bpf_events_be_quiet(BpfEvents *events _unused_) {
}

bool bpf_events_read(BpfEvents *events _unused_, size_t n_max _unused_) {
        return false;
}

uint64_t bpf_events_take_lost(BpfEvents *events _unused_) {
        return 0;
}

bool bpf_events_tell_denials(const BpfEvents *events _unused_) {
        return false;
}
