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

static size_t slot_of_call(int64_t tid) {
        return tid & (TRACE_RECENT_CALLS_MAX - 1);
}

void trace_recent_called(TraceRecent *recent, int64_t tid, TraceCall call) {
        recent->calls[slot_of_call(tid)].tid = tid;
        recent->calls[slot_of_call(tid)].call = call;
        recent->calls[slot_of_call(tid)].restricted = false;
}

TraceCall trace_recent_returned(TraceRecent *recent, int64_t tid, bool succeeded) {
        size_t i = slot_of_call(tid);

        if (recent->calls[i].tid != tid)
                trace_recent_called(recent, tid, (TraceCall) { .makes_domain = true });
        recent->calls[i].restricted = succeeded && recent->calls[i].call.makes_domain;
        return recent->calls[i].call;
}

bool trace_recent_restricted(const TraceRecent *recent, int64_t tid) {
        return recent->calls[slot_of_call(tid)].tid == tid && recent->calls[slot_of_call(tid)].restricted;
}
