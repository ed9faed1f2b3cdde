/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A record of a BPF program → a Fact, other than denials. Its texts are the record's. */
#pragma once

#include "model/fact.h"
#include "source/bpf/record.h"

/* The name that the kernel has in BPF_RECORD_COMM_SIZE bytes. */
Text bpf_fact_comm(const char *comm);

/* The path of its control group, of at most BPF_RECORD_CGROUP_SIZE bytes: "/system.slice/nginx.service"; empty: the root.
 * In `buffer`. */
Text bpf_fact_cgroup(const BpfMemberRecord *record, char *buffer);

/* `time_usec` is realtime. */
Fact bpf_fact_domain_seen(const BpfDomainRecord *record, uint64_t time_usec);
Fact bpf_fact_task_seen(const BpfThreadRecord *record, uint64_t time_usec);

/* A rule of a domain: in a ruleset that has the ID of its domain, since only what the domain has of it is known. IDs of
 * rulesets and domains are of one sequence. */
Fact bpf_fact_rule(uint64_t domain, const BpfRule *rule, uint64_t time_usec);

/* After the rules: that they are the domain's, and that there is nothing else that has them. */
Fact bpf_fact_has_rules(const BpfRulesRecord *record, uint64_t time_usec);
Fact bpf_fact_rules_complete(const BpfRulesRecord *record, uint64_t time_usec);

Fact bpf_fact_domain_created(const BpfRestrictionRecord *record, uint64_t time_usec);
Fact bpf_fact_domain_enforced(const BpfRestrictionRecord *record, uint64_t time_usec);
Fact bpf_fact_domain_counted(const BpfCountRecord *record, uint64_t time_usec);
Fact bpf_fact_domain_freed(const BpfCountRecord *record, uint64_t time_usec);
