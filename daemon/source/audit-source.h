/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The audit source: kernel → socket → assembler → decoder → Facts, with the kernel's setting and all losses. */
#pragma once

#include <event2/event.h>

#include "base/config.h"
#include "base/macros.h"
#include "model/fact.h"
#include "model/status.h"

typedef struct AuditSource AuditSource;

typedef struct AuditSourceOptions {
        struct event_base *base; /* borrowed */
        const Config *config;    /* borrowed */
        int runtime_dir;         /* directory fd; borrowed */
        int landlock_abi;
        FactSink sink;
        Counters *counters;      /* borrowed */
} AuditSourceOptions;

/* Joins the audit multicast and enables audit as configured. A kernel without audit, or whose Landlock does not log,
 * is no failure: the source is then unavailable, and its status says why. -EPERM: the privileges are missing; other
 * -errno: as configured it cannot work. Failures are logged here. */
int audit_source_new(AuditSource **ret, const AuditSourceOptions *options);

/* Reports what the kernel has queued, as far as that is whole: before others look. */
void audit_source_catch_up(AuditSource *source);

/* Before the end: reads what the kernel has queued and completes open events. */
void audit_source_drain(AuditSource *source);

/* Restores the kernel's setting. */
AuditSource *audit_source_free(AuditSource *source);
DEFINE_CLEANUP(AuditSource *, audit_source_free);

/* Lives as long as the source. */
const SourceStatus *audit_source_status(const AuditSource *source);
