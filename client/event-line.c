/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/event-line.h"

#include <errno.h>
#include <string.h>

#include "client/clean-text.h"
#include "client/event-text.h"
#include "client/memory.h"
#include "client/output.h"

/* Whether the number that begins at p is an integer that jansson cannot hold. */
static bool is_large_integer(const char *p, size_t n_digits) {
        uint64_t value;

        return n_digits > 0 && !strchr(".eE", p[n_digits]) &&
               (text_parse_u64((Text) { p, n_digits }, 10, &value) < 0 || value > INT64_MAX);
}

/* jansson's integers are signed, and inode numbers of some file systems use all 64 bits. Such a number is made a
 * real one by an exponent, in a copy; everything else of the line stays as it is. */
static json_t *parse_large_integers(Text line) {
        _cleanup_free_ char *copy = check_memory(malloc(line.len * 2 + 1)), *source = NULL;
        char *out = copy;
        bool quoted = false;

        source = check_memory(strndup(line.data, line.len));
        for (const char *p = source; *p;) {
                size_t n_digits = quoted ? 0 : strspn(p, "0123456789");

                if (n_digits > 0) {
                        bool large = is_large_integer(p, n_digits);

                        out = mempcpy(out, p, n_digits);
                        if (large)
                                out = mempcpy(out, "e0", 2);
                        p += n_digits;
                        continue;
                }
                quoted ^= *p == '"';
                if (*p == '\\' && p[1])
                        *out++ = *p++;
                *out++ = *p++;
        }
        return json_loadb(copy, out - copy, JSON_REJECT_DUPLICATES, NULL);
}

int event_line_parse(Text line, json_t **ret) {
        json_error_t error;
        json_t *event;

        if (!clean_text_check(line))
                return -EBADMSG;

        event = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, &error);
        if (!event && json_error_code(&error) == json_error_numeric_overflow)
                event = parse_large_integers(line);
        if (!event)
                return -EBADMSG;
        if (!json_is_object(event)) {
                json_decref(event);
                return -EBADMSG;
        }
        *ret = event;
        return 0;
}

void event_line_print(Text line, const json_t *event, JsonMode mode) {
        switch (mode) {
        case JSON_DEFAULT:
        case JSON_OFF:
                event_text_print(event);
                return;
        case JSON_SHORT:
                output_json_line(line, event);
                return;
        case JSON_PRETTY:
                output_json(event, JSON_PRETTY);
                return;
        }
}
