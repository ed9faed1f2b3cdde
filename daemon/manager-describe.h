/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What /proc says of those that a fact names by their numbers, if the table does not have it yet: by what people recognise
 * a domain, and what a process runs. */
#pragma once

#include "model/domain-table.h"
#include "source/proc-label.h"
#include "source/proc-task.h"

/* A fact and what it borrows. */
typedef struct Description {
        Fact fact;
        ProcLabel label;
        ProcTask task;
} Description;

/* The fact with what /proc adds to it, which is in *ret, or as it is. A domain gets its label once: who made it is what it
 * was, and audit describes a domain with each of its denials. */
const Fact *manager_describe(const DomainTable *table, const Fact *fact, Description *ret);

/* Of a domain whose creator nobody found, one that is seen in it will do. A fact that tells its label, in *ret, or NULL. */
const Fact *manager_describe_by_member(const DomainTable *table, const Fact *fact, Description *ret);
