/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Columns for people. Widths are those on the screen, so that names in any script line up. */
#pragma once

#include <stdbool.h>

#include "base/macros.h"
#include "client/output.h"

typedef struct TableColumn {
        const char *heading;
        bool right; /* aligned: numbers */
} TableColumn;

typedef struct Table Table;

/* columns are borrowed. */
Table *table_new(const TableColumn *columns, size_t n_columns);
Table *table_free(Table *table);
DEFINE_CLEANUP(Table *, table_free);

/* The next cell, row by row. The text is escaped here; NULL shows as "-". */
void table_add(Table *table, const char *text, Style style);

/* As table_add(), and frees the text. */
void table_take(Table *table, char *text, Style style);

/* With legend: headings. The last column is shortened to fit the terminal, unless full. Rows are indented by
 * `indent` columns. */
void table_print(const Table *table, bool legend, bool full, size_t indent);
