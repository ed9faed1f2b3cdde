/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/notify-text.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "client/memory.h"

#define ELLIPSIS "\u2026"

static bool begins_character(char byte) {
        return ((unsigned char) byte & 0xc0) != 0x80;
}

static size_t count_characters(const char *text) {
        size_t n = 0;

        for (; *text; text++)
                n += begins_character(*text);
        return n;
}

/* Bytes of the first n characters. */
static size_t bytes_of(const char *text, size_t n) {
        const char *p = text;

        for (; *p; p++)
                if (begins_character(*p) && n-- == 0)
                        break;
        return p - text;
}

char *notify_text_shorten(const char *text, size_t n_max) {
        size_t n = count_characters(text), n_head = n_max / 3, n_tail = n_max - n_head - 1;

        assert(n_max > 0);
        if (n <= n_max)
                return check_memory(strdup(text));
        return format_text("%.*s" ELLIPSIS "%s", (int) bytes_of(text, n_head), text,
                           text + bytes_of(text, n - n_tail));
}

static const char *entity(char byte) {
        switch (byte) {
        case '&':
                return "&amp;";
        case '<':
                return "&lt;";
        case '>':
                return "&gt;";
        case '"':
                return "&quot;";
        case '\'':
                return "&#39;";
        default:
                return NULL;
        }
}

char *notify_text_markup(const char *text) {
        char *markup = check_memory(malloc(strlen(text) * strlen("&quot;") + 1)), *p = markup;

        for (; *text; text++) {
                const char *e = entity(*text);

                if (e)
                        p = stpcpy(p, e);
                else
                        *p++ = *text;
        }
        *p = '\0';
        return markup;
}
