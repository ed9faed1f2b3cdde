/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/trace-merge.h"

#include <errno.h>

void trace_merge_init(TraceMerge *merge, TraceMergeSink sink, Counters *counters) {
        *merge = (TraceMerge) { .sink = sink, .counters = counters };
}

int trace_merge_add(TraceMerge *merge, int fd, const TraceStreamOptions *options) {
        TraceStream *streams = reallocarray(merge->streams, merge->n_streams + 1, sizeof(TraceStream)), **heap;
        int r;

        if (!streams)
                goto no_memory;
        merge->streams = streams;
        heap = reallocarray(merge->heap, merge->n_streams + 1, sizeof(TraceStream *));
        if (!heap)
                goto no_memory;
        merge->heap = heap;
        r = trace_stream_init(&streams[merge->n_streams], fd, options);
        if (r >= 0)
                merge->n_streams++;
        return r;

no_memory:
        close(fd);
        return -ENOMEM;
}

void trace_merge_done(TraceMerge *merge) {
        for (size_t i = 0; i < merge->n_streams; i++)
                trace_stream_done(&merge->streams[i]);
        free(merge->streams);
        free(merge->heap);
        *merge = (TraceMerge) {};
}

static uint64_t head_time(const TraceMerge *merge, size_t i) {
        return i < merge->n_heap ? merge->heap[i]->head.time_ns : UINT64_MAX;
}

static void sift_down(TraceMerge *merge, size_t i) {
        for (;;) {
                size_t child = 2 * i + 1;
                TraceStream *stream;

                if (head_time(merge, child + 1) < head_time(merge, child))
                        child++;
                if (child >= merge->n_heap || head_time(merge, i) <= head_time(merge, child))
                        return;
                stream = merge->heap[i];
                merge->heap[i] = merge->heap[child];
                merge->heap[child] = stream;
                i = child;
        }
}

static void build_heap(TraceMerge *merge) {
        merge->n_heap = 0;
        for (size_t i = 0; i < merge->n_streams; i++)
                if (trace_stream_fill(&merge->streams[i]))
                        merge->heap[merge->n_heap++] = &merge->streams[i];
        for (size_t i = merge->n_heap / 2; i > 0; i--)
                sift_down(merge, i - 1);
}

static void pass_on(TraceMerge *merge, TraceStream *stream) {
        if (stream->has_loss) {
                stream->has_loss = false;
                merge->sink.on_loss(merge->sink.userdata, &stream->loss, stream);
        }
        if (stream->head.time_ns < merge->last_ns)
                merge->counters->trace_out_of_order++;
        else
                merge->last_ns = stream->head.time_ns;
        merge->counters->trace_records++;
        merge->sink.on_record(merge->sink.userdata, &stream->head, stream);
}

/* The time up to which the first of the heap may go on: that of the runner-up, and the horizon. */
static uint64_t run_limit(const TraceMerge *merge, uint64_t horizon_ns) {
        uint64_t limit = MIN(head_time(merge, 1), head_time(merge, 2));

        return MIN(limit, horizon_ns);
}

TraceMergeResult trace_merge_run(TraceMerge *merge, uint64_t horizon_ns, size_t n_pages) {
        build_heap(merge);
        while (merge->n_heap > 0) {
                TraceStream *stream = merge->heap[0];
                uint64_t limit = run_limit(merge, horizon_ns);
                bool has_head = true;

                if (stream->head.time_ns > limit)
                        return TRACE_MERGE_HELD;
                while (has_head && stream->head.time_ns <= limit) {
                        pass_on(merge, stream);
                        has_head = trace_stream_next(stream);
                }
                if (!has_head) {
                        if (n_pages-- == 0)
                                return TRACE_MERGE_MORE;
                        if (!trace_stream_fill(stream))
                                merge->heap[0] = merge->heap[--merge->n_heap];
                }
                sift_down(merge, 0);
        }
        return TRACE_MERGE_EMPTY;
}
