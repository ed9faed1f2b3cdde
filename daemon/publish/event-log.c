/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/event-log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static bool domain_listed(const EventFilter *filter, uint64_t domain) {
        for (size_t i = 0; i < filter->n_domains; i++)
                if (filter->domains[i] == domain)
                        return true;
        return false;
}

bool event_filter_match(const EventFilter *filter, const EventMeta *meta) {
        if (!(filter->types & (1U << meta->type)))
                return false;
        if (filter->by_blockers && meta->type == EVENT_TYPE_DENIAL && !(filter->blockers & meta->blockers))
                return false;
        return !filter->by_domain || meta->type == EVENT_TYPE_LOST || domain_listed(filter, meta->domain);
}

int event_log_init(EventLog *log, size_t n_bytes, size_t n_entries) {
        assert(n_bytes >= EVENT_LOG_LINE_MAX && n_entries > 0);

        *log = (EventLog) { .n_bytes = n_bytes, .n_entries = n_entries, .oldest_seq = 1, .next_seq = 1 };
        log->bytes = malloc(n_bytes);
        log->entries = calloc(n_entries, sizeof(EventLogEntry));
        if (log->bytes && log->entries)
                return 0;

        event_log_done(log);
        return -ENOMEM;
}

void event_log_done(EventLog *log) {
        free(log->bytes);
        free(log->entries);
        *log = (EventLog) {};
}

/* Where a line goes: after the last one, or at the block's start if it would not fit in one piece. */
static uint64_t place(const EventLog *log, size_t len) {
        size_t to_edge = log->n_bytes - log->end % log->n_bytes;

        return len <= to_edge ? log->end : log->end + to_edge;
}

int event_log_append(EventLog *log, const EventMeta *meta, Text line) {
        uint64_t position;

        if (line.len > EVENT_LOG_LINE_MAX)
                return -EMSGSIZE;

        position = place(log, line.len);
        while (log->oldest_seq < log->next_seq &&
               (log->next_seq - log->oldest_seq == log->n_entries ||
                position + line.len - event_log_get(log, log->oldest_seq)->position > log->n_bytes))
                log->oldest_seq++;

        memcpy(log->bytes + position % log->n_bytes, line.data, line.len);
        log->entries[log->next_seq % log->n_entries] = (EventLogEntry) { position, line.len, *meta };
        log->next_seq++;
        log->end = position + line.len;
        return 0;
}

const EventLogEntry *event_log_get(const EventLog *log, uint64_t seq) {
        if (seq < log->oldest_seq || seq >= log->next_seq)
                return NULL;
        return &log->entries[seq % log->n_entries];
}
