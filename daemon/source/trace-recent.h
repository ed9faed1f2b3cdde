/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What threads did lately that nobody follows. Which process one belongs to: a Landlock event names the thread alone, and
 * one that lived for a millisecond is not in /proc any more when it is read. What it called: the return of a system call
 * does not tell. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a power of two; a later fork takes the place of an earlier one. */
#define TRACE_RECENT_MAX 4096

#define TRACE_RECENT_CALLS_MAX 256

/* How landlock_restrict_self(2) was called. */
typedef struct TraceCall {
        bool makes_domain; /* else it is about its log only */
        bool process_wide;
} TraceCall;

typedef struct TraceRecent {
        struct {
                int64_t tid, pid; /* pid 0: unknown */
        } slots[TRACE_RECENT_MAX];
        struct {
                int64_t tid;
                TraceCall call;
                bool restricted; /* it has returned since, and made a domain */
        } calls[TRACE_RECENT_CALLS_MAX];
} TraceRecent;

/* All zero is a valid empty one. */
void trace_recent_forked(TraceRecent *recent, int64_t parent_tid, int64_t tid, bool is_thread);

/* Who executes leads its process from then on. */
void trace_recent_execed(TraceRecent *recent, int64_t tid);

/* 0 if it is not known. */
int64_t trace_recent_pid(const TraceRecent *recent, int64_t tid);

void trace_recent_called(TraceRecent *recent, int64_t tid, TraceCall call);

/* What the thread had called that returns now. One that is not known may have made a domain, for that thread alone. */
TraceCall trace_recent_returned(TraceRecent *recent, int64_t tid, bool succeeded);

/* Whether its last call made a domain: when it executes, it can get another number. */
bool trace_recent_restricted(const TraceRecent *recent, int64_t tid);
