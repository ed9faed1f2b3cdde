/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/notify-pattern.h"

#include <string.h>

#include "base/text.h"
#include "client/memory.h"

/* The byte that stands at p, and how long it is there. A backslash that begins no escape stands for itself: patterns
 * are written by people too. */
static unsigned char byte_at(const char *p, size_t *ret_len) {
        int byte = -EINVAL;

        if (p[0] == '\\' && p[1] == 'x' && p[2] && p[3])
                byte = text_hex_byte(p + 2);
        *ret_len = byte < 0 ? 1 : TEXT_ESCAPE_SIZE;
        return byte < 0 ? (unsigned char) *p : byte;
}

/* To behind one character: an escape, or a sequence of UTF-8. */
static const char *skip_character(const char *text) {
        size_t len;

        (void) byte_at(text, &len);
        text += len;
        if (len == 1)
                while (((unsigned char) *text & 0xc0) == 0x80)
                        text++;
        return text;
}

/* One step of both, if they agree. */
static bool take_one(const char **pattern, const char **text) {
        size_t n_pattern, n_text;

        if (**pattern == '?') {
                ++*pattern;
                *text = skip_character(*text);
                return true;
        }
        if (!**pattern || byte_at(*pattern, &n_pattern) != byte_at(*text, &n_text))
                return false;
        *pattern += n_pattern;
        *text += n_text;
        return true;
}

bool notify_pattern_matches(const char *pattern, const char *text) {
        const char *star = NULL, *retry = NULL;

        while (*text) {
                if (*pattern == '*') {
                        star = ++pattern;
                        retry = text;
                } else if (!take_one(&pattern, &text)) {
                        if (!star)
                                return false;
                        pattern = star;
                        text = retry = skip_character(retry);
                }
        }
        return pattern[strspn(pattern, "*")] == '\0';
}

char *notify_pattern_from_text(const char *text) {
        size_t size = strlen(text) * TEXT_ESCAPE_SIZE + sizeof("*");
        char *pattern = check_memory(malloc(size)), *p = pattern;

        for (const char *from = text, *next; *from; from = next) {
                bool edge = from == text || !from[1];

                next = skip_character(from);
                if (p + (next - from) + TEXT_ESCAPE_SIZE > pattern + NOTIFY_PATTERN_MAX) {
                        *p++ = '*';
                        break;
                }
                /* Space at the ends of a value is none of it. */
                if (*from == '*' || *from == '?' || (*from == ' ' && edge))
                        p = text_escape_byte(p, *from);
                else
                        p = mempcpy(p, from, next - from);
        }
        *p = '\0';
        return pattern;
}
