/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's events that landlockd wants, and their fields.
 *
 * Names and fields of the Landlock events moved while they were reviewed, and can move again: they are looked up in the
 * running kernel's `format` files, under every name that they had. Here, each has one. */
#pragma once

#include "source/trace-format.h"

typedef enum TraceEventIndex {
        EVENT_CREATE_RULESET,
        EVENT_ADD_RULE_PATH_BENEATH,
        EVENT_ADD_RULE_NET_PORT,
        EVENT_FREE_RULESET,
        EVENT_CREATE_DOMAIN,
        EVENT_ENFORCE_DOMAIN,
        EVENT_FREE_DOMAIN,
        EVENT_DENY_ACCESS_FS,
        EVENT_DENY_ACCESS_NET,
        EVENT_DENY_PTRACE,
        EVENT_DENY_SCOPE_SIGNAL,
        EVENT_DENY_SCOPE_ABSTRACT_UNIX_SOCKET,
        EVENT_RESTRICT_SELF_CALLED,
        EVENT_RESTRICT_SELF_RETURNED,
        EVENT_TASK_FORK,
        EVENT_TASK_EXEC,
        EVENT_TASK_EXIT,
        EVENT_MAX,
} TraceEventIndex;

typedef enum TraceEventField {
        FIELD_COMMON_FLAGS,
        FIELD_COMMON_PID, /* the thread that it happened in */
        FIELD_DOMAIN,
        FIELD_PARENT,
        FIELD_RULESET,
        FIELD_RULESET_VERSION,
        FIELD_HANDLED_FS,
        FIELD_HANDLED_NET,
        FIELD_SCOPED,
        FIELD_ACCESS_RIGHTS,
        FIELD_DEV,
        FIELD_INO,
        FIELD_PATHNAME,
        FIELD_PORT,
        FIELD_SPORT,
        FIELD_DPORT,
        FIELD_DENIALS,
        FIELD_PROCESS_WIDE,
        FIELD_NO_NEW_PRIVS,
        FIELD_SAME_EXEC,
        FIELD_LOGGED,
        FIELD_LOG_SAME_EXEC,
        FIELD_LOG_NEW_EXEC,
        FIELD_BLOCKERS_TYPE,
        FIELD_BLOCKERS,
        FIELD_OTHER_DOMAIN,
        FIELD_OTHER_PID,
        FIELD_OTHER_COMM,
        FIELD_SUN_PATH,
        FIELD_TID,
        FIELD_OLD_TID,
        FIELD_CLONE_FLAGS,
        FIELD_FILENAME,
        FIELD_RULESET_FD,
        FIELD_FLAGS,
        FIELD_RETURNED,
        FIELD_MAX,
} TraceEventField;

/* A set of fields. */
#define FIELD_BIT(name) (UINT64_C(1) << FIELD_##name)

/* Which of the two instances an event is recorded in. */
typedef enum TraceBuffer {
        TRACE_BUFFER_LANDLOCK,
        TRACE_BUFFER_TASKS,
} TraceBuffer;

typedef struct TraceEventName {
        const char *group; /* NULL: no more of them */
        const char *name;
} TraceEventName;

/* With the end. */
#define TRACE_EVENT_SPELLINGS_MAX 3

/* An event, in the first of these spellings that the kernel has and the decoder accepts. */
typedef struct TraceEventSpec {
        TraceBuffer buffer;
        TraceEventName spellings[TRACE_EVENT_SPELLINGS_MAX];
        uint64_t needs;     /* fields without which its records mean nothing */
        uint64_t has;       /* others that current kernels have */
        uint64_t had;       /* others that older ones had */
        bool stands_in;     /* it is wanted only where nobody tells of domains */
        bool tells_domains; /* domains are not complete without it */
        bool tells_denials; /* denials are not complete without it */
        const char *lost;   /* what is not known without it, for people: "rules for paths"; static */
} TraceEventSpec;

extern const TraceEventSpec trace_event_specs[];
extern const size_t n_trace_event_specs;

/* An event as the running kernel has it. */
typedef struct TraceEvent {
        const TraceEventSpec *spec;
        TraceField fields[FIELD_MAX];
        size_t size_min; /* of its records */
        uint16_t id;
} TraceEvent;

/* Index of the event's spec, -ENOENT. */
int trace_event_find(Text group, const char *name, size_t *ret_spelling);

/* Looks up all its fields. */
TraceEvent trace_event_resolve(const TraceEventSpec *spec, const TraceFormat *format);

/* Names those of the wanted fields that it does not have, as "ino, pathname", cut to the buffer.
 * Returns whether there are any. */
bool trace_event_name_missing(const TraceEvent *event, uint64_t wanted, char *buffer, size_t size);
