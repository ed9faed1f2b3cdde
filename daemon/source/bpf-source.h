/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The BPF source: what only a program in the kernel can tell.
 *
 * On every kernel whose domains have an ID, who lives in which (bpf-snapshot). Before Linux 7.3, which has trace events
 * for it, also what happens: programs attached to Landlock's functions tell of each domain when it is made and when it
 * ends, and of each denial, logged or not. Where the kernel does not let functions be attached to, as when it is locked
 * down, the end of the system call is: it tells of each domain when it is made. */
#pragma once

#include <event2/event.h>

#include "base/config.h"
#include "base/macros.h"
#include "model/fact.h"
#include "model/status.h"
#include "source/bpf-snapshot.h"

typedef struct BpfSource BpfSource;

typedef struct BpfSourceOptions {
        struct event_base *base; /* borrowed */
        const Config *config;    /* borrowed */
        bool trace_tells;        /* the kernel has trace events of Landlock's */
        FactSink sink;
        Counters *counters;      /* borrowed */
        int ftrace_enabled;      /* see bpf-switch.h; -1: not given. Borrowed until the source is there */
} BpfSourceOptions;

/* Takes CAP_BPF and CAP_PERFMON, now but not later. What the kernel, our privileges or this build do not allow is no
 * failure: the status says it. -ENOMEM. */
int bpf_source_new(BpfSource **ret, const BpfSourceOptions *options);
BpfSource *bpf_source_free(BpfSource *source);
DEFINE_CLEANUP(BpfSource *, bpf_source_free);

/* Nobody is woken up any more by what programs tell of exits: for who drains it whenever the trace says that somebody has
 * restricted himself, or exits. */
void bpf_source_be_quiet(BpfSource *source);

/* Reports all that has happened until now. Before forks that were traced are looked at: a child is in the domain of its
 * parent only if the parent is known to have been in it. Also before the end. */
void bpf_source_drain(BpfSource *source);

/* NULL if it cannot be taken. The source's. */
BpfSnapshot *bpf_source_snapshot(BpfSource *source);

/* Lives as long as the source. */
const SourceStatus *bpf_source_status(const BpfSource *source);

/* Whether it tells of every domain when it is made, and of every denial and end. */
bool bpf_source_tells_domains(const BpfSource *source);
bool bpf_source_tells_denials(const BpfSource *source);
