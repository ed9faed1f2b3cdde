/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/trace-recent.h"

static void put(TraceRecent *recent, int64_t tid, int64_t pid) {
        recent->slots[tid & (TRACE_RECENT_MAX - 1)].tid = tid;
        recent->slots[tid & (TRACE_RECENT_MAX - 1)].pid = pid;
}

void trace_recent_forked(TraceRecent *recent, int64_t parent_tid, int64_t tid, bool is_thread) {
        put(recent, tid, is_thread ? trace_recent_pid(recent, parent_tid) : tid);
}

void trace_recent_execed(TraceRecent *recent, int64_t tid) {
        put(recent, tid, tid);
}

int64_t trace_recent_pid(const TraceRecent *recent, int64_t tid) {
        return recent->slots[tid & (TRACE_RECENT_MAX - 1)].tid == tid ? recent->slots[tid & (TRACE_RECENT_MAX - 1)].pid : 0;
}
