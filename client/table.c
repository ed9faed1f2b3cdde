/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/table.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "client/memory.h"

/* Of the last column: less than that says nothing any more. */
#define SHORTENED_MIN 8

typedef struct Cell {
        char *text; /* clean */
        size_t width;
        Style style;
} Cell;

struct Table {
        const TableColumn *columns;
        size_t n_columns, n_cells, n_allocated;
        Cell *cells;
};

Table *table_new(const TableColumn *columns, size_t n_columns) {
        Table *table = check_memory(calloc(1, sizeof(Table)));

        assert(n_columns > 0);
        table->columns = columns;
        table->n_columns = n_columns;
        return table;
}

Table *table_free(Table *table) {
        if (!table)
                return NULL;
        for (size_t i = 0; i < table->n_cells; i++)
                free(table->cells[i].text);
        free(table->cells);
        free(table);
        return NULL;
}

void table_add(Table *table, const char *text, Style style) {
        char *clean = output_clean(text);

        if (table->n_cells == table->n_allocated) {
                table->n_allocated = MAX(table->n_allocated * 2, (size_t) 64);
                table->cells = check_memory(reallocarray(table->cells, table->n_allocated, sizeof(Cell)));
        }
        table->cells[table->n_cells++] = (Cell) { clean, output_width(clean), style };
}

void table_take(Table *table, char *text, Style style) {
        table_add(table, text, style);
        free(text);
}

static size_t column_width(const Table *table, size_t column, bool legend) {
        size_t width = legend ? output_width(table->columns[column].heading) : 0;

        for (size_t i = column; i < table->n_cells; i += table->n_columns)
                width = MAX(width, table->cells[i].width);
        return width;
}

static void print_cell(const Table *table, const Cell *cell, size_t column, size_t width) {
        _cleanup_free_ char *shortened = output_shorten(cell->text, width);
        size_t pad = width - output_width(shortened);
        bool right = table->columns[column].right, last = column + 1 == table->n_columns;

        printf("%*s%s%s%s%*s", (int) (right ? pad : 0), "",
               output_style(cell->style), shortened, output_style_end(cell->style),
               (int) (right || last ? 0 : pad), "");
        putchar(last ? '\n' : ' ');
}

static void print_headings(const Table *table, const size_t *widths, size_t indent) {
        printf("%*s", (int) indent, "");
        for (size_t c = 0; c < table->n_columns; c++) {
                const char *heading = table->columns[c].heading;
                Cell cell = { (char *) heading, output_width(heading), STYLE_BOLD };

                print_cell(table, &cell, c, widths[c]);
        }
}

void table_print(const Table *table, bool legend, bool full, size_t indent) {
        size_t last = table->n_columns - 1, used = indent;
        _cleanup_free_ size_t *widths = check_memory(calloc(table->n_columns, sizeof(size_t)));

        for (size_t c = 0; c < table->n_columns; c++) {
                widths[c] = column_width(table, c, legend);
                if (c < last)
                        used += widths[c] + 1;
        }
        if (!full && output_columns() != SIZE_MAX) {
                size_t rest = output_columns() > used ? output_columns() - used : 0;

                rest = MAX(rest, (size_t) SHORTENED_MIN);
                widths[last] = MIN(widths[last], rest);
        }

        if (legend)
                print_headings(table, widths, indent);
        for (size_t i = 0; i < table->n_cells; i++) {
                if (i % table->n_columns == 0)
                        printf("%*s", (int) indent, "");
                print_cell(table, &table->cells[i], i % table->n_columns, widths[i % table->n_columns]);
        }
}
