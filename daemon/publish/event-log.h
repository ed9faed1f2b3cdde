/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The most recent published events as encoded lines, each stored once whatever the number of readers: a reader is
 * no more than the number of the event that it wants next. When full, the oldest events make room.
 *
 * All of it lies in one block that holds positions and no pointers: memory, or a file that outlives the daemon
 * (publish/state-spool). Whenever the daemon dies, the block holds whole events only. */
#pragma once

#include "base/text.h"

/* With its newline. */
#define EVENT_LOG_LINE_MAX ((size_t) 64 * 1024)

typedef enum EventType {
        EVENT_TYPE_RULESET,
        EVENT_TYPE_DOMAIN,
        EVENT_TYPE_PROCESS,
        EVENT_TYPE_DENIAL,
        EVENT_TYPE_LOST,
        EVENT_TYPE_RECONCILED,
        EVENT_TYPE_MAX,
} EventType;

/* In EventMeta.blockers, beside the bits of the known ones: names that this version does not know. */
#define EVENT_BLOCKER_OTHER (UINT64_C(1) << 63)

/* What a filter can ask of an event. */
typedef struct EventMeta {
        EventType type;
        uint64_t domain;   /* that it is about; 0: none */
        uint64_t blockers; /* of denials; bit n: Blocker n */
} EventMeta;

#define EVENT_FILTER_DOMAINS_MAX 64

/* Blockers restrict denials only. Domains let pass what is about them, and losses, which concern all. */
typedef struct EventFilter {
        unsigned types; /* bit n: EventType n passes */
        bool by_domain, by_blockers;
        size_t n_domains;
        uint64_t domains[EVENT_FILTER_DOMAINS_MAX];
        uint64_t blockers; /* denials pass that have one of these */
} EventFilter;

#define EVENT_FILTER_EVERYTHING ((EventFilter) { .types = (1U << EVENT_TYPE_MAX) - 1 })

bool event_filter_match(const EventFilter *filter, const EventMeta *meta);

typedef struct EventLogEntry {
        uint64_t position; /* of the line, in bytes since the log began; it sits at position % n_bytes */
        uint64_t len;
        EventMeta meta;
        uint64_t checksum; /* of the event: its number, all above, its line */
} EventLogEntry;

/* What the block begins with; entries follow, then bytes. */
typedef struct EventLogHeader {
        char magic[16];
        uint64_t version, entry_size, n_bytes, n_entries;
        uint64_t begun_usec; /* realtime; when the count of events began */
        char machine_id[40];
        uint64_t checksum;   /* of all above, which never changes */

        /* Written only, as long as the log is open. */
        uint64_t oldest_seq, next_seq;
        uint64_t alive_usec; /* realtime; when a landlockd was there last to write */
} EventLogHeader;

typedef struct EventLog {
        EventLogHeader *header; /* of the block; owned */
        EventLogEntry *entries; /* event seq sits in slot seq % n_entries */
        char *bytes;
        uint64_t n_bytes, n_entries;
        uint64_t oldest_seq; /* of the oldest event kept; next_seq if there is none */
        uint64_t next_seq;   /* of the next event; the first is 1 */
        uint64_t end;        /* position after the newest line */
} EventLog;

/* Keeps as many events as fit in n_bytes (at least EVENT_LOG_LINE_MAX), and no more than n_entries. -ENOMEM. */
int event_log_init(EventLog *log, size_t n_bytes, size_t n_entries);

/* Unmaps the block. */
void event_log_done(EventLog *log);

/* Of the block. */
size_t event_log_size(size_t n_bytes, size_t n_entries);

/* Begins an empty log in a mapped block of zeros, which the log owns then. The ID may be "". */
void event_log_begin(EventLog *log, void *block, size_t n_bytes, size_t n_entries, const char *machine_id,
                     uint64_t begun_usec);

/* Goes on with what another left in a mapped block of that size, which the log owns then. Nothing in it is believed: it
 * is -EBADMSG if anything is not as event_log_append() leaves it, or it is of another machine. */
int event_log_open(EventLog *log, void *block, size_t size, const char *machine_id);

/* The size of the whole block that begins so; -EBADMSG if that cannot be the beginning of one. */
int event_log_check_header(const EventLogHeader *header, size_t *ret_size);

/* Notes that the daemon is alive and has published all that it has read. */
void event_log_touch(EventLog *log, uint64_t now_usec);

/* Makes an empty log go on with the events of another one, numbers and all, as far as they fit. */
void event_log_copy(EventLog *log, const EventLog *from);

/* The event gets the number that next_seq was. -EMSGSIZE for a line over EVENT_LOG_LINE_MAX. */
int event_log_append(EventLog *log, const EventMeta *meta, Text line);

/* NULL if it is not kept, or not there yet. Borrowed until the next append. */
const EventLogEntry *event_log_get(const EventLog *log, uint64_t seq);

/* Borrowed until the next append. */
static inline Text event_log_line(const EventLog *log, const EventLogEntry *entry) {
        return (Text) { log->bytes + entry->position % log->n_bytes, entry->len };
}

static inline uint64_t event_log_last_seq(const EventLog *log) {
        return log->next_seq - 1;
}
