/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/audit-assembler.h"

#include <assert.h>
#include <errno.h>

#include "base/macros.h"

#define SPARE_MAX 64

void audit_assembler_init(AuditAssembler *assembler, uint64_t timeout_usec, AuditEventFn fn, void *userdata,
                          Counters *counters) {
        *assembler = (AuditAssembler) {
                .timeout_usec = timeout_usec,
                .fn = fn,
                .userdata = userdata,
                .counters = counters,
        };
        TAILQ_INIT(&assembler->open);
        TAILQ_INIT(&assembler->spare);
}

static AuditEvent *audit_event_free(AuditEvent *event) {
        if (!event)
                return NULL;
        free((char *) event->node.data);
        free(event->records);
        free(event->bytes);
        free(event);
        return NULL;
}

static void free_all(AuditEventList *list) {
        while (!TAILQ_EMPTY(list)) {
                AuditEvent *event = TAILQ_FIRST(list);

                TAILQ_REMOVE(list, event, entry);
                audit_event_free(event);
        }
}

void audit_assembler_done(AuditAssembler *assembler) {
        free_all(&assembler->open);
        free_all(&assembler->spare);
        id_map_done(&assembler->by_key);
}

/* Serials start anew at every boot and on every node. */
static uint64_t record_key(const AuditRecord *record) {
        uint64_t key = record->time_usec << 16 ^ record->serial;

        for (size_t i = 0; i < record->node.len; i++)
                key = (key ^ (unsigned char) record->node.data[i]) * UINT64_C(0x100000001b3);
        return key ? key : 1;
}

static bool event_is_of(const AuditEvent *event, const AuditRecord *record) {
        return event->serial == record->serial && event->time_usec == record->time_usec &&
                text_equal(event->node, record->node);
}

static void recycle(AuditAssembler *assembler, AuditEvent *event) {
        /* What grew large goes back to the system. */
        if (assembler->n_spare == SPARE_MAX || event->bytes_size > AUDIT_EVENT_BYTES_MAX / 4) {
                audit_event_free(event);
                return;
        }

        free((char *) event->node.data);
        event->node = TEXT_NULL;
        TAILQ_INSERT_HEAD(&assembler->spare, event, entry);
        assembler->n_spare++;
}

static void complete(AuditAssembler *assembler, AuditEvent *event, bool incomplete) {
        TAILQ_REMOVE(&assembler->open, event, entry);
        assembler->n_open--;
        id_map_remove(&assembler->by_key, event->key);
        if (assembler->last == event)
                assembler->last = NULL;

        event->incomplete |= incomplete;
        assembler->counters->audit_events++;
        if (event->incomplete)
                assembler->counters->audit_events_incomplete++;
        assembler->fn(assembler->userdata, event);
        recycle(assembler, event);
}

static AuditEvent *event_new(AuditAssembler *assembler) {
        AuditEvent *event = TAILQ_FIRST(&assembler->spare);

        if (!event)
                return calloc(1, sizeof(AuditEvent));
        TAILQ_REMOVE(&assembler->spare, event, entry);
        assembler->n_spare--;
        return event;
}

static AuditEvent *open_event(AuditAssembler *assembler, const AuditRecord *record, uint64_t now_usec) {
        AuditEvent *event;
        Text node = TEXT_NULL;

        if (assembler->n_open == AUDIT_ASSEMBLER_OPEN_MAX)
                complete(assembler, TAILQ_FIRST(&assembler->open), true);

        if (text_known(record->node) && text_dup(record->node, &node) < 0)
                return NULL;
        event = event_new(assembler);
        if (!event) {
                free((char *) node.data);
                return NULL;
        }

        event->serial = record->serial;
        event->time_usec = record->time_usec;
        event->node = node;
        event->incomplete = false;
        event->n_records = event->n_bytes = 0;
        event->deadline_usec = now_usec + assembler->timeout_usec;
        event->key = record_key(record);
        if (id_map_put(&assembler->by_key, event->key, event) < 0) {
                recycle(assembler, event);
                return NULL;
        }
        TAILQ_INSERT_TAIL(&assembler->open, event, entry);
        assembler->n_open++;
        return event;
}

static int reserve(void **array, size_t *size, size_t needed, size_t item, size_t first) {
        size_t bigger = *size ? *size : first;
        void *moved;

        if (needed <= *size)
                return 0;
        while (bigger < needed)
                bigger *= 2;
        moved = realloc(*array, bigger * item);
        if (!moved)
                return -ENOMEM;
        *array = moved;
        *size = bigger;
        return 0;
}

/* -E2BIG at the event's caps. */
static int append(AuditEvent *event, const AuditRecord *record) {
        if (event->n_records == AUDIT_EVENT_RECORDS_MAX || event->n_bytes + record->body.len > AUDIT_EVENT_BYTES_MAX)
                return -E2BIG;
        if (reserve((void **) &event->bytes, &event->bytes_size, event->n_bytes + record->body.len, 1, 2048) < 0 ||
            reserve((void **) &event->records, &event->records_size, event->n_records + 1,
                    sizeof(AuditEventRecord), 8) < 0)
                return -ENOMEM;

        if (record->body.len > 0)
                memcpy(event->bytes + event->n_bytes, record->body.data, record->body.len);
        event->records[event->n_records++] = (AuditEventRecord) {
                .type = record->type,
                .offset = event->n_bytes,
                .len = record->body.len,
        };
        event->n_bytes += record->body.len;
        return 0;
}

static bool is_landlock(uint16_t type) {
        return type == AUDIT_RECORD_LANDLOCK_ACCESS || type == AUDIT_RECORD_LANDLOCK_DOMAIN;
}

/* Of these the kernel writes one an event. */
static bool is_single(uint16_t type) {
        return type == AUDIT_RECORD_SYSCALL || type == AUDIT_RECORD_CWD;
}

static bool event_has(const AuditEvent *event, uint16_t type) {
        for (size_t i = 0; i < event->n_records; i++)
                if (event->records[i].type == type)
                        return true;
        return false;
}

/* `domain=…` is the first field of both Landlock records. */
static Text first_word(Text body) {
        Text word = TEXT_NULL;

        text_split(&body, ' ', &word);
        return word;
}

static bool is_deallocation(const AuditRecord *record) {
        Text rest = record->body, word;

        if (record->type != AUDIT_RECORD_LANDLOCK_DOMAIN)
                return false;
        while (text_split(&rest, ' ', &word))
                if (text_is(word, "status=deallocated"))
                        return true;
        return false;
}

static bool event_names_domain(const AuditEvent *event, Text domain) {
        for (size_t i = 0; i < event->n_records; i++)
                if (is_landlock(event->records[i].type) &&
                    text_equal(first_word(audit_event_body(event, &event->records[i])), domain))
                        return true;
        return false;
}

/* A freed domain denies nothing any more: what is open of it will get no further record. */
static void complete_domain(AuditAssembler *assembler, const AuditRecord *deallocation) {
        Text domain = first_word(deallocation->body);
        AuditEvent *event = TAILQ_FIRST(&assembler->open), *next;

        for (; event; event = next) {
                next = TAILQ_NEXT(event, entry);
                if (!event_is_of(event, deallocation) && text_equal(event->node, deallocation->node) &&
                    event_names_domain(event, domain))
                        complete(assembler, event, true);
        }
}

static AuditEvent *find_event(AuditAssembler *assembler, const AuditRecord *record) {
        AuditEvent *event = assembler->last;

        if (event && event_is_of(event, record))
                return event;

        event = id_map_get(&assembler->by_key, record_key(record));
        if (event && !event_is_of(event, record)) {
                /* Another event with the same key, by chance or by design: it has waited long enough. */
                complete(assembler, event, true);
                event = NULL;
        }
        return event;
}

static bool is_remembered(const AuditAssembler *assembler, const AuditRecord *record) {
        uint64_t key = record_key(record);

        return assembler->remembered[key % AUDIT_ASSEMBLER_REMEMBERED] == key;
}

/* Adds to the event; one that is full is completed first when the record is a denial or a domain. */
static AuditEvent *add(AuditAssembler *assembler, AuditEvent *event, const AuditRecord *record, uint64_t now_usec) {
        int r = append(event, record);

        if (r == -E2BIG) {
                assembler->counters->audit_oversized++;
                if (!is_landlock(record->type)) {
                        event->incomplete = true;
                        return event;
                }
                complete(assembler, event, true);
                event = open_event(assembler, record, now_usec);
                r = event ? append(event, record) : -ENOMEM;
        }
        if (r < 0) {
                assembler->counters->facts_dropped++;
                if (event)
                        event->incomplete = true;
        }
        return event;
}

void audit_assembler_feed(AuditAssembler *assembler, const AuditRecord *record, uint64_t now_usec) {
        AuditEvent *event;

        audit_assembler_expire(assembler, now_usec);

        event = find_event(assembler, record);
        if (!event) {
                if (!is_landlock(record->type))
                        return;
                if (is_remembered(assembler, record)) {
                        assembler->counters->audit_duplicates++;
                        return;
                }
                event = open_event(assembler, record, now_usec);
                if (!event) {
                        assembler->counters->facts_dropped++;
                        return;
                }
        }
        assembler->last = event;
        assembler->counters->audit_records++;

        if (is_single(record->type) && event_has(event, record->type)) {
                assembler->counters->audit_duplicates++;
                return;
        }
        if (record->type != AUDIT_RECORD_EOE)
                event = add(assembler, event, record, now_usec);
        assembler->last = event;
        if (!event)
                return;

        if (is_deallocation(record)) {
                complete_domain(assembler, record);
                complete(assembler, event, false);
        } else if (record->type == AUDIT_RECORD_PROCTITLE || record->type == AUDIT_RECORD_EOE) {
                assembler->remembered[event->key % AUDIT_ASSEMBLER_REMEMBERED] = event->key;
                complete(assembler, event, false);
        }
}

void audit_assembler_expire(AuditAssembler *assembler, uint64_t now_usec) {
        AuditEvent *event;

        while ((event = TAILQ_FIRST(&assembler->open)) && (event->deadline_usec <= now_usec || now_usec == UINT64_MAX))
                complete(assembler, event, true);
}
