/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/event-line.h"

#include <errno.h>

#include "client/clean-text.h"
#include "client/event-text.h"
#include "client/output.h"

int event_line_parse(Text line, json_t **ret) {
        json_error_t error;
        json_t *event;

        if (!clean_text_check(line))
                return -EBADMSG;

        event = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, &error);
        /* jansson's integers are signed; inode numbers of some file systems use all 64 bits. */
        if (!event && json_error_code(&error) == json_error_numeric_overflow)
                event = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
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
