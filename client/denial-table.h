/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Denials as `denials` and `show` list them. */
#pragma once

#include "client/json.h"
#include "client/options.h"

/* In the order of the list, or the other way round. Without the column of the domain if that is the same for all. */
void denial_table_print(const json_t *denials, const Options *options, bool with_domain, bool reverse, size_t indent);
