/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The BPF programs that tell of events, and the ring buffer through which they do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"
#include "source/bpf-iterator.h"

typedef struct BpfEvents BpfEvents;

/* What the programs are attached to. */
typedef enum BpfEventsWay {
        BPF_EVENTS_FUNCTIONS,   /* of Landlock: all that it does */
        BPF_EVENTS_SYSTEM_CALL, /* landlock_restrict_self(2), and the exit of threads: domains that are made */
        BPF_EVENTS_EXITS,       /* the exit of threads: domains that were made, when somebody leaves them */
} BpfEventsWay;

typedef struct BpfEventsOptions {
        BpfEventsWay way;
        uint32_t credential_offset;
        uint64_t buffer_size;
        BpfRecordHandler handler;
        void *userdata;
} BpfEventsOptions;

int bpf_events_new(BpfEvents **ret, const BpfEventsOptions *options);
BpfEvents *bpf_events_free(BpfEvents *events);
DEFINE_CLEANUP(BpfEvents *, bpf_events_free);

/* Readable while there are records. */
int bpf_events_fd(const BpfEvents *events);

/* Does not become readable any more: who reads them wakes up by himself. */
void bpf_events_be_quiet(BpfEvents *events);

/* Hands over at most so many records. Returns whether there may be more. */
bool bpf_events_read(BpfEvents *events, size_t n_max);

/* How many events turned out to be lost since this was called last. The kernel does not wake anybody up for that. */
uint64_t bpf_events_take_lost(BpfEvents *events);

/* Whether denials are among the events: of a kernel that gives them in an unknown form they are not. */
bool bpf_events_tell_denials(const BpfEvents *events);
