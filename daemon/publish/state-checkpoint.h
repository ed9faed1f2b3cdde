/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes what is in the table to DIR/checkpoint.ndjson: the lines of a snapshot between a first one, which says of when it
 * is, and a last one with the sum of them all. It goes by slices, while events go on, and takes the old one's place when it
 * is whole.
 *
 * Denials are listed only as far as the spool will not have them: what it holds in its younger half is there when the
 * next checkpoint is made. */
#pragma once

#include "base/host.h"
#include "base/macros.h"
#include "model/domain-table.h"
#include "publish/event-log.h"

typedef struct StateCheckpoint StateCheckpoint;

/* Borrows all. -errno if it cannot be begun. */
int state_checkpoint_new(StateCheckpoint **ret, int directory, const Host *host, const EventLog *log,
                         const DomainTable *table);

/* Writes for about that long. Returns 1 while there is more to write, 0 when it is in place, -errno if it cannot be
 * written: the one before is there still. */
int state_checkpoint_continue(StateCheckpoint *checkpoint, uint64_t usec);

/* One that is not in place is gone. */
StateCheckpoint *state_checkpoint_free(StateCheckpoint *checkpoint);
DEFINE_CLEANUP(StateCheckpoint *, state_checkpoint_free);
