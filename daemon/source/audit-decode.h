/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A complete audit event → Facts: domains described, accesses denied, domains freed, in this order. */
#pragma once

#include "model/fact.h"
#include "source/audit-assembler.h"

/* Hex strings are decoded here: those of one domain record, or those that denials share and those of one denial.
 * Either takes at most half of an event's bytes. */
typedef struct AuditDecoder {
        char decoded[AUDIT_EVENT_BYTES_MAX / 2];
        char *free; /* first unused byte of `decoded` */
        DenialPath paths[DENIAL_PATHS_MAX];
        uint64_t arch;   /* of the cached names below */
        int64_t syscall;
        Text arch_name, syscall_name;
        FactSink sink;
        Counters *counters; /* borrowed */
} AuditDecoder;

void audit_decoder_init(AuditDecoder *decoder, FactSink sink, Counters *counters);

/* Records that cannot be understood are counted and skipped. */
void audit_decoder_feed(AuditDecoder *decoder, const AuditEvent *event);
