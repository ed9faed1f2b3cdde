/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/audit-replay.h"

#include <errno.h>

#include "base/clock.h"
#include "source/audit-assembler.h"
#include "source/audit-decode.h"
#include "source/audit-line.h"

/* Twice the kernel's longest message (MAX_AUDIT_MESSAGE_LENGTH), for auditd's enrichment. */
#define LINE_MAX_BYTES (18 * 1024)

/* A log's clock has steps, and auditd may write records of one event late. */
#define TIMEOUT_USEC (2 * USEC_PER_SEC)

struct AuditReplay {
        AuditAssembler assembler;
        AuditDecoder decoder;
        Counters *counters;
        uint64_t now_usec; /* the latest time stamp so far */
        char rest[LINE_MAX_BYTES]; /* the beginning of a line whose end has not come yet */
        size_t n_rest;
        bool skipping; /* in a line longer than that */
};

static void on_event(void *userdata, const AuditEvent *event) {
        AuditReplay *replay = userdata;

        audit_decoder_feed(&replay->decoder, event);
}

int audit_replay_new(AuditReplay **ret, FactSink sink, Counters *counters) {
        AuditReplay *replay = calloc(1, sizeof(AuditReplay));

        if (!replay)
                return -ENOMEM;

        replay->counters = counters;
        audit_assembler_init(&replay->assembler, TIMEOUT_USEC, on_event, replay, counters);
        audit_decoder_init(&replay->decoder, sink, counters);
        *ret = replay;
        return 0;
}

AuditReplay *audit_replay_free(AuditReplay *replay) {
        if (!replay)
                return NULL;
        audit_assembler_done(&replay->assembler);
        free(replay);
        return NULL;
}

static void take_line(AuditReplay *replay, Text line) {
        AuditRecord record;
        int r;

        if (line.len > 0 && line.data[line.len - 1] == '\r')
                line.len--;
        /* ausearch separates events by lines of dashes. */
        if (line.len == 0 || text_has_prefix(line, TEXT_LITERAL("----")))
                return;
        if (line.len > LINE_MAX_BYTES) {
                replay->counters->audit_oversized++;
                return;
        }

        replay->counters->audit_messages++;
        r = audit_line_parse(line, &record);
        if (r == -EBADMSG)
                replay->counters->audit_malformed++;
        if (r < 0)
                return;

        replay->now_usec = MAX(replay->now_usec, record.time_usec);
        audit_assembler_feed(&replay->assembler, &record, replay->now_usec);
}

/* Keeps the beginning of a line; what is longer than any record is dropped up to its end. */
static void keep_rest(AuditReplay *replay, Text part) {
        if (replay->n_rest + part.len > sizeof(replay->rest)) {
                replay->counters->audit_oversized += !replay->skipping;
                replay->skipping = true;
                replay->n_rest = 0;
        } else if (!replay->skipping && part.len > 0) {
                memcpy(replay->rest + replay->n_rest, part.data, part.len);
                replay->n_rest += part.len;
        }
}

static void finish_rest(AuditReplay *replay) {
        if (replay->n_rest > 0)
                take_line(replay, (Text) { replay->rest, replay->n_rest });
        replay->n_rest = 0;
        replay->skipping = false;
}

void audit_replay_feed(AuditReplay *replay, const char *data, size_t len) {
        const char *end = data + len, *newline;

        for (; (newline = memchr(data, '\n', end - data)); data = newline + 1) {
                Text line = { data, newline - data };

                if (replay->n_rest > 0 || replay->skipping) {
                        keep_rest(replay, line);
                        finish_rest(replay);
                } else
                        take_line(replay, line);
        }
        keep_rest(replay, (Text) { data, end - data });
}

void audit_replay_end(AuditReplay *replay) {
        finish_rest(replay);
        audit_assembler_expire(&replay->assembler, UINT64_MAX);
}
