/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is in a domain that was made before anybody looked: a process that is named as being in it, and, as far as can be
 * known, its descendants. */
#pragma once

#include "model/fact.h"

/* Reports each living thread of process `pid` and of its descendants as seen in the domain, up to a limit. A process
 * that began after `not_after_usec` (realtime) is not the one that was named then. */
void proc_infer(uint64_t domain, int64_t pid, uint64_t not_after_usec, FactSink sink);
