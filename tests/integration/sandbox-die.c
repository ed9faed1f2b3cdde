/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sandbox-die.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void sandbox_die(const char *format, ...) {
        va_list ap;

        /* Not err(3): in a forked child it would flush the parent's output a second time. */
        dprintf(STDERR_FILENO, "%s: ", program_invocation_short_name);
        va_start(ap, format);
        vdprintf(STDERR_FILENO, format, ap);
        va_end(ap);
        dprintf(STDERR_FILENO, "\n");
        _exit(EXIT_FAILURE);
}
