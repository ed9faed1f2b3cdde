/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ownership helpers: every heap object is freed by a cleanup attribute or handed over with TAKE_PTR. */
#pragma once

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _unused_ __attribute__((unused))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define MIN(a, b)                       \
        ({                              \
                __typeof__(a) _a = (a); \
                __typeof__(b) _b = (b); \
                _a < _b ? _a : _b;      \
        })

#define MAX(a, b)                       \
        ({                              \
                __typeof__(a) _a = (a); \
                __typeof__(b) _b = (b); \
                _a > _b ? _a : _b;      \
        })

/* Hands the pointer over and leaves NULL behind, so that the cleanup attribute frees nothing. */
#define TAKE_PTR(p)                     \
        ({                              \
                __typeof__(p) _p = (p); \
                (p) = NULL;             \
                _p;                     \
        })

#define TAKE_FD(fd)                     \
        ({                              \
                int _fd = (fd);         \
                (fd) = -EBADF;          \
                _fd;                    \
        })

/* For a library's destructor that does not accept NULL. */
#define FREE_IF_SET(func, p)            \
        ({                              \
                __typeof__(p) _p = (p); \
                if (_p)                 \
                        func(_p);       \
        })

/* Defines a cleanup function `FUNCp` for a destructor that accepts NULL. */
#define DEFINE_CLEANUP(type, func)                 \
        static inline void func##p(type *p) {      \
                if (*p)                            \
                        func(*p);                  \
        }                                          \
        struct _cleanup_semicolon_

static inline void freep(void *p) {
        free(*(void **) p);
}

static inline void closep(const int *fd) {
        if (*fd >= 0)
                close(*fd);
}

DEFINE_CLEANUP(FILE *, fclose);

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)
#define _cleanup_fclose_ _cleanup_(fclosep)
