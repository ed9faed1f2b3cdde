/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/trace-choice.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/log.h"

static void note_missing(TraceChoice *choice, const char *format, ...) _printf_(2, 3);

/* Adds to what the kernel does not tell, for people. */
static void note_missing(TraceChoice *choice, const char *format, ...) {
        size_t len = strlen(choice->missing);
        va_list args;

        if (choice->n_missing++ >= TRACE_CHOICE_NAMED_MAX)
                return;
        len += snprintf(choice->missing + len, sizeof(choice->missing) - len, "%s", len > 0 ? "; " : "");
        va_start(args, format);
        vsnprintf(choice->missing + len, sizeof(choice->missing) - len, format, args);
        va_end(args);
}

/* Whether its records will come and be understood. *ret_problem is the decoder's. */
static int enable_event(TraceDecoder *decoder, TraceInstance *instance, const TraceEventName *name,
                        const char **ret_problem) {
        _cleanup_free_ char *format = NULL;
        Text text;
        int r;

        r = trace_instance_read_format(instance, name->group, name->name, &text);
        if (r < 0)
                return r;
        format = (char *) text.data;
        r = trace_decoder_add_format(decoder, text_from_string(name->group), text, ret_problem);
        if (r < 0)
                return r;
        return trace_instance_enable(instance, name->group, name->name);
}

/* Enables the event in the first spelling that serves. Returns whether there was one. */
static bool want_event(TraceChoice *choice, TraceDecoder *decoder, TraceInstance *instance, const TraceEventSpec *spec) {
        for (size_t i = 0; i < ARRAY_SIZE(spec->spellings) && spec->spellings[i].group; i++) {
                const TraceEventName *name = &spec->spellings[i];
                const char *problem = "";
                int r = enable_event(decoder, instance, name, &problem);

                if (r >= 0) {
                        if (problem[0])
                                note_missing(choice, "%s of %s", problem, name->name);
                        if (spec == &trace_event_specs[EVENT_TASK_FORK])
                                choice->fork_tells_threads = i == 0;
                        return true;
                }
                if (r != -ENOENT)
                        log_notice("The trace event %s cannot be used: %s%s%s.", name->name, strerror(-r),
                                   problem[0] ? ": it lacks " : "", problem);
        }
        note_missing(choice, "%s", spec->lost);
        choice->tells_domains &= !spec->tells_domains;
        choice->tells_denials &= !spec->tells_denials;
        return false;
}

static size_t want_events(TraceChoice *choice, TraceDecoder *decoder, TraceInstance *instance, TraceBuffer buffer,
                          bool stand_in) {
        size_t n = 0;

        for (size_t i = 0; i < n_trace_event_specs; i++)
                if (trace_event_specs[i].buffer == buffer && trace_event_specs[i].stands_in == stand_in)
                        n += want_event(choice, decoder, instance, &trace_event_specs[i]);
        return n;
}

/* Tasks first: no child of the first domain may be missed. */
void trace_choice_make(TraceChoice *choice, TraceDecoder *decoder, TraceInstance *const *instances) {
        *choice = (TraceChoice) { .tells_domains = true, .tells_denials = true };
        choice->n_task_events = want_events(choice, decoder, instances[TRACE_BUFFER_TASKS], TRACE_BUFFER_TASKS, false);
        choice->tells_threads = choice->n_task_events == EVENT_MAX - EVENT_TASK_FORK;
        choice->n_landlock_events = want_events(choice, decoder, instances[TRACE_BUFFER_LANDLOCK], TRACE_BUFFER_LANDLOCK,
                                                false);
}

void trace_choice_add_calls(TraceChoice *choice, TraceDecoder *decoder, TraceInstance *const *instances) {
        const TraceEventName *exit = &trace_event_specs[EVENT_TASK_EXIT].spellings[0];
        size_t n = want_events(choice, decoder, instances[TRACE_BUFFER_LANDLOCK], TRACE_BUFFER_LANDLOCK, true);

        choice->tells_calls = n == EVENT_TASK_FORK - EVENT_RESTRICT_SELF_CALLED &&
                trace_instance_enable_last(instances[TRACE_BUFFER_TASKS], exit->group, exit->name) >= 0;
}
