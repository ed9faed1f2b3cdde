/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One record of a trace ring buffer → a Fact. What this kernel does not tell stays unknown in it. */
#pragma once

#include "model/counters.h"
#include "model/fact.h"
#include "source/trace-event.h"

typedef struct TraceDecoder TraceDecoder;

/* -ENOMEM. `counters` is borrowed. */
int trace_decoder_new(TraceDecoder **ret, FactSink sink, Counters *counters);
TraceDecoder *trace_decoder_free(TraceDecoder *decoder);
DEFINE_CLEANUP(TraceDecoder *, trace_decoder_free);

/* Takes one event's `format` file, which is untrusted; adding an event again replaces what was known of it.
 *
 *  0         its records will be understood
 *  -ENOENT   no event that landlockd uses
 *  -EBADMSG  fields that it needs are missing, or are none that can be read
 *  -EINVAL   no format file, or its ID is that of another event
 *  -ENOMEM
 *
 * *ret_problem is always set: of 0 and -EBADMSG it names the fields that are missing, as "ino, pathname" (with 0 those
 * that can be done without); else, and if none is, it is "". It belongs to the decoder, until the next call. */
int trace_decoder_add_format(TraceDecoder *decoder, Text group, Text format, const char **ret_problem);

/* One record's bytes, as the ring buffer gave them: unaligned, untrusted. Calls the sink at most once; the Fact's texts
 * borrow from the record, or until the next call from the decoder. Those of the tasks buffer become Facts only if the
 * sink follows the thread that they are about. Counts trace_events, and trace_malformed for what cannot be understood.
 * `time_usec` is realtime, `boot_usec` the same by the boot clock. */
void trace_decoder_feed(TraceDecoder *decoder, const void *record, size_t size, uint64_t time_usec, uint64_t boot_usec);

/* The process of a thread that nobody follows, if its fork or its last exec was among the records; else 0. */
int64_t trace_decoder_recent_pid(const TraceDecoder *decoder, int64_t tid);
