/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ring buffer of one CPU in one instance, read page by page: its next record, and what it lost. Holds at most one
 * page. */
#pragma once

#include "base/macros.h"
#include "model/counters.h"
#include "source/trace-page.h"

/* Records that were overwritten before they were read. They lie between the times. */
typedef struct TraceLoss {
        uint64_t count; /* 0: an unknown number, at least one */
        uint64_t since_ns, until_ns;
} TraceLoss;

typedef struct TraceStream {
        int fd;      /* trace_pipe_raw, non-blocking; owned */
        int per_cpu; /* the instance's directory of that name; borrowed */
        unsigned cpu;
        const TracePageLayout *layout; /* borrowed */
        Counters *counters;            /* borrowed */
        unsigned char *bytes;          /* the page; owned */
        TracePage page;
        TraceRecord head;              /* the next record, if has_head */
        bool has_head, has_loss;
        bool opened_with_gap;          /* its first page may follow on some that another reader took */
        TraceLoss loss;                /* before the head, if has_loss */
        uint64_t last_ns;              /* time of the last record taken, or of opening */
        uint64_t n_overrun;            /* as the kernel counts, of which was told */
        int error;                     /* reading failed for good: -errno */
} TraceStream;

typedef struct TraceStreamOptions {
        int per_cpu;
        unsigned cpu;
        const TracePageLayout *layout;
        Counters *counters;
        bool adopted; /* the instance was there before: it was read by another, until a time that is not known */
} TraceStreamOptions;

/* Takes `fd`, also when it fails: -ENOMEM. */
int trace_stream_init(TraceStream *stream, int fd, const TraceStreamOptions *options);
void trace_stream_done(TraceStream *stream);

/* Reads until there is a head. Returns whether there is one; with none, the ring buffer was found empty, or `error` is
 * set. */
bool trace_stream_fill(TraceStream *stream);

/* Gives up the head. Returns whether the page has another. */
bool trace_stream_next(TraceStream *stream);
