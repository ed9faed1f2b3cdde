/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tables for one client, a line at a time as its socket takes them: neither a copy of the tables nor a pause for
 * everyone else, however large they are.
 *
 * What a snapshot lists is settled when it begins, and how each object is told when its line is made. Every line says
 * by its seq up to which event it includes; the closing reply says it for the snapshot: the last event before it
 * began. So no event after that is missing if the client takes it from the stream, and for an object whose line has
 * a later seq it is known which events its line has in it already. */
#pragma once

#include "base/macros.h"
#include "publish/json-event.h"

typedef struct JsonSnapshot JsonSnapshot;

/* `seq` is the last event published, `id` the request's as JSON. -ENOMEM. */
int json_snapshot_new(JsonSnapshot **ret, const DomainTable *table, uint64_t seq, Text id);

/* Denials from that number on are left out. */
void json_snapshot_end_denials(JsonSnapshot *snapshot, uint64_t number);

JsonSnapshot *json_snapshot_free(JsonSnapshot *snapshot);
DEFINE_CLEANUP(JsonSnapshot *, json_snapshot_free);

/* The next line, borrowed from the encoder, or TEXT_NULL after a number of objects that the filter keeps back or that
 * are gone by now. `seq` is the last event published. Returns 1 while there is more, 0 with the last line (the
 * reply), -EMSGSIZE for an object whose line would be too long: it is passed over. */
int json_snapshot_next(JsonSnapshot *snapshot, JsonEncoder *encoder, const DomainTable *table,
                       const EventFilter *filter, uint64_t seq, Text *ret_line);
