/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which process a thread that was forked lately belongs to. A Landlock event names the thread alone, and one that
 * lived for a millisecond is not in /proc any more when it is read. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Of a power of two; a later fork takes the place of an earlier one. */
#define TRACE_RECENT_MAX 4096

typedef struct TraceRecent {
        struct {
                int64_t tid, pid; /* pid 0: unknown */
        } slots[TRACE_RECENT_MAX];
} TraceRecent;

/* All zero is a valid empty one. */
void trace_recent_forked(TraceRecent *recent, int64_t parent_tid, int64_t tid, bool is_thread);

/* Who executes leads its process from then on. */
void trace_recent_execed(TraceRecent *recent, int64_t tid);

/* 0 if it is not known. */
int64_t trace_recent_pid(const TraceRecent *recent, int64_t tid);
