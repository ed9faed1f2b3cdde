/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One page of a trace ring buffer → its records, in order of time.
 *
 * libtraceevent's kbuffer does the same, but trusts the page: a wrong length sends it beyond the end, or round for
 * ever. Here every page is either read to its end or refused. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As the kernel's events/header_page tells it. */
typedef struct TracePageLayout {
        size_t size;        /* bytes of a whole page */
        size_t commit_size; /* of the kernel's long: 4 or 8 */
} TracePageLayout;

typedef struct TraceRecord {
        const void *data; /* borrowed from the page; unaligned for some of their fields */
        size_t size;
        uint64_t time_ns; /* by the instance's clock */
} TraceRecord;

typedef struct TracePage {
        const unsigned char *next, *end;
        uint64_t time_ns;
        bool has_lost;   /* the ring buffer dropped records between the page before and this one */
        uint64_t n_lost; /* 0: the page does not say how many */
} TracePage;

/* The bytes are borrowed. -EBADMSG if this is no page. */
int trace_page_init(TracePage *page, const void *bytes, size_t n_bytes, const TracePageLayout *layout);

/* 1, 0 at the end, -EBADMSG if the rest of the page cannot be read: the end, too. */
int trace_page_next(TracePage *page, TraceRecord *ret);
