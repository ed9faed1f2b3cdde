/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Members of an object that are absent while they are not known. Names are literals. */
#pragma once

#include "publish/json-writer.h"

#define json_member_text(w, name, text)                 \
        do {                                            \
                Text _text = (text);                    \
                                                        \
                if (text_known(_text)) {                \
                        json_writer_key((w), name);     \
                        json_writer_text((w), _text);   \
                }                                       \
        } while (false)

/* NULL: not known. */
#define json_member_string(w, name, string) json_member_text((w), name, text_from_string(string))

/* 0: not known. */
#define json_member_time(w, name, usec)                 \
        do {                                            \
                uint64_t _usec = (usec);                \
                                                        \
                if (_usec > 0) {                        \
                        json_writer_key((w), name);     \
                        json_writer_time((w), _usec);   \
                }                                       \
        } while (false)

#define json_member_u64_if(w, known, name, value)       \
        do {                                            \
                if (known) {                            \
                        json_writer_key((w), name);     \
                        json_writer_u64((w), (value));  \
                }                                       \
        } while (false)

#define json_member_i64_if(w, known, name, value)       \
        do {                                            \
                if (known) {                            \
                        json_writer_key((w), name);     \
                        json_writer_i64((w), (value));  \
                }                                       \
        } while (false)

#define json_member_bool_if(w, known, name, value)      \
        do {                                            \
                if (known) {                            \
                        json_writer_key((w), name);     \
                        json_writer_bool((w), (value)); \
                }                                       \
        } while (false)

#define json_member_u64(w, name, value) json_member_u64_if((w), true, name, (value))

#define json_member_hex(w, name, value)                                 \
        do {                                                            \
                json_writer_key((w), name);                             \
                json_writer_hex((w), TEXT_LITERAL(""), (value));        \
        } while (false)
