/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A saved audit log as a source: the daemon's own assembly and decoding, without a kernel or privileges. The log's
 * time stamps are its clock. */
#pragma once

#include "base/macros.h"
#include "model/counters.h"
#include "model/fact.h"

typedef struct AuditReplay AuditReplay;

/* counters are borrowed and must outlive it. -ENOMEM. */
int audit_replay_new(AuditReplay **ret, FactSink sink, Counters *counters);
AuditReplay *audit_replay_free(AuditReplay *replay);
DEFINE_CLEANUP(AuditReplay *, audit_replay_free);

/* Takes the log in pieces of any size; a line may be cut between two. */
void audit_replay_feed(AuditReplay *replay, const char *data, size_t len);

/* End of input: a last line without an end counts, and events still open are completed. */
void audit_replay_end(AuditReplay *replay);
