/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What nobody heard between two landlockds. */
#pragma once

#include "model/fact.h"
#include "publish/state-load.h"

/* Tells as lost what the last landlockd had published and this one cannot know any more; and what the kernel said to
 * nobody, by each of these sources (ORIGIN_*). */
void manager_gap_tell(const StateLoad *load, unsigned interrupted, FactSink sink);
