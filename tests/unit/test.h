/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmocka with what it wants included before it, and comparisons of our own types. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "base/text.h"

#define assert_text(text, literal)                                       \
        do {                                                             \
                Text _t = (text);                                        \
                assert_non_null(_t.data);                                \
                assert_int_equal(_t.len, sizeof(literal) - 1);           \
                assert_memory_equal(_t.data, literal, sizeof(literal) - 1); \
        } while (0)
