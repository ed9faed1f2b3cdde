/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of the kernel's events are recorded, and what stays unknown for want of others. */
#pragma once

#include "source/trace-decode.h"
#include "source/trace-instance.h"

typedef struct TraceChoice {
        bool tells_domains, tells_denials; /* all that are made, all that happen */
        bool tells_threads;                /* each fork, exec and exit */
        bool fork_tells_threads;           /* which of both a fork made */
        bool tells_calls;                  /* which threads called landlock_restrict_self(2), and how that ended */
        size_t n_landlock_events, n_task_events;
        size_t n_missing;
        char missing[128]; /* the first of what the kernel does not tell, for people */
} TraceChoice;

/* As many as that text names. */
#define TRACE_CHOICE_NAMED_MAX 2

/* Has all events recorded that tell of tasks, and all of Landlock's, each in its instance, as far as the kernel has
 * them and the decoder understands them, which knows them then. */
void trace_choice_make(TraceChoice *choice, TraceDecoder *decoder, TraceInstance *const *instances);

/* Those of the system call, which the instance of Landlock's events is for then. What BPF programs say of an exit is said
 * before it is recorded. */
void trace_choice_add_calls(TraceChoice *choice, TraceDecoder *decoder, TraceInstance *const *instances);
