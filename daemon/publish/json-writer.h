/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes JSON straight into a caller's buffer: one event costs no allocation and no tree. A tree of jansson's costs
 * more per event than everything else that happens to it; the unit test holds the two to the same result. */
#pragma once

#include "base/text.h"

/* Commas are put by the writer; that keys and values alternate and that ends match beginnings is the caller's part. */
typedef struct JsonWriter {
        char *start, *p, *end;
        bool comma;    /* due before the next member or element */
        bool overflow; /* sticky: what was written is of no use. Checked once, at the end */
} JsonWriter;

static inline void json_writer_init(JsonWriter *w, char *buffer, size_t size) {
        *w = (JsonWriter) { .start = buffer, .p = buffer, .end = buffer + size };
}

/* Borrowed from the buffer. */
static inline Text json_writer_result(const JsonWriter *w) {
        return (Text) { w->start, w->p - w->start };
}

static inline bool json_writer_reserve(JsonWriter *w, size_t n) {
        if (__builtin_expect((size_t) (w->end - w->p) >= n, true))
                return true;
        w->overflow = true;
        return false;
}

/* Without a branch: where no comma is due it is overwritten by what follows. */
static inline void json_writer_separate(JsonWriter *w) {
        *w->p = ',';
        w->p += w->comma;
}

static inline void json_writer_begin(JsonWriter *w, char bracket) {
        if (!json_writer_reserve(w, 2))
                return;
        json_writer_separate(w);
        *w->p++ = bracket;
        w->comma = false;
}

static inline void json_writer_end(JsonWriter *w, char bracket) {
        if (!json_writer_reserve(w, 1))
                return;
        *w->p++ = bracket;
        w->comma = true;
}

static inline void json_writer_begin_object(JsonWriter *w) {
        json_writer_begin(w, '{');
}

static inline void json_writer_end_object(JsonWriter *w) {
        json_writer_end(w, '}');
}

static inline void json_writer_begin_array(JsonWriter *w) {
        json_writer_begin(w, '[');
}

static inline void json_writer_end_array(JsonWriter *w) {
        json_writer_end(w, ']');
}

/* JSON that is rendered already: one value, or one or more members without a comma around them. */
static inline void json_writer_raw(JsonWriter *w, const char *json, size_t len) {
        if (!json_writer_reserve(w, len + 1))
                return;
        json_writer_separate(w);
        memcpy(w->p, json, len);
        w->p += len;
        w->comma = true;
}

static inline void json_writer_quoted_key(JsonWriter *w, const char *quoted, size_t len) {
        json_writer_raw(w, quoted, len);
        w->comma = false;
}

/* `name` is a literal that needs no escape. */
#define json_writer_key(w, name) json_writer_quoted_key((w), "\"" name "\":", sizeof("\"" name "\":") - 1)

/* A key that is known only at run time. */
void json_writer_key_text(JsonWriter *w, Text name);

void json_writer_u64(JsonWriter *w, uint64_t value);
void json_writer_i64(JsonWriter *w, int64_t value);
void json_writer_bool(JsonWriter *w, bool value);

/* A string in the escape of base/text.h: its backslash doubles in JSON, so that a newline becomes `\\x0a`. */
void json_writer_text(JsonWriter *w, Text t);

/* A string of lower-case hex digits after `prefix`; of octal digits. */
void json_writer_hex(JsonWriter *w, Text prefix, uint64_t value);
void json_writer_octal(JsonWriter *w, Text prefix, uint64_t value);

/* A string in RFC 3339, UTC, with µs. */
void json_writer_time(JsonWriter *w, uint64_t usec);

/* A string of a device's two numbers: "254:0". */
void json_writer_dev_number(JsonWriter *w, uint32_t major, uint32_t minor);

/* A place to return to: what was written since, or did not fit, is then gone. */
typedef struct JsonWriterMark {
        char *p;
        bool comma, overflow;
} JsonWriterMark;

static inline JsonWriterMark json_writer_mark(const JsonWriter *w) {
        return (JsonWriterMark) { .p = w->p, .comma = w->comma, .overflow = w->overflow };
}

static inline void json_writer_return_to(JsonWriter *w, JsonWriterMark mark) {
        w->p = mark.p;
        w->comma = mark.comma;
        w->overflow = mark.overflow;
}

/* An object member that is to be absent when nothing is put into it. */
#define json_writer_begin_optional(w, name)                                     \
        ({                                                                      \
                JsonWriter *_w = (w);                                           \
                JsonWriterMark _mark = json_writer_mark(_w);                    \
                json_writer_key(_w, name);                                      \
                json_writer_begin_object(_w);                                   \
                _mark;                                                          \
        })

static inline void json_writer_end_optional(JsonWriter *w, JsonWriterMark mark) {
        if (w->comma) {
                json_writer_end_object(w);
                return;
        }
        w->p = mark.p;
        w->comma = mark.comma;
}
