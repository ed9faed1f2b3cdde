/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/memory.h"

#include <errno.h>

#include "client/exit-code.h"

void out_of_memory(void) {
        fprintf(stderr, "%s: out of memory\n", program_invocation_short_name);
        exit(EXIT_CODE_FAILURE);
}

char *format_text_va(const char *format, va_list args) {
        char *text;

        if (vasprintf(&text, format, args) < 0)
                out_of_memory();
        return text;
}

char *format_text(const char *format, ...) {
        va_list args;
        char *text;

        va_start(args, format);
        text = format_text_va(format, args);
        va_end(args);
        return text;
}
