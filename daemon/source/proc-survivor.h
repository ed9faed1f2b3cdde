/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of the processes that the last landlockd knew have outlived it, with which threads, and what they forked since. */
#pragma once

#include "model/fact.h"

typedef struct ProcSurvivor {
        uint64_t domain;
        int64_t pid;
        uint64_t seen_usec;      /* realtime; it was in the domain then */
        size_t n_threads;        /* that were known; 0: it was followed by no source */
        Attribution attribution;
        bool whole;              /* if it is in the domain at all, so are all of its threads */
} ProcSurvivor;

/* Reports each as gone, or its threads as seen; and as inferred, those processes that they forked after `since_usec`
 * (realtime), when the last landlockd was there last. Sorts the list. */
void proc_survivor_report(ProcSurvivor *survivors, size_t n, uint64_t since_usec, FactSink sink);
