/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/event-log.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

#include "base/checksum.h"
#include "base/clock.h"
#include "base/macros.h"

static const char magic[sizeof(((EventLogHeader *) NULL)->magic)] = "landlockd-spool";

#define SPOOL_VERSION 1
#define HEADER_SIZE ((size_t) 4096)
_Static_assert(sizeof(EventLogHeader) <= HEADER_SIZE, "the header has a page");

/* More is not configurable; far from where a size could wrap around. */
#define BYTES_MAX (UINT64_C(1) << 40)

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
        return !filter->by_domain || meta->type == EVENT_TYPE_LOST || meta->type == EVENT_TYPE_RECONCILED || domain_listed(filter, meta->domain);
}

size_t event_log_size(size_t n_bytes, size_t n_entries) {
        return HEADER_SIZE + n_entries * sizeof(EventLogEntry) + n_bytes;
}

static uint64_t header_checksum(const EventLogHeader *header) {
        return checksum_add(0, header, offsetof(EventLogHeader, checksum));
}

static uint64_t event_checksum(uint64_t seq, const EventLogEntry *entry, const char *line) {
        const EventMeta *meta = &entry->meta;
        const uint64_t words[] = { seq, entry->position, entry->len, meta->type, meta->domain, meta->blockers };

        return checksum_add(checksum_add(0, words, sizeof(words)), line, entry->len);
}

static void set_block(EventLog *log, void *block, size_t n_bytes, size_t n_entries) {
        *log = (EventLog) { .header = block, .n_bytes = n_bytes, .n_entries = n_entries };
        log->entries = (EventLogEntry *) ((char *) block + HEADER_SIZE);
        log->bytes = (char *) (log->entries + n_entries);
}

/* A process that is killed has done all of its writes before the one at which it died, and none after: it is enough that
 * the compiler keeps their order. */
static void store(uint64_t *where, uint64_t value) {
        __atomic_store_n(where, value, __ATOMIC_RELEASE);
}

static void set_oldest(EventLog *log, uint64_t seq) {
        log->oldest_seq = seq;
        store(&log->header->oldest_seq, seq);
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* before what is written over the older ones */
}

static void set_next(EventLog *log, uint64_t seq) {
        log->next_seq = seq;
        store(&log->header->next_seq, seq);
}

void event_log_begin(EventLog *log, void *block, size_t n_bytes, size_t n_entries, const char *machine_id,
                     uint64_t begun_usec) {
        EventLogHeader *header = block;

        assert(n_bytes >= EVENT_LOG_LINE_MAX && n_entries > 0);

        memcpy(header->magic, magic, sizeof(magic));
        header->version = SPOOL_VERSION;
        header->entry_size = sizeof(EventLogEntry);
        header->n_bytes = n_bytes;
        header->n_entries = n_entries;
        header->begun_usec = begun_usec;
        strncpy(header->machine_id, machine_id, sizeof(header->machine_id) - 1);
        header->checksum = header_checksum(header);

        set_block(log, block, n_bytes, n_entries);
        set_oldest(log, 1);
        set_next(log, 1);
}

int event_log_init(EventLog *log, size_t n_bytes, size_t n_entries) {
        void *block = mmap(NULL, event_log_size(n_bytes, n_entries), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (block == MAP_FAILED)
                return -ENOMEM;
        event_log_begin(log, block, n_bytes, n_entries, "", clock_realtime_usec());
        return 0;
}

void event_log_done(EventLog *log) {
        if (log->header)
                munmap(log->header, event_log_size(log->n_bytes, log->n_entries));
        *log = (EventLog) {};
}

/* Where a line goes: after the last one, or at the block's start if it would not fit in one piece. */
static uint64_t place(const EventLog *log, size_t len) {
        size_t to_edge = log->n_bytes - log->end % log->n_bytes;

        return len <= to_edge ? log->end : log->end + to_edge;
}

int event_log_append(EventLog *log, const EventMeta *meta, Text line) {
        EventLogEntry *entry = &log->entries[log->next_seq % log->n_entries];
        uint64_t position, oldest = log->oldest_seq;

        if (line.len > EVENT_LOG_LINE_MAX)
                return -EMSGSIZE;

        position = place(log, line.len);
        while (oldest < log->next_seq &&
               (log->next_seq - oldest >= log->n_entries ||
                position + line.len - event_log_get(log, oldest)->position > log->n_bytes))
                oldest++;
        if (oldest != log->oldest_seq)
                set_oldest(log, oldest);

        memcpy(log->bytes + position % log->n_bytes, line.data, line.len);
        *entry = (EventLogEntry) { .position = position, .len = line.len, .meta = *meta };
        entry->checksum = event_checksum(log->next_seq, entry, line.data);
        set_next(log, log->next_seq + 1);
        log->end = position + line.len;
        return 0;
}

void event_log_touch(EventLog *log, uint64_t now_usec) {
        store(&log->header->alive_usec, now_usec);
}

const EventLogEntry *event_log_get(const EventLog *log, uint64_t seq) {
        if (seq < log->oldest_seq || seq >= log->next_seq)
                return NULL;
        return &log->entries[seq % log->n_entries];
}

void event_log_copy(EventLog *log, const EventLog *from) {
        set_oldest(log, from->oldest_seq);
        set_next(log, from->oldest_seq);
        for (uint64_t seq = from->oldest_seq; seq < from->next_seq; seq++) {
                const EventLogEntry *entry = event_log_get(from, seq);

                event_log_append(log, &entry->meta, event_log_line(from, entry));
        }
        event_log_touch(log, from->header->alive_usec);
}

/* ---- what another left ---- */

int event_log_check_header(const EventLogHeader *header, size_t *ret_size) {
        if (memcmp(header->magic, magic, sizeof(magic)) != 0 || header->version != SPOOL_VERSION ||
            header->entry_size != sizeof(EventLogEntry) || header->checksum != header_checksum(header) ||
            header->machine_id[sizeof(header->machine_id) - 1] != '\0')
                return -EBADMSG;
        if (header->n_bytes < EVENT_LOG_LINE_MAX || header->n_bytes > BYTES_MAX || header->n_entries == 0 ||
            header->n_entries > BYTES_MAX / sizeof(EventLogEntry))
                return -EBADMSG;
        *ret_size = event_log_size(header->n_bytes, header->n_entries);
        return 0;
}

/* Whether the slot holds that event, whole. */
static bool is_whole(const EventLog *log, uint64_t seq) {
        const EventLogEntry *entry = &log->entries[seq % log->n_entries];

        if (entry->len == 0 || entry->len > EVENT_LOG_LINE_MAX || entry->position > UINT64_MAX / 2 ||
            entry->meta.type >= EVENT_TYPE_MAX || entry->position % log->n_bytes > log->n_bytes - entry->len)
                return false;
        return entry->checksum == event_checksum(seq, entry, log->bytes + entry->position % log->n_bytes);
}

/* Whether an event lies before the later one, as it does whose number is one less. */
static bool lies_before(const EventLogEntry *entry, const EventLogEntry *later) {
        return entry->position + entry->len <= later->position;
}

/* The daemon may have died between writing an event and counting it. */
static uint64_t find_next(const EventLog *log, uint64_t next) {
        for (size_t i = 0; i < log->n_entries && is_whole(log, next); i++)
                next++;
        return next;
}

/* The oldest of those that are whole, in one piece with the newest, and with no younger one over them. */
static uint64_t find_oldest(const EventLog *log, uint64_t next) {
        const EventLogEntry *later = NULL;
        uint64_t seq = next, end = 0;

        while (seq > 1 && next - seq < log->n_entries && is_whole(log, seq - 1)) {
                const EventLogEntry *entry = &log->entries[(seq - 1) % log->n_entries];

                if (!later)
                        end = entry->position + entry->len;
                else if (!lies_before(entry, later))
                        break;
                if (end - entry->position > log->n_bytes)
                        break;
                later = entry;
                seq--;
        }
        return seq;
}

int event_log_open(EventLog *log, void *block, size_t size, const char *machine_id) {
        const EventLogHeader *header = block;
        const EventLogEntry *newest;
        EventLog found;
        size_t expected;

        if (size < HEADER_SIZE || event_log_check_header(header, &expected) < 0 || size != expected ||
            strcmp(header->machine_id, machine_id) != 0)
                return -EBADMSG;
        if (header->next_seq == 0 || header->next_seq > UINT64_MAX / 2 || header->oldest_seq > header->next_seq)
                return -EBADMSG;

        set_block(&found, block, header->n_bytes, header->n_entries);
        found.next_seq = find_next(&found, header->next_seq);
        found.oldest_seq = find_oldest(&found, found.next_seq);
        if (found.oldest_seq > header->oldest_seq)
                return -EBADMSG;
        newest = event_log_get(&found, event_log_last_seq(&found));
        found.end = newest ? newest->position + newest->len : 0;

        *log = found;
        set_oldest(log, found.oldest_seq);
        set_next(log, found.next_seq);
        return 0;
}
