/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/json-reader.h"

#include "base/clock.h"
#include "base/macros.h"

/* Arrays and objects in each other, of what is skipped. */
#define DEPTH_MAX 32

void json_reader_init(JsonReader *r, Text json, char *texts) {
        *r = (JsonReader) { .p = json.data, .end = json.data + json.len, .texts = texts };
}

bool json_reader_done(const JsonReader *r) {
        return !r->failed && r->p == r->end;
}

static bool fail(JsonReader *r) {
        r->failed = true;
        r->p = r->end;
        return false;
}

static bool take(JsonReader *r, char byte) {
        if (r->p == r->end || *r->p != byte)
                return false;
        r->p++;
        return true;
}

static bool begin(JsonReader *r, char bracket) {
        if (!take(r, bracket))
                return fail(r);
        r->comma = false;
        return true;
}

bool json_reader_begin_object(JsonReader *r) {
        return begin(r, '{');
}

bool json_reader_begin_array(JsonReader *r) {
        return begin(r, '[');
}

/* False at the end. */
static bool next(JsonReader *r, char bracket) {
        bool comma = r->comma;

        r->comma = true;
        if (take(r, bracket))
                return false;
        if (r->failed || (comma && !take(r, ',')))
                return fail(r);
        r->comma = false;
        return true;
}

bool json_reader_next_element(JsonReader *r) {
        return next(r, ']');
}

/* What stands between the quotes, as it stands there. */
static bool read_string(JsonReader *r, Text *ret) {
        const char *start = r->p + 1, *p = start;

        if (!take(r, '"'))
                return fail(r);
        for (;;) {
                p = memchr(p, '"', r->end - p);
                if (!p)
                        return fail(r);
                /* An even number of backslashes before it are escaped themselves. */
                const char *q = p;

                while (q > start && q[-1] == '\\')
                        q--;
                if ((p - q) % 2 == 0)
                        break;
                p++;
        }
        *ret = (Text) { start, p - start };
        r->p = p + 1;
        r->comma = true;
        return true;
}

bool json_reader_next_member(JsonReader *r, Text *ret_name) {
        if (!next(r, '}'))
                return false;
        if (!read_string(r, ret_name))
                return false;
        if (memchr(ret_name->data, '\\', ret_name->len) || !take(r, ':'))
                return fail(r);
        return true;
}

/* Everything that stands for itself up to a comma or a bracket. */
static bool read_token(JsonReader *r, Text *ret) {
        const char *start = r->p;

        while (r->p < r->end && *r->p != ',' && *r->p != '}' && *r->p != ']' && *r->p != '"' && *r->p != '{' && *r->p != '[')
                r->p++;
        if (r->p == start)
                return fail(r);
        *ret = (Text) { start, r->p - start };
        r->comma = true;
        return true;
}

static bool skip(JsonReader *r, unsigned depth) {
        bool object;
        Text text;

        if (r->p == r->end || depth == DEPTH_MAX)
                return fail(r);
        if (*r->p == '"')
                return read_string(r, &text);
        if (*r->p != '{' && *r->p != '[')
                return read_token(r, &text);

        object = *r->p == '{';
        r->p++;
        r->comma = false;
        while (object ? json_reader_next_member(r, &text) : json_reader_next_element(r))
                skip(r, depth + 1);
        return !r->failed;
}

bool json_reader_skip(JsonReader *r) {
        return skip(r, 0);
}

/* ---- values ---- */

bool json_reader_u64(JsonReader *r, void *value) {
        Text token;

        return read_token(r, &token) && (text_parse_u64(token, 10, value) >= 0 || fail(r));
}

static bool read_limited(JsonReader *r, uint64_t max, uint64_t *ret) {
        return json_reader_u64(r, ret) && (*ret <= max || fail(r));
}

bool json_reader_u32(JsonReader *r, void *value) {
        uint64_t number;

        if (!read_limited(r, UINT32_MAX, &number))
                return false;
        *(uint32_t *) value = number;
        return true;
}

bool json_reader_u16(JsonReader *r, void *value) {
        uint64_t number;

        if (!read_limited(r, UINT16_MAX, &number))
                return false;
        *(uint16_t *) value = number;
        return true;
}

bool json_reader_i64(JsonReader *r, void *value) {
        Text token;

        return read_token(r, &token) && (text_parse_i64(token, value) >= 0 || fail(r));
}

bool json_reader_bool(JsonReader *r, void *value) {
        Text token;

        if (!read_token(r, &token))
                return false;
        if (!text_is(token, "true") && !text_is(token, "false"))
                return fail(r);
        *(bool *) value = text_is(token, "true");
        return true;
}

/* Undoes JSON's escapes, of which the writer makes two. */
static bool put_unquoted(JsonReader *r, Text quoted, Text *ret) {
        char *start = r->texts, *p = start;

        for (size_t i = 0; i < quoted.len; i++) {
                if (quoted.data[i] == '\\' && (++i == quoted.len || (quoted.data[i] != '\\' && quoted.data[i] != '"')))
                        return fail(r);
                *p++ = quoted.data[i];
        }
        r->texts = p;
        *ret = (Text) { start, p - start };
        return true;
}

bool json_reader_text(JsonReader *r, void *value) {
        Text *text = value, quoted, escaped;

        if (!read_string(r, &quoted) || !put_unquoted(r, quoted, &escaped))
                return false;
        /* In its place: it only gets shorter. */
        if (text_unescape(escaped, (char *) escaped.data, &escaped.len) < 0)
                return fail(r);
        r->texts = (char *) escaped.data + escaped.len;
        *text = escaped;
        return true;
}

static bool read_digits(JsonReader *r, Text prefix, unsigned base, uint64_t *ret) {
        Text string;

        if (!read_string(r, &string))
                return false;
        return (text_take_prefix(&string, prefix) && text_parse_u64(string, base, ret) >= 0) || fail(r);
}

bool json_reader_hex(JsonReader *r, void *value) {
        return read_digits(r, TEXT_LITERAL(""), 16, value);
}

static bool read_digits32(JsonReader *r, Text prefix, unsigned base, uint32_t *ret) {
        uint64_t number;

        if (!read_digits(r, prefix, base, &number) || number > UINT32_MAX)
                return fail(r);
        *ret = number;
        return true;
}

bool json_reader_0x32(JsonReader *r, void *value) {
        return read_digits32(r, TEXT_LITERAL("0x"), 16, value);
}

bool json_reader_octal32(JsonReader *r, void *value) {
        return read_digits32(r, TEXT_LITERAL("0"), 8, value);
}

bool json_reader_time(JsonReader *r, void *value) {
        Text string;

        return read_string(r, &string) && (clock_parse_rfc3339(string, value) >= 0 || fail(r));
}

bool json_reader_dev_number(JsonReader *r, void *value) {
        uint32_t *numbers = value;
        Text string, part;

        if (!read_string(r, &string))
                return false;
        for (unsigned i = 0; i < 2; i++) {
                uint64_t number;

                if (!text_split(&string, ':', &part) || text_parse_u64(part, 10, &number) < 0 || number > UINT32_MAX)
                        return fail(r);
                numbers[i] = number;
        }
        return !string.data || fail(r);
}

/* ---- objects ---- */

bool json_reader_field(JsonReader *r, const JsonField *fields, size_t n_fields, Text name, void *target) {
        for (size_t i = 0; i < n_fields; i++) {
                if (!text_equal(fields[i].name, name))
                        continue;
                if (!fields[i].read(r, (char *) target + fields[i].value))
                        return fail(r);
                if (fields[i].known != JSON_FIELD_PLAIN)
                        *(bool *) ((char *) target + fields[i].known) = true;
                return true;
        }
        return false;
}

bool json_reader_fields(JsonReader *r, const JsonField *fields, size_t n_fields, void *target) {
        Text name;

        json_reader_begin_object(r);
        while (json_reader_next_member(r, &name))
                if (!json_reader_field(r, fields, n_fields, name, target) && !r->failed)
                        json_reader_skip(r);
        return !r->failed;
}
