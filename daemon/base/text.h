/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes as the kernel gave them, and the one escape in which they reach a terminal, JSON or D-Bus.
 *
 * Paths, comm and socket names are chosen by whoever is being sandboxed. They are kept raw inside the
 * daemon and escaped at every exit by the same rule, which can be undone:
 *
 *   a backslash always begins `\xHH`, the escape of exactly one byte.
 *
 * Escaped are: the backslash itself, control characters (C0, DEL, C1), bytes that are not part of
 * valid UTF-8, and the characters that reorder or break lines of text (bidirectional controls,
 * U+2028, U+2029, U+FEFF). Everything else stands for itself. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed run of bytes; may hold NULs. data == NULL means: not known. */
typedef struct Text {
        const char *data;
        size_t len;
} Text;

#define TEXT_NULL ((Text) {})
#define TEXT_LITERAL(s) ((Text) { (s), sizeof(s) - 1 })

static inline bool text_known(Text t) {
        return t.data;
}

static inline Text text_from_string(const char *s) {
        return s ? (Text) { s, strlen(s) } : TEXT_NULL;
}

static inline bool text_equal(Text a, Text b) {
        return !a.data == !b.data && a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

#define text_is(t, literal) text_equal((t), TEXT_LITERAL(literal))

static inline bool text_has_prefix(Text t, Text prefix) {
        return t.len >= prefix.len && memcmp(t.data, prefix.data, prefix.len) == 0;
}

/* Cuts the prefix off the front of *t if it is there. */
static inline bool text_take_prefix(Text *t, Text prefix) {
        if (!text_has_prefix(*t, prefix))
                return false;
        *t = (Text) { t->data + prefix.len, t->len - prefix.len };
        return true;
}

/* An owned copy: free(ret->data). A known empty text stays known. -ENOMEM. */
int text_dup(Text t, Text *ret);

/* Cuts what stands before the first `separator` off the front of *rest. Returns false at the end. */
bool text_split(Text *rest, char separator, Text *ret_part);

/* The whole of t as a number; -EINVAL when it is anything else, -ERANGE when it does not fit. */
int text_parse_u64(Text t, unsigned base, uint64_t *ret);
int text_parse_i64(Text t, int64_t *ret);

/* ASCII that needs no escape: nearly all text. Inline, since the speed of every publisher hangs on it. */
static inline bool text_byte_is_plain(char byte) {
        return byte >= 0x20 && byte < 0x7f && byte != '\\';
}

/* The same of the sizeof(uint64_t) bytes at data together. */
static inline bool text_word_is_plain(const char *data) {
        const uint64_t ones = UINT64_MAX / 0xff, high_bits = ones * 0x80;
        uint64_t word, backslash, del;

        memcpy(&word, data, sizeof(word));
        /* Of bytes below 0x80, a subtraction sets the high bit of those alone that are too small for it. */
        backslash = (word ^ ones * '\\') - ones;
        del = (word ^ ones * 0x7f) - ones;
        return !((word | (word - ones * 0x20) | backslash | del) & high_bits);
}

/* Value of a hex digit plus one; 0 for every other byte. */
extern const uint8_t text_digits[256];

/* The byte that two hex digits stand for, -EINVAL if they are none. */
static inline int text_hex_byte(const char *hex) {
        unsigned high = text_digits[(unsigned char) hex[0]], low = text_digits[(unsigned char) hex[1]];

        return high == 0 || low == 0 ? -EINVAL : (int) ((high - 1) << 4 | (low - 1));
}

/* Number of leading bytes that need no escape. 0 with a non-empty text: the first byte must be written
 * as `\xHH`. */
size_t text_verbatim_prefix(Text t);

/* Writes `\xHH` of the byte and returns the end: TEXT_ESCAPE_SIZE characters on. */
char *text_escape_byte(char *p, unsigned char byte);

#define TEXT_ESCAPE_SIZE (sizeof("\\xHH") - 1)

/* The escaped form as a new string, -ENOMEM on failure; free() it. */
int text_escape(Text t, char **ret);

/* Undoes text_escape(): writes at most `escaped.len` bytes to `buffer`. -EINVAL for what is no escape. */
int text_unescape(Text escaped, char *buffer, size_t *ret_len);
