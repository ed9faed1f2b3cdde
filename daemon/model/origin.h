/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where knowledge comes from, and how certain an attribution is. */
#pragma once

#include "base/text.h"

/* A set: one denial may be told by several sources. */
typedef enum Origin {
        ORIGIN_AUDIT = 1 << 0,
        ORIGIN_TRACE = 1 << 1,
        ORIGIN_BPF = 1 << 2,
} Origin;

/* "audit": the name of the lowest origin in a set that is not empty; static. */
Text origin_name(unsigned origins);

/* -EINVAL for a name that is not one. */
int origin_from_name(Text name, unsigned *ret);

/* How it is known that a process is in a domain. */
typedef enum Attribution {
        ATTRIBUTION_KERNEL,    /* an audit record, a trace event or a credential said so */
        ATTRIBUTION_INHERITED, /* by fork from one of which the kernel said so */
        ATTRIBUTION_INFERRED,
} Attribution;

/* "kernel"; static. */
const char *attribution_to_string(Attribution attribution);
int attribution_from_name(Text name, Attribution *ret);
