/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts the records of one Landlock event together.
 *
 * The kernel numbers every event; records of several events interleave, those of one stay in order. A Landlock
 * record is written when the access is denied, SYSCALL and its companions when the system call returns, and
 * PROCTITLE and EOE last (audit_log_exit() in kernel/auditsc.c). From that follows:
 *   - only a Landlock record opens an event: everything else without one is none of our business;
 *   - PROCTITLE or EOE completes it (auditd's log has no EOE), a deallocation is complete by itself;
 *   - a task without an audit context (made before audit was first enabled) has no SYSCALL at all, so a deadline
 *     completes what nothing else does, and a domain's deallocation completes what is still open of that domain.
 * At the caps the oldest open event is completed as it stands: nothing that was read is dropped but what exceeds
 * one event's size without being a denial. */
#pragma once

#include <sys/queue.h>

#include "base/id-map.h"
#include "model/counters.h"
#include "source/audit-record.h"

#define AUDIT_EVENT_RECORDS_MAX 512
#define AUDIT_EVENT_BYTES_MAX (64 * 1024)
#define AUDIT_ASSEMBLER_OPEN_MAX 1024

typedef struct AuditEventRecord {
        uint16_t type;
        uint32_t offset, len; /* of its body in the event's bytes */
} AuditEventRecord;

typedef struct AuditEvent AuditEvent;
struct AuditEvent {
        uint32_t serial;
        uint64_t time_usec;
        Text node;
        bool incomplete; /* records may be missing */
        AuditEventRecord *records;
        size_t n_records, records_size;
        char *bytes;
        size_t n_bytes, bytes_size;
        uint64_t deadline_usec;
        uint64_t key;
        TAILQ_ENTRY(AuditEvent) entry;
};

typedef TAILQ_HEAD(AuditEventList, AuditEvent) AuditEventList;

/* Gets each event once, borrowed for the call. */
typedef void (*AuditEventFn)(void *userdata, const AuditEvent *event);

/* Completed events are remembered, so that a log read twice in a row does not count twice. */
#define AUDIT_ASSEMBLER_REMEMBERED 1024

typedef struct AuditAssembler {
        IdMap by_key;
        AuditEventList open; /* by deadline */
        size_t n_open;
        AuditEventList spare; /* for reuse */
        size_t n_spare;
        AuditEvent *last; /* the open event of the previous record */
        uint64_t remembered[AUDIT_ASSEMBLER_REMEMBERED];
        uint64_t timeout_usec;
        AuditEventFn fn;
        void *userdata;
        Counters *counters; /* borrowed */
} AuditAssembler;

/* timeout_usec: how long after its first record an event waits for the others. */
void audit_assembler_init(AuditAssembler *assembler, uint64_t timeout_usec, AuditEventFn fn, void *userdata,
                          Counters *counters);
void audit_assembler_done(AuditAssembler *assembler);

/* now_usec: any clock that does not go back, the same for all calls. */
void audit_assembler_feed(AuditAssembler *assembler, const AuditRecord *record, uint64_t now_usec);

/* Completes what is overdue; UINT64_MAX completes everything. */
void audit_assembler_expire(AuditAssembler *assembler, uint64_t now_usec);

static inline bool audit_assembler_idle(const AuditAssembler *assembler) {
        return assembler->n_open == 0;
}

static inline Text audit_event_body(const AuditEvent *event, const AuditEventRecord *record) {
        /* Of records without a byte there is no block. */
        return (Text) { event->bytes ? event->bytes + record->offset : "", record->len };
}
