/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of `hello` and `status` lines: what landlockd is, what it can see, and what it has counted. */
#pragma once

#include "model/domain-table.h"
#include "model/status.h"
#include "publish/json-writer.h"

/* The members from "version" to "oldest_seq", into an object that is open. */
void json_status_put(JsonWriter *w, const Status *status, uint64_t oldest_seq);

/* "counters" and "tables". */
void json_status_put_numbers(JsonWriter *w, const Counters *counters, const DomainTable *table);
