/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a good program made of the usual parts would do: libauparse assembles the events, jansson writes them.
 * Written to be fast within these two libraries, or the comparison would prove nothing: fields that the kernel
 * encodes are decoded, all others are passed on as they are. */

#include <auparse.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Field types whose raw value is not what it stands for: hex or in quotes. (Not AUPARSE_TYPE_SOCKADDR: it would
 * take the plain addresses of Landlock's records for packed ones.) */
static bool is_encoded(int type) {
        switch (type) {
        case AUPARSE_TYPE_ESCAPED:
        case AUPARSE_TYPE_ESCAPED_FILE:
        case AUPARSE_TYPE_ESCAPED_KEY:
        case AUPARSE_TYPE_PROCTITLE:
                return true;
        default:
                return false;
        }
}

/* A value that is not UTF-8 stays encoded as it was: jansson takes no other bytes. */
static json_t *field_to_json(auparse_state_t *au) {
        const char *raw = auparse_get_field_str(au), *text = NULL;
        json_t *json = NULL;

        if (is_encoded(auparse_get_field_type(au)))
                text = auparse_interpret_field(au);
        if (text)
                json = json_string(text);
        return json ?: json_string(raw ?: "");
}

static json_t *record_to_json(auparse_state_t *au) {
        json_t *record = json_object();

        if (!record || auparse_first_field(au) < 1)
                return record;
        do {
                const char *name = auparse_get_field_name(au);

                if (name && json_object_set_new(record, name, field_to_json(au)) < 0)
                        fprintf(stderr, "peer-auparse: %s: not written\n", name);
        } while (auparse_next_field(au) > 0);
        return record;
}

static void event_ready(auparse_state_t *au, auparse_cb_event_t type, void *userdata) {
        json_t *event, *records;

        (void) userdata;
        if (type != AUPARSE_CB_EVENT_READY || auparse_first_record(au) < 1)
                return;
        records = json_array();
        do
                json_array_append_new(records, record_to_json(au));
        while (auparse_next_record(au) > 0);
        event = json_pack("{s:I,s:I,s:I,s:o}", "time", (json_int_t) auparse_get_time(au), "milli",
                          (json_int_t) auparse_get_milli(au), "serial", (json_int_t) auparse_get_serial(au),
                          "records", records);
        if (!event || json_dumpf(event, stdout, JSON_COMPACT) < 0)
                fprintf(stderr, "peer-auparse: an event was not written\n");
        putchar('\n');
        json_decref(event);
}

static int feed(auparse_state_t *au, int fd) {
        static char buffer[1 << 16];
        ssize_t n;

        while ((n = read(fd, buffer, sizeof(buffer))) > 0 || (n < 0 && errno == EINTR))
                if (n > 0 && auparse_feed(au, buffer, (size_t) n) < 0)
                        return -EIO;
        return n < 0 || auparse_flush_feed(au) < 0 ? -EIO : 0;
}

int main(int argc, char *argv[]) {
        static char output[1 << 16];
        auparse_state_t *au;
        int fd, r;

        if (argc != 2) {
                fprintf(stderr, "Usage: peer-auparse FILE\n");
                return 2;
        }
        fd = open(argv[1], O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
                fprintf(stderr, "peer-auparse: %s: %m\n", argv[1]);
                return EXIT_FAILURE;
        }
        au = auparse_init(AUSOURCE_FEED, NULL);
        if (!au)
                return EXIT_FAILURE;
        setvbuf(stdout, output, _IOFBF, sizeof(output));
        auparse_set_escape_mode(au, AUPARSE_ESC_RAW);
        auparse_add_callback(au, event_ready, NULL, NULL);
        r = feed(au, fd);
        auparse_destroy(au);
        close(fd);
        if (r < 0 || fflush(stdout) != 0) {
                fprintf(stderr, "peer-auparse: %s: %m\n", argv[1]);
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}
