/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/field.h"

#include <stdio.h>
#include <string.h>

#include "client/memory.h"

void field_print(const char *name, char *text, Style style) {
        if (text) {
                _cleanup_free_ char *clean = output_clean(text);

                printf("%12s: %s%s%s\n", name, output_style(style), clean, output_style_end(style));
        }
        free(text);
}

char *field_copy(const char *text) {
        return text ? check_memory(strdup(text)) : NULL;
}
