/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tracefs instance of our own: its events, buffers and clock disturb nobody else's tracing, and nobody's ours. What
 * a landlockd that was killed left behind is taken over, with what it holds. */
#pragma once

#include "base/macros.h"
#include "base/text.h"
#include "source/trace-page.h"

typedef struct TraceInstance TraceInstance;

/* Makes or takes over the instance of that name. `buffer_size` is bytes for each CPU. -ENODEV: there is no tracefs, and
 * it cannot be mounted; -EBUSY: another landlockd has the instance; other -errno of the kernel: privileges, lockdown. */
int trace_instance_new(TraceInstance **ret, const char *name, uint64_t buffer_size);

/* Removes the instance from the kernel: the files that trace_instance_open_cpus() opened must be closed. */
TraceInstance *trace_instance_free(TraceInstance *instance);
DEFINE_CLEANUP(TraceInstance *, trace_instance_free);

/* Leaves it in the kernel, where it goes on. */
TraceInstance *trace_instance_leave(TraceInstance *instance);

/* Removes the instance of that name, if no landlockd has it: -EBUSY. None is no error. */
int trace_instance_remove(const char *name);

/* Says for people why an instance cannot be had, and what to do about it. */
void trace_instance_explain(int error, const char *name, char *ret_reason, size_t n_reason);

/* Whether it was there before. */
bool trace_instance_is_adopted(const TraceInstance *instance);
const TracePageLayout *trace_instance_layout(const TraceInstance *instance);

/* The directory of the CPUs' files; borrowed. */
int trace_instance_per_cpu(const TraceInstance *instance);

/* The event's `format` file, owned: free(ret->data). -ENOENT if there is none. */
int trace_instance_read_format(TraceInstance *instance, const char *group, const char *event, Text *ret);
int trace_instance_enable(TraceInstance *instance, const char *group, const char *event);

/* The same, so that those who are told of the event now are told before it is recorded: the kernel tells in the order in
 * which they came (kernel/tracepoint.c). */
int trace_instance_enable_last(TraceInstance *instance, const char *group, const char *event);

/* Opens the raw pages of all CPUs that may ever be there, to be read without waiting, and hands each file to `fn`, until
 * that returns -errno. */
int trace_instance_open_cpus(const TraceInstance *instance,
                             int (*fn)(void *userdata, const TraceInstance *instance, unsigned cpu, int fd), void *userdata);
