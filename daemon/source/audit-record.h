/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One audit record as text: header and fields. Pure functions on untrusted bytes.
 *
 * The format is the kernel's (kernel/audit.c): `audit(SECONDS.MILLISECONDS:SERIAL): key=value key=value …`.
 * A string that someone else chose stands in double quotes when it is plain, else in hex without quotes
 * (audit_log_untrustedstring()); so quoted means literal and unquoted means hex. */
#pragma once

#include "base/text.h"

/* Types as in include/uapi/linux/audit.h; libaudit of 2025 does not know the Landlock ones. */
typedef enum AuditRecordType {
        AUDIT_RECORD_SYSCALL = 1300,
        AUDIT_RECORD_PATH = 1302,
        AUDIT_RECORD_CWD = 1307,
        AUDIT_RECORD_EOE = 1320,
        AUDIT_RECORD_PROCTITLE = 1327,
        AUDIT_RECORD_URINGOP = 1336,
        AUDIT_RECORD_LANDLOCK_ACCESS = 1423,
        AUDIT_RECORD_LANDLOCK_DOMAIN = 1424,
} AuditRecordType;

typedef struct AuditRecord {
        uint16_t type;
        uint32_t serial;
        uint64_t time_usec; /* realtime */
        Text node;          /* the host that a collected log names; unknown for this host's own */
        Text body;          /* after the header */
} AuditRecord;

typedef struct AuditField {
        Text key;
        Text value; /* without its quotes */
        bool quoted;
} AuditField;

/* Reads the header of a record's text, as netlink delivers it or as a log has it after `msg=`.
 * node and type are left alone. -EBADMSG. */
int audit_record_parse(Text text, AuditRecord *ret);

/* Cuts the next field off the front of *body. False at the end. Words without `=` belong to the value before
 * them: some security modules' labels have spaces. */
bool audit_field_next(Text *body, AuditField *ret);

/* The bytes of a string field. Hex is decoded into *buffer, which moves past what it used (at most half the
 * length of the value). TEXT_NULL for `(null)` and for what is neither quoted nor hex. */
Text audit_field_string(const AuditField *field, char **buffer);
