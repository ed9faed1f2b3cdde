/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The streams of all CPUs and instances → one sequence of records, in order of time.
 *
 * A record may go on when no stream can still deliver an older one: when each has a record at least as young, or was
 * found empty so much later that what was being written then must have arrived. A heap of the streams' heads makes the
 * cost of a record independent of their number as long as one CPU has a run of them, logarithmic at worst. */
#pragma once

#include "source/trace-stream.h"

typedef struct TraceMergeSink {
        void (*on_record)(void *userdata, const TraceRecord *record, TraceStream *stream);
        /* Before the first record that came after it. */
        void (*on_loss)(void *userdata, const TraceLoss *loss, TraceStream *stream);
        void *userdata;
} TraceMergeSink;

typedef struct TraceMerge {
        TraceMergeSink sink;
        TraceStream *streams;  /* owned */
        size_t n_streams;
        TraceStream **heap;    /* those with a head, the oldest first */
        size_t n_heap;
        uint64_t last_ns;      /* of the youngest record that went on */
        Counters *counters;    /* borrowed */
} TraceMerge;

typedef enum TraceMergeResult {
        TRACE_MERGE_EMPTY, /* all streams were found empty */
        TRACE_MERGE_HELD,  /* some records are too young yet */
        TRACE_MERGE_MORE,  /* the limit was reached: there is more to do now */
} TraceMergeResult;

void trace_merge_init(TraceMerge *merge, TraceMergeSink sink, Counters *counters);
void trace_merge_done(TraceMerge *merge);

/* Adds a stream of raw pages. Takes `fd`, also when it fails: -ENOMEM. May move those that are there. */
int trace_merge_add(TraceMerge *merge, int fd, const TraceStreamOptions *options);

/* Passes on all records up to `horizon_ns`, from at most `n_pages` pages besides the first of each stream. */
TraceMergeResult trace_merge_run(TraceMerge *merge, uint64_t horizon_ns, size_t n_pages);
