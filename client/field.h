/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "Name: value" lines, in which verbs tell all about one thing. */
#pragma once

#include "client/output.h"

/* One line, escaped. Takes the text; NULL is not known and not shown. */
void field_print(const char *name, char *text, Style style);

/* Of a text that is to be kept; NULL of NULL. */
char *field_copy(const char *text);
