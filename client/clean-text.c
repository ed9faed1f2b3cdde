/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/clean-text.h"

#include "client/memory.h"

/* As text_verbatim_prefix(), but backslashes pass. */
static size_t clean_prefix(Text text, bool ascii_only) {
        size_t n = 0;

        for (size_t i = 0; ascii_only && i < text.len; i++)
                if ((unsigned char) text.data[i] >= 0x80)
                        text.len = i;

        while (n < text.len) {
                size_t step = text_verbatim_prefix((Text) { text.data + n, text.len - n });

                n += step;
                if (n < text.len && text.data[n] == '\\')
                        n++;
                else
                        break;
        }
        return n;
}

bool clean_text_check(Text text) {
        return clean_prefix(text, false) == text.len;
}

char *clean_text(Text text, bool ascii_only) {
        char *clean, *p;

        clean = p = check_memory(malloc(text.len * TEXT_ESCAPE_SIZE + 1));
        while (text.len > 0) {
                size_t n = clean_prefix(text, ascii_only);

                p = n > 0 ? mempcpy(p, text.data, n) : text_escape_byte(p, text.data[n++]);
                text.data += n;
                text.len -= n;
        }
        *p = '\0';
        return clean;
}
