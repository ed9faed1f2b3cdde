/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"

#include <stdlib.h>

#include "base/macros.h"

int text_dup(Text t, Text *ret) {
        char *copy = malloc(t.len + 1);

        if (!copy)
                return -ENOMEM;
        if (t.len > 0)
                memcpy(copy, t.data, t.len);
        copy[t.len] = '\0';
        *ret = (Text) { copy, t.len };
        return 0;
}

bool text_split(Text *rest, char separator, Text *ret_part) {
        const char *end;

        if (!rest->data)
                return false;

        end = memchr(rest->data, separator, rest->len);
        if (!end) {
                *ret_part = *rest;
                *rest = TEXT_NULL;
                return true;
        }

        *ret_part = (Text) { rest->data, end - rest->data };
        *rest = (Text) { end + 1, rest->len - ret_part->len - 1 };
        return true;
}

const uint8_t text_digits[256] = {
        ['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8,
        ['8'] = 9, ['9'] = 10, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
        ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

int text_parse_u64(Text t, unsigned base, uint64_t *ret) {
        uint64_t value = 0;

        if (t.len == 0)
                return -EINVAL;

        for (size_t i = 0; i < t.len; i++) {
                unsigned digit = text_digits[(unsigned char) t.data[i]];

                if (digit == 0 || digit > base)
                        return -EINVAL;
                /* 15 digits always fit. */
                if (i < 15)
                        value = value * base + (digit - 1);
                else if (__builtin_mul_overflow(value, (uint64_t) base, &value) ||
                         __builtin_add_overflow(value, (uint64_t) digit - 1, &value))
                        return -ERANGE;
        }

        *ret = value;
        return 0;
}

int text_parse_i64(Text t, int64_t *ret) {
        bool negative = t.len > 0 && t.data[0] == '-';
        uint64_t magnitude;
        int r;

        r = text_parse_u64(negative ? (Text) { t.data + 1, t.len - 1 } : t, 10, &magnitude);
        if (r < 0)
                return r;
        if (magnitude > (uint64_t) INT64_MAX + negative)
                return -ERANGE;

        *ret = negative ? (int64_t) (0 - magnitude) : (int64_t) magnitude;
        return 0;
}

/* Length of the valid UTF-8 sequence at s (RFC 3629: shortest form, no surrogates, up to U+10FFFF),
 * 0 if there is none. */
static size_t utf8_sequence(const unsigned char *s, size_t len, uint32_t *ret_char) {
        static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t n = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
        uint32_t c;

        if (n == 0 || n > len)
                return 0;

        c = s[0] & (0x7f >> n);
        for (size_t i = 1; i < n; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (s[i] & 0x3f);
        }

        if (c < lowest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return 0;

        *ret_char = c;
        return n;
}

/* Characters that a terminal or a text view acts on instead of showing them. */
static bool character_is_active(uint32_t c) {
        return (c >= 0x80 && c <= 0x9f) ||     /* C1 controls */
                c == 0x61c ||                  /* Arabic letter mark */
                (c >= 0x200b && c <= 0x200f) || /* zero width, left/right marks */
                (c >= 0x2028 && c <= 0x202e) || /* separators, bidirectional embeddings */
                (c >= 0x2060 && c <= 0x206f) || /* invisible operators, bidirectional isolates */
                c == 0xfeff ||
                (c >= 0xfff9 && c <= 0xfffb) || /* interlinear annotation */
                (c & 0xfffe) == 0xfffe ||      /* noncharacters: D-Bus implementations differ on them */
                (c >= 0xfdd0 && c <= 0xfdef) ||
                (c >= 0xe0000 && c <= 0xe007f); /* invisible tags */
}

size_t text_verbatim_prefix(Text t) {
        const unsigned char *s = (const unsigned char *) t.data;
        size_t i = 0;

        while (i < t.len) {
                uint32_t c;
                size_t n;

                if (t.len - i >= sizeof(uint64_t) && text_word_is_plain(t.data + i)) {
                        i += sizeof(uint64_t);
                        continue;
                }
                if (text_byte_is_plain(t.data[i])) {
                        i++;
                        continue;
                }

                n = utf8_sequence(s + i, t.len - i, &c);
                if (n == 0 || character_is_active(c))
                        break;
                i += n;
        }
        return i;
}

char *text_escape_byte(char *p, unsigned char byte) {
        static const char hex[] = "0123456789abcdef";

        *p++ = '\\';
        *p++ = 'x';
        *p++ = hex[byte >> 4];
        *p++ = hex[byte & 0xf];
        return p;
}

int text_escape(Text t, char **ret) {
        char *escaped, *p;

        escaped = p = malloc(t.len * TEXT_ESCAPE_SIZE + 1);
        if (!escaped)
                return -ENOMEM;

        while (t.len > 0) {
                size_t n = text_verbatim_prefix(t);

                p = n > 0 ? mempcpy(p, t.data, n) : text_escape_byte(p, t.data[n++]);
                t.data += n;
                t.len -= n;
        }
        *p = '\0';

        *ret = escaped;
        return 0;
}

int text_unescape(Text escaped, char *buffer, size_t *ret_len) {
        size_t len = 0;

        for (size_t i = 0; i < escaped.len; i++) {
                int byte;

                if (escaped.data[i] != '\\') {
                        buffer[len++] = escaped.data[i];
                        continue;
                }
                byte = escaped.len - i >= 4 && escaped.data[i + 1] == 'x' ? text_hex_byte(escaped.data + i + 2) : -EINVAL;
                if (byte < 0)
                        return byte;
                buffer[len++] = (char) byte;
                i += 3;
        }

        *ret_len = len;
        return 0;
}
