/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which domains have no label yet, by which people recognise them. */
#pragma once

#include "model/domain-table.h"
#include "source/proc-label.h"

/* Whether the fact names a process by which its domain is to be labelled. Once: who made it is what it was, and audit
 * describes a domain with each of its denials. */
bool manager_label_is_wanted(const DomainTable *table, const Fact *fact);

/* Of a domain whose creator nobody found, one that is seen in it will do. Returns whether *ret tells its label, which is
 * in `label`. */
bool manager_label_by_member(const DomainTable *table, const Fact *fact, ProcLabel *label, Fact *ret);
