/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/audit-record.h"

#include <errno.h>

#include "base/clock.h"
#include "base/macros.h"

/* auditd puts this before the names that it looked up itself (log_format = ENRICHED). */
#define INTERPRETATION_SEPARATOR '\x1d'

static bool take_number(Text *t, char end, uint64_t max, uint64_t *ret) {
        uint64_t value = 0;
        size_t i;

        for (i = 0; i < t->len && t->data[i] >= '0' && t->data[i] <= '9'; i++) {
                value = value * 10 + (uint64_t) (t->data[i] - '0');
                if (value > max)
                        return false;
        }
        if (i == 0 || i == t->len || t->data[i] != end)
                return false;

        *t = (Text) { t->data + i + 1, t->len - i - 1 };
        *ret = value;
        return true;
}

int audit_record_parse(Text text, AuditRecord *ret) {
        const char *separator;
        uint64_t seconds, milliseconds, serial;

        /* Until the year 9999: what a time stamp of text can still say. */
        if (!text_take_prefix(&text, TEXT_LITERAL("audit(")) ||
            !take_number(&text, '.', UINT64_C(253402300799), &seconds) ||
            !take_number(&text, ':', 999, &milliseconds) ||
            !take_number(&text, ')', UINT32_MAX, &serial) ||
            !text_take_prefix(&text, TEXT_LITERAL(":")))
                return -EBADMSG;
        text_take_prefix(&text, TEXT_LITERAL(" "));

        separator = text.len > 0 ? memchr(text.data, INTERPRETATION_SEPARATOR, text.len) : NULL;
        if (separator)
                text.len = separator - text.data;

        ret->serial = serial;
        ret->time_usec = seconds * USEC_PER_SEC + milliseconds * USEC_PER_MSEC;
        ret->body = text;
        return 0;
}

/* The first c, or the end. Most fields are so short that looking at each byte is cheaper than calling memchr(). */
static const char *find(const char *p, const char *end, char c) {
        const char *near = MIN(end, p + 16);

        while (p < near && *p != c)
                p++;
        if (p == near && p < end)
                p = memchr(p, c, end - p) ?: end;
        return p;
}

/* Whether a `key=` begins at p. */
static bool key_begins(const char *p, const char *end) {
        const char *first = p;

        while (p < end && *p != '=' && *p != ' ')
                p++;
        return p == end ? p == first : *p == '=' || p == first;
}

/* The end of an unquoted value: the space before the next `key=`. */
static const char *bare_value_end(const char *p, const char *end) {
        for (p = find(p, end, ' '); p < end && !key_begins(p + 1, end); p = find(p + 1, end, ' '))
                ;
        return p;
}

bool audit_field_next(Text *body, AuditField *ret) {
        const char *p = body->data, *end = p + body->len, *value, *value_end;

        while (p < end && (*p == ' ' || *p == '\n' || *p == '\0'))
                p++;
        value = find(p, end, '=');
        if (value == end) {
                *body = (Text) { end, 0 };
                return false;
        }

        ret->key = (Text) { p, value - p };
        value++;
        p = value < end && *value == '"' ? memchr(value + 1, '"', end - value - 1) : NULL;
        ret->quoted = p;
        if (p) {
                value_end = p++;
                value++;
        } else
                value_end = p = bare_value_end(value, end);

        ret->value = (Text) { value, value_end - value };
        *body = (Text) { p, end - p };
        return true;
}

Text audit_field_string(const AuditField *field, char **buffer) {
        size_t len = field->value.len / 2;
        char *start = *buffer;

        if (field->quoted)
                return field->value;
        if (field->value.len == 0 || field->value.len % 2 != 0)
                return TEXT_NULL;

        for (size_t i = 0; i < len; i++) {
                int byte = text_hex_byte(field->value.data + 2 * i);

                if (byte < 0)
                        return TEXT_NULL;
                start[i] = (char) byte;
        }

        *buffer = start + len;
        return (Text) { start, len };
}
