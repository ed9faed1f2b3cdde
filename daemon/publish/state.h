/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What landlockd keeps over its own end, be it a restart, an upgrade or a SIGKILL: the event log, as a file, and now and
 * then a checkpoint of the table. The next landlockd of the same boot goes on from both; one of another boot has the
 * events as history.
 *
 * Nothing of it is needed to work: where it cannot be kept, events are in memory, and the status says why. */
#pragma once

#include <event2/event.h>

#include "base/macros.h"
#include "model/status.h"
#include "publish/state-load.h"

typedef struct State State;

typedef struct StateOptions {
        struct event_base *base; /* this and the next three are borrowed */
        const Host *host;
        DomainTable *table;      /* empty */
        Counters *counters;
        const char *path;        /* of the directory; made if it is not there. Borrowed for the call */
        int locked_directory;    /* one that is locked for this process already, which may be the same */
        size_t history_size;     /* of the event log, in bytes */
} StateOptions;

/* Opens the log and fills the table. -ENOMEM: all else is only a pity. */
int state_new(State **ret, const StateOptions *options, StateLoad *ret_load);

/* The log is borrowed, and lives as long as the state. */
EventLog *state_log(State *state);

/* "state", among the sources: the events of earlier come from there. */
const SourceStatus *state_status(const State *state);

/* Something was published: there will be a checkpoint. */
void state_changed(State *state);

/* Nothing is published any more: a last checkpoint. */
void state_finish(State *state);

State *state_free(State *state);
DEFINE_CLEANUP(State *, state_free);
