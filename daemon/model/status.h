/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What landlockd can see and what it cannot, and why: filled by the manager and the sources, read by publishers. */
#pragma once

#include <stddef.h>

#include "base/host.h"
#include "base/macros.h"
#include "model/counters.h"

typedef enum SourceState {
        SOURCE_OFF,         /* by configuration */
        SOURCE_UNAVAILABLE, /* the kernel or our privileges do not allow it */
        SOURCE_DEGRADED,    /* works, but is known to miss things */
        SOURCE_ACTIVE,
} SourceState;

typedef struct SourceStatus {
        const char *name;  /* "audit"; static */
        SourceState state;
        char reason[512];  /* for people: why it is so, what to do; "" if there is nothing to say. Plain ASCII. */
} SourceStatus;

#define STATUS_SOURCES_MAX 6

typedef struct Status {
        Host host;
        const char *version;
        int landlock_abi;    /* -errno if unknown */
        int landlock_errata; /* -errno if unknown */
        uint64_t started_usec;
        uint64_t counted_since_usec; /* when the count of published events began */
        const SourceStatus *sources[STATUS_SOURCES_MAX]; /* borrowed */
        size_t n_sources;
        Counters counters;
} Status;

/* "off", "unavailable", "degraded", "active"; static. */
const char *source_state_to_string(SourceState state);

/* `format` makes the reason, "%s" of "" none. */
void source_status_set(SourceStatus *status, SourceState state, const char *format, ...) _printf_(3, 4);

/* To those who run landlockd: what it misses is a warning. */
void source_status_log(const SourceStatus *status);
