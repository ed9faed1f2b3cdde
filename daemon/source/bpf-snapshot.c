/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/bpf-snapshot.h"

#include <errno.h>

#include "base/clock.h"
#include "source/bpf-credential.h"
#include "source/bpf-fact.h"
#include "source/bpf-iterator.h"
#include "source/bpf-kernel.h"
#include "source/bpf/snapshot.skel.h"
#include "source/proc-label.h"

struct BpfSnapshot {
        struct snapshot_bpf *programs;
        struct bpf_link *threads;
};

typedef struct Run {
        FactSink sink;
        uint64_t time_usec, boot_usec;
        uint32_t n_malformed; /* before */
        uint64_t labelled; /* the domain that the label is of, in whose record it goes; 0: of none */
        ProcLabel label;
        Text label_text;
} Run;

static int set_up(BpfSnapshot *snapshot, char *ret_reason, size_t n_reason) {
        LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = BPF_KERNEL_TYPES);
        uint32_t offset;
        int r;

        r = bpf_kernel_check(ret_reason, n_reason);
        if (r < 0)
                return r;

        snapshot->programs = snapshot_bpf__open_opts(&options);
        if (snapshot->programs && snapshot_bpf__load(snapshot->programs) >= 0)
                snapshot->threads = bpf_program__attach_iter(snapshot->programs->progs.threads, NULL);
        if (!snapshot->threads) {
                r = -errno;
                bpf_kernel_explain(r, ret_reason, n_reason);
                return r;
        }

        r = bpf_credential_find(snapshot->programs, &offset, ret_reason, n_reason);
        if (r >= 0)
                snapshot->programs->bss->credential_offset = offset;
        return r;
}

int bpf_snapshot_new(BpfSnapshot **ret, char *ret_reason, size_t n_reason) {
        _cleanup_(bpf_snapshot_freep) BpfSnapshot *snapshot = calloc(1, sizeof(BpfSnapshot));
        int r;

        if (!snapshot) {
                bpf_kernel_explain(-ENOMEM, ret_reason, n_reason);
                return -ENOMEM;
        }
        r = set_up(snapshot, ret_reason, n_reason);
        if (r >= 0)
                *ret = TAKE_PTR(snapshot);
        return r;
}

BpfSnapshot *bpf_snapshot_free(BpfSnapshot *snapshot) {
        if (!snapshot)
                return NULL;

        bpf_link__destroy(snapshot->threads);
        snapshot_bpf__destroy(snapshot->programs);
        free(snapshot);
        return NULL;
}

static void report(const Run *run, Fact fact) {
        fact.boot_usec = run->boot_usec;
        run->sink.fn(run->sink.userdata, &fact);
}

static void on_domain(const Run *run, const BpfDomainRecord *record) {
        Fact fact = bpf_fact_domain_seen(record, run->time_usec);

        if (record->id == run->labelled)
                fact.sight.described.label = run->label_text;
        report(run, fact);
}

static void on_member(Run *run, const BpfMemberRecord *record) {
        char path[sizeof(record->cgroup)];

        run->labelled = record->domain;
        run->label_text = proc_label_join(bpf_fact_comm(record->comm), bpf_fact_cgroup(record, path), &run->label);
}

static void on_rules(const Run *run, const BpfRulesRecord *record) {
        for (uint32_t i = 0; i < record->n_rules; i++)
                report(run, bpf_fact_rule(record->domain, &record->rules[i], run->time_usec));
        report(run, bpf_fact_has_rules(record, run->time_usec));
        report(run, bpf_fact_rules_complete(record, run->time_usec));
}

static void on_record(void *userdata, const BpfRecord *record) {
        Run *run = userdata;

        switch ((BpfRecordType) record->type) {
        case BPF_RECORD_MEMBER:
                on_member(run, (const BpfMemberRecord *) record);
                break;
        case BPF_RECORD_DOMAIN:
                on_domain(run, (const BpfDomainRecord *) record);
                break;
        case BPF_RECORD_THREAD:
                report(run, bpf_fact_task_seen((const BpfThreadRecord *) record, run->time_usec));
                break;
        case BPF_RECORD_RULES:
                on_rules(run, (const BpfRulesRecord *) record);
                break;
        case BPF_RECORD_CREDENTIAL:
        case BPF_RECORD_RESTRICTED:
        case BPF_RECORD_INSIDE:
        case BPF_RECORD_EXITING:
        case BPF_RECORD_DENIED:
        case BPF_RECORD_COUNTED:
        case BPF_RECORD_FREED:
                break; /* not of these programs */
        }
}

/* What an earlier run wrote is written again. */
static Run begin_run(BpfSnapshot *snapshot, FactSink sink) {
        snapshot->programs->bss->run++;
        return (Run) {
                .sink = sink,
                .time_usec = clock_realtime_usec(),
                .boot_usec = clock_boottime_usec(),
                .n_malformed = snapshot->programs->bss->n_malformed,
        };
}

static int end_run(const BpfSnapshot *snapshot, const Run *run, int r) {
        return r >= 0 && snapshot->programs->bss->n_malformed != run->n_malformed ? -EBADMSG : r;
}

int bpf_snapshot_run(BpfSnapshot *snapshot, FactSink sink) {
        Run run = begin_run(snapshot, sink);

        return end_run(snapshot, &run, bpf_iterator_read(snapshot->threads, on_record, &run));
}

int bpf_snapshot_process(BpfSnapshot *snapshot, int64_t pid, FactSink sink) {
        Run run = begin_run(snapshot, sink);
        int r = bpf_iterator_read_process(snapshot->programs->progs.threads, pid, on_record, &run);

        return end_run(snapshot, &run, r);
}

int bpf_snapshot_task(BpfSnapshot *snapshot, int64_t tid, FactSink sink) {
        Run run = begin_run(snapshot, sink);
        uint64_t domain;
        int r;

        r = bpf_snapshot_thread(snapshot, tid, &domain);
        if (r < 0 || domain == 0)
                return r;
        r = bpf_iterator_read_thread(snapshot->programs->progs.threads, tid, on_record, &run);
        return end_run(snapshot, &run, r < 0 ? r : 1);
}

int bpf_snapshot_rules(BpfSnapshot *snapshot, int64_t tid, uint64_t domain, FactSink sink) {
        Run run = begin_run(snapshot, sink);
        int r;

        snapshot->programs->bss->wanted_domain = domain;
        snapshot->programs->bss->wanted_is_too_big = false;
        r = bpf_iterator_read_thread(snapshot->programs->progs.rules, tid, on_record, &run);
        return r >= 0 && snapshot->programs->bss->wanted_is_too_big ? -E2BIG : r;
}

static void on_thread(void *userdata, const BpfRecord *record) {
        BpfThreadRecord *thread = userdata;

        if (record->type == BPF_RECORD_THREAD && record->size == sizeof(*thread))
                *thread = *(const BpfThreadRecord *) record;
}

int bpf_snapshot_thread(BpfSnapshot *snapshot, int64_t tid, uint64_t *ret_domain) {
        BpfThreadRecord thread = {};
        int r;

        r = bpf_iterator_read_thread(snapshot->programs->progs.thread, tid, on_thread, &thread);
        if (r < 0)
                return r;
        if (thread.record.size == 0)
                return -ESRCH;
        *ret_domain = thread.domain;
        return 0;
}

uint32_t bpf_snapshot_credential_offset(const BpfSnapshot *snapshot) {
        return snapshot->programs->bss->credential_offset;
}
