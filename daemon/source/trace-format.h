/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the fields of a trace event stand in its records, and reading them.
 *
 * Looking a field up by its name costs more than all else that is done with a record. It is done once per event: what
 * remains for each record is to read known offsets. The only file that knows libtraceevent's types. */
#pragma once

#include <assert.h>

#include "base/macros.h"
#include "base/text.h"

typedef enum TraceFieldKind {
        TRACE_FIELD_ABSENT,
        TRACE_FIELD_NUMBER,        /* of 1, 2, 4 or 8 bytes */
        TRACE_FIELD_FIXED_TEXT,    /* char x[16]: ends at its first NUL */
        TRACE_FIELD_LOCATED_TEXT,  /* __data_loc: length << 16 | offset in the record */
        TRACE_FIELD_RELATIVE_TEXT, /* __rel_loc: the same, the offset counts from the field's end */
} TraceFieldKind;

typedef struct TraceField {
        uint16_t offset, size;
        uint8_t kind; /* TraceFieldKind */
        bool is_signed;
} TraceField;

/* First byte after the field: how long a record must be. */
static inline size_t trace_field_end(const TraceField *field) {
        return field->offset + field->size;
}

/* `record` must hold the field, which must be a number. Those of signed types are sign-extended. */
static inline uint64_t trace_field_number(const TraceField *field, const void *record) {
        const char *p = (const char *) record + field->offset;
        uint64_t u64;
        uint32_t u32;
        uint16_t u16;
        uint8_t u8;

        assert(field->kind == TRACE_FIELD_NUMBER);
        switch (field->size) {
        case sizeof(u64):
                memcpy(&u64, p, sizeof(u64));
                return u64;
        case sizeof(u32):
                memcpy(&u32, p, sizeof(u32));
                return field->is_signed ? (uint64_t) (int32_t) u32 : u32;
        case sizeof(u16):
                memcpy(&u16, p, sizeof(u16));
                return field->is_signed ? (uint64_t) (int16_t) u16 : u16;
        default:
                memcpy(&u8, p, sizeof(u8));
                return field->is_signed ? (uint64_t) (int8_t) u8 : u8;
        }
}

/* `record` must hold the field, which must be a text. Borrows from the record of `size` bytes; without the NUL that may
 * end it. TEXT_NULL for a located text of no bytes: the kernel could not read it. -EBADMSG if it is not all in the
 * record. */
int trace_field_text(const TraceField *field, const void *record, size_t size, Text *ret);

typedef struct TraceFormat TraceFormat;

/* Reads the text of an event's `format` file, which is untrusted. -EINVAL if it is none, -ENOMEM. */
int trace_format_parse(TraceFormat **ret, Text text);
TraceFormat *trace_format_free(TraceFormat *format);
DEFINE_CLEANUP(TraceFormat *, trace_format_free);

/* The event's name, without its group. */
const char *trace_format_name(const TraceFormat *format);

/* What its records begin with. */
uint16_t trace_format_id(const TraceFormat *format);

/* A field that can be read as a number, or as a text. -ENOENT if there is none of this name, -EBADMSG if it is
 * something else. */
int trace_format_find(const TraceFormat *format, const char *name, bool text, TraceField *ret);
