/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/json-writer.h"

#include "base/clock.h"

#define ESCAPED_BYTE_SIZE (sizeof("\\\\xHH") - 1)
#define U64_DIGITS_MAX 20

static const char hex_digits[] = "0123456789abcdef";

static bool word_has_quote(const char *data) {
        const uint64_t ones = UINT64_MAX / 0xff;
        uint64_t quote; /* its byte becomes zero */

        memcpy(&quote, data, sizeof(quote));
        quote ^= ones * '"';
        return (quote - ones) & ~quote & ones * 0x80;
}

/* Copies leading ASCII that stands for itself in JSON, and returns how much of it. In one pass and without a call:
 * texts are many and short. */
static size_t put_plain(char *p, Text t) {
        size_t i = 0;

        while (t.len - i >= sizeof(uint64_t) && text_word_is_plain(t.data + i) && !word_has_quote(t.data + i)) {
                memcpy(p + i, t.data + i, sizeof(uint64_t));
                i += sizeof(uint64_t);
        }
        for (; i < t.len && text_byte_is_plain(t.data[i]) && t.data[i] != '"'; i++)
                p[i] = t.data[i];
        return i;
}

static char *put_escaped(char *p, unsigned char byte) {
        *p++ = '\\';
        *p++ = '\\';
        *p++ = 'x';
        *p++ = hex_digits[byte >> 4];
        *p++ = hex_digits[byte & 0xf];
        return p;
}

/* Bytes that need no escape but JSON's of quotes. */
static char *put_verbatim(char *p, const char *data, size_t len) {
        for (size_t i = 0; i < len; i++) {
                if (data[i] == '"')
                        *p++ = '\\';
                *p++ = data[i];
        }
        return p;
}

static char *put_text(char *p, Text t) {
        for (;;) {
                size_t n = put_plain(p, t);

                p += n;
                t = (Text) { t.data + n, t.len - n };
                if (t.len == 0)
                        return p;

                n = text_verbatim_prefix(t);
                if (n > 0)
                        p = put_verbatim(p, t.data, n);
                else
                        p = put_escaped(p, t.data[n++]);
                t = (Text) { t.data + n, t.len - n };
        }
}

/* What put_text() writes, in bytes. */
static size_t text_json_length(Text t) {
        size_t len = 0;

        while (t.len > 0) {
                size_t n = text_verbatim_prefix(t);

                if (n == 0) {
                        len += ESCAPED_BYTE_SIZE;
                        n = 1;
                } else
                        for (size_t i = 0; i < n; i++)
                                len += t.data[i] == '"' ? 2 : 1;
                t = (Text) { t.data + n, t.len - n };
        }
        return len;
}

void json_writer_text(JsonWriter *w, Text t) {
        const size_t around = sizeof(",\"\"") - 1;

        /* The exact length costs a second pass: it is asked for near the end of the buffer only. */
        if ((size_t) (w->end - w->p) < t.len * ESCAPED_BYTE_SIZE + around &&
            !json_writer_reserve(w, text_json_length(t) + around))
                return;

        json_writer_separate(w);
        *w->p++ = '"';
        w->p = put_text(w->p, t);
        *w->p++ = '"';
        w->comma = true;
}

void json_writer_key_text(JsonWriter *w, Text name) {
        json_writer_text(w, name);
        if (!json_writer_reserve(w, 1))
                return;
        *w->p++ = ':';
        w->comma = false;
}

/* Writes before `end`, returns where it begins. */
static char *put_decimal_before(char *end, uint64_t value) {
        static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                                    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                                    "8081828384858687888990919293949596979899";

        while (value >= 100) {
                end -= 2;
                memcpy(end, pairs + value % 100 * 2, 2);
                value /= 100;
        }
        if (value < 10) {
                *--end = (char) ('0' + value);
                return end;
        }
        end -= 2;
        memcpy(end, pairs + value * 2, 2);
        return end;
}

void json_writer_u64(JsonWriter *w, uint64_t value) {
        char digits[U64_DIGITS_MAX], *end = digits + sizeof(digits), *p = put_decimal_before(end, value);

        json_writer_raw(w, p, end - p);
}

void json_writer_i64(JsonWriter *w, int64_t value) {
        char digits[1 + U64_DIGITS_MAX], *end = digits + sizeof(digits), *p;

        p = put_decimal_before(end, value < 0 ? 0 - (uint64_t) value : (uint64_t) value);
        if (value < 0)
                *--p = '-';
        json_writer_raw(w, p, end - p);
}

void json_writer_bool(JsonWriter *w, bool value) {
        if (value)
                json_writer_raw(w, "true", strlen("true"));
        else
                json_writer_raw(w, "false", strlen("false"));
}

/* `bits` per digit: 4 for hex, 3 for octal. */
static void put_digits(JsonWriter *w, Text prefix, uint64_t value, unsigned bits) {
        char digits[sizeof("\"1777777777777777777777\"")], *end = digits + sizeof(digits), *p = end;

        if (!json_writer_reserve(w, prefix.len + sizeof(digits) + 2))
                return;
        *--p = '"';
        do {
                *--p = hex_digits[value & ((1U << bits) - 1)];
                value >>= bits;
        } while (value > 0);

        json_writer_separate(w);
        *w->p++ = '"';
        w->p = mempcpy(w->p, prefix.data, prefix.len);
        w->p = mempcpy(w->p, p, end - p);
        w->comma = true;
}

void json_writer_hex(JsonWriter *w, Text prefix, uint64_t value) {
        put_digits(w, prefix, value, 4);
}

void json_writer_octal(JsonWriter *w, Text prefix, uint64_t value) {
        put_digits(w, prefix, value, 3);
}

void json_writer_time(JsonWriter *w, uint64_t usec) {
        char time[1 + CLOCK_FORMAT_SIZE];
        size_t n;

        time[0] = '"';
        n = clock_format_rfc3339(usec, time + 1);
        time[1 + n] = '"';
        json_writer_raw(w, time, n + 2);
}

void json_writer_dev_number(JsonWriter *w, uint32_t major, uint32_t minor) {
        char number[sizeof("\"4294967295:4294967295\"")], *end = number + sizeof(number), *p = end;

        *--p = '"';
        p = put_decimal_before(p, minor);
        *--p = ':';
        p = put_decimal_before(p, major);
        *--p = '"';
        json_writer_raw(w, p, end - p);
}
