/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A command that runs out of memory says so and ends: it has nothing to save and nobody to serve on. */
#pragma once

#include <stdarg.h>

#include "base/macros.h"

_Noreturn void out_of_memory(void);

/* The pointer, which is not NULL. */
#define check_memory(p)                 \
        ({                              \
                __typeof__(p) _p = (p); \
                if (!_p)                \
                        out_of_memory(); \
                _p;                     \
        })

/* A new string; free() it. */
char *format_text(const char *format, ...) _printf_(1, 2);
char *format_text_va(const char *format, va_list args) _printf_(1, 0);
