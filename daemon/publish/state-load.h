/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an earlier landlockd of this boot knew, read back: the checkpoint, and the events since then from the spool.
 *
 * The lines of a checkpoint were written one after the other while events went on. Each says by its seq which events are
 * in it. So the two are merged by seq: an event is applied before the lines that have it in them, and after the others. */
#pragma once

#include "base/host.h"
#include "model/domain-table.h"
#include "publish/event-log.h"

#define STATE_CHECKPOINT "checkpoint.ndjson"

typedef struct StateLoad {
        bool found;             /* an earlier landlockd of this boot */
        uint64_t last_usec;     /* realtime; when it was there last, as far as known */
        bool incomplete;        /* events since the checkpoint are not known any more */
        uint64_t n_missing;     /* so many; 0: an unknown number */
        uint64_t missing_since_usec, missing_until_usec;
        uint64_t n_bad_lines;   /* skipped */
        bool set_aside;         /* the checkpoint was damaged, and is out of the way now */
} StateLoad;

/* Fills an empty table. -ENOMEM; what was read until then is in it. */
int state_load(int directory, const Host *host, const EventLog *log, DomainTable *table, StateLoad *ret);
