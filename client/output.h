/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What goes to standard output, and how: colours and a pager for a terminal, plain bytes for everything else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"
#include "base/text.h"
#include "client/exit-code.h"
#include "client/json.h"
#include "client/options.h"

typedef enum Style {
        STYLE_NONE,
        STYLE_BOLD,
        STYLE_DIM,
        STYLE_GOOD,
        STYLE_WARNING,
        STYLE_BAD,
        STYLE_MAX,
} Style;

/* Before anything else of this file. Looks at the terminal before a pager stands between. */
void output_init(void);

/* From here on standard output goes through a pager, if it is a terminal and `pager`. */
void output_begin(bool pager);

/* Writes out what is buffered and waits for the pager's end. Whoever reads may stop early: that is success. */
ExitCode output_end(ExitCode code);

/* Standard output could not be written to; says so, unless its reader just had enough. */
ExitCode output_failed(int error);

/* Columns of the terminal; SIZE_MAX if standard output is none. */
size_t output_columns(void);

/* The terminal's sequences to begin and to end a style; empty without colours. */
const char *output_style(Style style);
const char *output_style_end(Style style);

/* What a line of a tree begins with. */
typedef enum TreeGlyph {
        TREE_BRANCH,   /* more siblings follow */
        TREE_LAST,
        TREE_VERTICAL, /* below one that is followed by siblings */
        TREE_SPACE,    /* below the last one */
        TREE_GLYPH_MAX,
} TreeGlyph;

/* Lines on a terminal that has them, else ASCII; all of the same width. */
const char *output_tree_glyph(TreeGlyph glyph);

/* Escaped so that the terminal shows it, whatever it holds; NULL becomes "-". free() it. */
char *output_clean(const char *text);

/* Columns that a clean text takes. */
size_t output_width(const char *clean);

/* At most `width` columns of a clean text, its middle left out. free() it. */
char *output_shorten(const char *clean, size_t width);

/* One JSON value and a line end; mode is JSON_SHORT or JSON_PRETTY. */
void output_json(const json_t *value, JsonMode mode);

/* A line of JSON that has been checked, as it came; `value` is what it says. */
void output_json_line(Text line, const json_t *value);

/* "landlockctl: ..." on stderr, escaped. */
void output_error(const char *format, ...) _printf_(1, 2);
