/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A domain's and a process's own part of their lines: what it is, who made it, what it restricts, what it denied. */
#pragma once

#include "model/domain.h"
#include "publish/json-writer.h"

/* The members from "state" to "processes_count", into an object that is open. `change` is what happened to it, NULL
 * in a snapshot. */
void json_domain_put(JsonWriter *w, const Domain *domain, const char *change);

/* The members from "change" to "last_seen"; likewise. */
void json_process_put(JsonWriter *w, const Process *process, const char *change);
