/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the verbs that list processes have in common. */
#pragma once

#include "client/json.h"
#include "client/output.h"

/* As ps(1) does: by PID; those of one process by domain. */
void process_list_sort(json_t *list);

/* Of a process: one that is only likely to be in its domain stands back. */
Style process_list_style(const json_t *process);
