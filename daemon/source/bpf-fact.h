/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A record of a BPF program → a Fact, other than denials. Its texts are the record's. */
#pragma once

#include "model/fact.h"
#include "source/bpf/record.h"

/* `time_usec` is realtime. */
Fact bpf_fact_domain_seen(const BpfDomainRecord *record, uint64_t time_usec);
Fact bpf_fact_task_seen(const BpfThreadRecord *record, uint64_t time_usec);
Fact bpf_fact_domain_created(const BpfRestrictionRecord *record, uint64_t time_usec);
Fact bpf_fact_domain_enforced(const BpfRestrictionRecord *record, uint64_t time_usec);
Fact bpf_fact_domain_counted(const BpfCountRecord *record, uint64_t time_usec);
Fact bpf_fact_domain_freed(const BpfCountRecord *record, uint64_t time_usec);
