/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads back what json-writer wrote: JSON without a blank in it, with integers of the full 64 bits, which jansson does not
 * have, and texts in the escape of base/text.h. Nothing is allocated. What else is JSON, is refused. */
#pragma once

#include "base/text.h"

typedef struct JsonReader {
        const char *p, *end;
        char *texts;  /* where the next text goes */
        bool comma;   /* due before the next member or element */
        bool failed;  /* sticky: what was read is of no use */
} JsonReader;

/* Texts are written to `texts`, which has room for as many bytes as the JSON has. */
void json_reader_init(JsonReader *r, Text json, char *texts);

/* Whether all was read, and well. */
bool json_reader_done(const JsonReader *r);

/* The next of these must be there. All return false, as ever after, when it is not. */
bool json_reader_begin_object(JsonReader *r);
bool json_reader_begin_array(JsonReader *r);

/* False at the end too. The name is borrowed from the JSON; one with an escape in it fails. */
bool json_reader_next_member(JsonReader *r, Text *ret_name);
bool json_reader_next_element(JsonReader *r);

/* Whatever value comes next. */
bool json_reader_skip(JsonReader *r);

/* Values, by the type of what they are written to. */
bool json_reader_u64(JsonReader *r, void *uint64);
bool json_reader_u32(JsonReader *r, void *uint32);
bool json_reader_u16(JsonReader *r, void *uint16);
bool json_reader_i64(JsonReader *r, void *int64);
bool json_reader_bool(JsonReader *r, void *boolean);
bool json_reader_text(JsonReader *r, void *text);  /* the bytes that were escaped */
bool json_reader_hex(JsonReader *r, void *uint64); /* a string of hex digits */
bool json_reader_time(JsonReader *r, void *uint64);

/* "0x5401", "0100644", "254:0": after a prefix, in a base; two numbers that follow each other. */
bool json_reader_0x32(JsonReader *r, void *uint32);
bool json_reader_octal32(JsonReader *r, void *uint32);
bool json_reader_dev_number(JsonReader *r, void *two_uint32);

/* Where a member of an object goes. */
typedef struct JsonField {
        Text name;
        bool (*read)(JsonReader *r, void *value);
        size_t value; /* offsets in the structure that is filled in */
        size_t known; /* of a bool that is set; JSON_FIELD_PLAIN: none */
} JsonField;

#define JSON_FIELD_PLAIN SIZE_MAX

#define JSON_FIELD(name, type, reader, member) \
        { { name, sizeof(name) - 1 }, reader, offsetof(type, member), JSON_FIELD_PLAIN }
#define JSON_FIELD_IF(name, type, reader, member, has) \
        { { name, sizeof(name) - 1 }, reader, offsetof(type, member), offsetof(type, has) }

/* Its reader is given the whole structure. */
#define JSON_FIELD_WHOLE(name, reader) { { name, sizeof(name) - 1 }, reader, 0, JSON_FIELD_PLAIN }

/* An object, into `target`. Members that are not among the fields are skipped. */
bool json_reader_fields(JsonReader *r, const JsonField *fields, size_t n_fields, void *target);

/* The value of the member `name`; false if it is none of the fields, or not of its type, which is a failure. */
bool json_reader_field(JsonReader *r, const JsonField *fields, size_t n_fields, Text name, void *target);
