/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-message.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static int take(size_t *room, size_t n) {
        if (*room < n)
                return -E2BIG;
        *room -= n;
        return 0;
}

static int measure_basic(sd_bus_message *m, char type, size_t *room) {
        union {
                uint64_t number;
                double real;
                const char *text;
                int fd;
        } value;
        int r = sd_bus_message_read_basic(m, type, &value);

        if (r < 0)
                return r;
        return take(room, sizeof(value) + (type == 's' || type == 'o' || type == 'g' ? strlen(value.text) : 0));
}

/* What is left to read on this level. */
static int measure(sd_bus_message *m, size_t *room) {
        const char *contents;
        char type;
        int r;

        while ((r = sd_bus_message_peek_type(m, &type, &contents)) > 0) {
                if (contents) {
                        r = sd_bus_message_enter_container(m, type, contents);
                        if (r >= 0)
                                r = take(room, sizeof(uint64_t));
                        if (r >= 0)
                                r = measure(m, room);
                        if (r >= 0)
                                r = sd_bus_message_exit_container(m);
                } else {
                        r = measure_basic(m, type, room);
                }
                if (r < 0)
                        return r;
        }
        return r;
}

bool bus_message_is_small(sd_bus_message *m, size_t n_bytes_max) {
        bool small = measure(m, &n_bytes_max) >= 0;

        return sd_bus_message_rewind(m, true) >= 0 && small;
}
