/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of the trace instances, which outlive landlockd. */
#pragma once

#include "manager.h"
#include "source/trace-source.h"

/* Ends the source; its instances stay in the kernel if the next landlockd will look for them. */
void manager_end_trace(TraceSource *source, const ManagerOptions *options);
