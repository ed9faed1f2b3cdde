/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/state-checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/checksum.h"
#include "base/clock.h"
#include "publish/json-member.h"
#include "publish/json-snapshot.h"
#include "publish/state-load.h"

#define CHECKPOINT_NEW STATE_CHECKPOINT ".new"

/* Between two looks at the clock. */
#define LINES_MAX 16

struct StateCheckpoint {
        int directory;
        const EventLog *log;
        const DomainTable *table;
        JsonSnapshot *snapshot;
        FILE *file;
        uint64_t n_lines, sum;
        JsonEncoder encoder;
};

static int put_line(StateCheckpoint *c, Text line) {
        if (fwrite(line.data, 1, line.len, c->file) != line.len)
                return errno > 0 ? -errno : -EIO;
        c->sum = checksum_add(c->sum, line.data, line.len);
        c->n_lines++;
        return 0;
}

static int put_first_line(StateCheckpoint *c, const Host *host) {
        char buffer[1024];
        JsonWriter w;

        json_writer_init(&w, buffer, sizeof(buffer) - 1);
        json_writer_begin_object(&w);
        json_member_u64(&w, "v", 1);
        json_member_u64(&w, "seq", event_log_last_seq(c->log));
        json_member_time(&w, "time", clock_realtime_usec());
        json_member_string(&w, "boot_id", host->boot_id);
        if (host->has_machine_id)
                json_member_string(&w, "machine_id", host->machine_id);
        json_member_string(&w, "type", "checkpoint");
        json_member_string(&w, "version", PACKAGE_VERSION);
        json_member_time(&w, "counted_since", c->log->header->begun_usec);
        json_member_u64(&w, "next_denial", c->table->denials.next_seq);
        json_writer_end_object(&w);
        *w.p++ = '\n';
        return put_line(c, json_writer_result(&w));
}

static int put_last_line(StateCheckpoint *c) {
        char buffer[128];
        JsonWriter w;

        json_writer_init(&w, buffer, sizeof(buffer) - 1);
        json_writer_begin_object(&w);
        json_member_u64(&w, "v", 1);
        json_member_string(&w, "type", "end");
        json_member_u64(&w, "lines", c->n_lines);
        json_member_hex(&w, "checksum", c->sum);
        json_writer_end_object(&w);
        *w.p++ = '\n';
        return put_line(c, json_writer_result(&w));
}

/* How many denials are in the spool's younger half. */
static uint64_t n_young_denials(const EventLog *log) {
        uint64_t n = 0;

        for (uint64_t seq = log->next_seq; seq > log->oldest_seq; seq--) {
                const EventLogEntry *entry = event_log_get(log, seq - 1);

                if (log->end - entry->position > log->n_bytes / 2 || log->next_seq - seq > log->n_entries / 2)
                        break;
                n += entry->meta.type == EVENT_TYPE_DENIAL;
        }
        return n;
}

static int begin(StateCheckpoint *c, const Host *host) {
        uint64_t next_denial;
        int r, fd;

        r = json_snapshot_new(&c->snapshot, c->table, event_log_last_seq(c->log), TEXT_NULL);
        if (r < 0)
                return r;
        next_denial = c->table->denials.next_seq;
        json_snapshot_end_denials(c->snapshot, next_denial - MIN(n_young_denials(c->log), next_denial));

        if (unlinkat(c->directory, CHECKPOINT_NEW, 0) < 0 && errno != ENOENT)
                return -errno;
        fd = openat(c->directory, CHECKPOINT_NEW, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        c->file = fdopen(fd, "w");
        if (!c->file) {
                close(fd);
                unlinkat(c->directory, CHECKPOINT_NEW, 0);
                return -ENOMEM;
        }
        return put_first_line(c, host);
}

int state_checkpoint_new(StateCheckpoint **ret, int directory, const Host *host, const EventLog *log,
                         const DomainTable *table) {
        _cleanup_(state_checkpoint_freep) StateCheckpoint *c = malloc(sizeof(StateCheckpoint));
        int r;

        if (!c)
                return -ENOMEM;
        c->directory = directory;
        c->log = log;
        c->table = table;
        c->snapshot = NULL;
        c->file = NULL;
        c->n_lines = c->sum = 0;
        json_encoder_init(&c->encoder, host);

        r = begin(c, host);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

StateCheckpoint *state_checkpoint_free(StateCheckpoint *c) {
        if (!c)
                return NULL;
        json_snapshot_free(c->snapshot);
        if (c->file) {
                fclose(c->file);
                unlinkat(c->directory, CHECKPOINT_NEW, 0);
        }
        free(c);
        return NULL;
}

static int put_in_place(StateCheckpoint *c) {
        int r;

        r = put_last_line(c);
        if (r < 0)
                return r;
        r = fclose(TAKE_PTR(c->file)) < 0 ? -errno : 0;
        if (r >= 0 && renameat(c->directory, CHECKPOINT_NEW, c->directory, STATE_CHECKPOINT) < 0)
                r = -errno;
        if (r < 0)
                unlinkat(c->directory, CHECKPOINT_NEW, 0);
        return r;
}

/* Returns 1 while there is more. */
static int put_some(StateCheckpoint *c) {
        const EventFilter all = EVENT_FILTER_EVERYTHING;

        for (unsigned i = 0; i < LINES_MAX; i++) {
                int more, r = 0;
                Text line;

                more = json_snapshot_next(c->snapshot, &c->encoder, c->table, &all, event_log_last_seq(c->log), &line);
                /* An object whose line would be too long is in no event either. */
                if (more < 0)
                        continue;
                if (text_known(line))
                        r = put_line(c, line);
                if (r < 0)
                        return r;
                if (more == 0)
                        return 0;
        }
        return 1;
}

int state_checkpoint_continue(StateCheckpoint *c, uint64_t usec) {
        uint64_t begun = clock_monotonic_usec();
        int r;

        do
                r = put_some(c);
        while (r > 0 && clock_monotonic_usec() - begun < usec);
        return r == 0 ? put_in_place(c) : r;
}
