/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The trace source: tracefs instances → streams of all CPUs → merge → decoder → Facts, with what /proc adds.
 *
 * Two instances, so that a storm of forks pushes no Landlock event out. That of Landlock's events is read when there
 * is something in it. That of forks, execs and exits is a flight recorder that holds those of all threads: it is read
 * beside the other, and by itself only while there are threads to follow. So no child of a thread that has just been
 * restricted is missed, and a machine without sandboxes pays for writing to it, not for reading. */
#pragma once

#include <event2/event.h>

#include "base/config.h"
#include "base/macros.h"
#include "model/fact.h"
#include "model/status.h"

typedef struct TraceSource TraceSource;

typedef struct TraceSourceOptions {
        struct event_base *base; /* borrowed */
        const Config *config;    /* borrowed */
        int landlock_abi;
        FactSink sink;
        void (*before)(void *userdata); /* with the sink's userdata, before what came is reported: what others know of that
                                         * time is to be known first */
        Counters *counters;      /* borrowed */
} TraceSourceOptions;

/* Opens all that it needs privileges for. What the kernel or our privileges do not allow is no failure: the status
 * says it. -ENOMEM. */
int trace_source_new(TraceSource **ret, const TraceSourceOptions *options);

/* Tells which threads restrict themselves, where neither Landlock's trace events nor BPF programs tell to which domain: for
 * who can ask the kernel. Returns whether it does from now on. Before the event loop runs. */
bool trace_source_watch_calls(TraceSource *source);

/* Whether there is any thread that the sink follows. */
void trace_source_set_following(TraceSource *source, bool any);

/* Reports what had happened until then, and nothing younger: before others tell of what happened next, or look. On this
 * thread of the kernel's, that is; on other CPUs, what is not 10 ms old may still be being written. */
void trace_source_catch_up(TraceSource *source, uint64_t until_boot_usec);

/* Whether nothing that had happened until then is still to come. */
bool trace_source_has_read(const TraceSource *source, uint64_t boot_usec);

/* Before the end: reads what the kernel has. */
void trace_source_drain(TraceSource *source);

/* Whether it tells of each fork, exec and exit of a thread that the sink follows. */
bool trace_source_tells_threads(const TraceSource *source);

/* Removes the instances from the kernel. */
TraceSource *trace_source_free(TraceSource *source);
DEFINE_CLEANUP(TraceSource *, trace_source_free);

/* Leaves them in the kernel, to the next landlockd. */
TraceSource *trace_source_leave(TraceSource *source);

/* Removes those that a landlockd left which is not there any more. -EBUSY: it is; no error if there are none. */
int trace_source_remove(const Config *config);

/* Whether it has what Landlock's trace events told since the last landlockd. */
bool trace_source_goes_on(const TraceSource *source);

/* Lives as long as the source. */
const SourceStatus *trace_source_status(const TraceSource *source);

/* Whether it tells of every domain when it is made, or at least which thread gets into one; and of every denial. */
bool trace_source_tells_domains(const TraceSource *source);
bool trace_source_tells_calls(const TraceSource *source);
bool trace_source_tells_denials(const TraceSource *source);
