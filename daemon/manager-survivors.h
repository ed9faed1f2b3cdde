/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What became of the processes that the last landlockd knew, where the kernel cannot be asked who is in which domain. */
#pragma once

#include "model/domain-table.h"

/* Looks for them in /proc. `since_usec` (realtime): the last sign of life of that landlockd. */
void manager_survivors_report(const DomainTable *table, uint64_t since_usec, FactSink sink);
