/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules of a domain: what it is allowed in spite of all that it handles. */
#pragma once

#include "client/json.h"
#include "client/options.h"

/* Prints the table, if there are any, and how many are missing from it. */
void rule_table_print(const json_t *domain, const Options *options, size_t indent);
