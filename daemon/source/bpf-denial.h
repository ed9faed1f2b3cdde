/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A denial as a BPF program tells it → a Denial. */
#pragma once

#include <netinet/in.h>

#include "model/access.h"
#include "model/denial.h"
#include "source/bpf/record.h"

/* Room for texts that are not in the record. */
typedef struct BpfDenialTexts {
        char blockers[ACCESS_OTHER_SIZE];
        char local_address[INET6_ADDRSTRLEN], remote_address[INET6_ADDRSTRLEN];
} BpfDenialTexts;

/* Borrows the texts of both. `time_usec` is realtime. */
Denial bpf_denial_decode(const BpfDenialRecord *record, uint64_t time_usec, BpfDenialTexts *texts);
