/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/bpf-fact.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/macros.h"

/* include/linux/kdev_t.h */
#define DEV_MINOR_BITS 20

/* The kernel fills the rest with NULs; a text without any is as long as there is room. */
static Text bounded(const char *data, size_t size) {
        return (Text) { data, strnlen(data, size) };
}

Text bpf_fact_comm(const char *comm) {
        return bounded(comm, BPF_RECORD_COMM_SIZE);
}

/* What the kernel wrote from the inside out, each component with a NUL behind it, has a slash before it in the path. */
Text bpf_fact_cgroup(const BpfMemberRecord *record, char *buffer) {
        size_t n = MIN(record->n_cgroup, sizeof(record->cgroup)), at = n;
        Text rest = { record->cgroup, n }, component;

        while (rest.len > 0 && text_split(&rest, '\0', &component)) {
                if (component.len + 1 > at)
                        break;
                at -= component.len + 1;
                buffer[at] = '/';
                memcpy(buffer + at + 1, component.data, component.len);
        }
        return (Text) { buffer + at, n - at };
}

static DomainDescription describe_domain(const BpfDomainRecord *record) {
        size_t n_exe = record->record.size - offsetof(BpfDomainRecord, creator_exe);

        return (DomainDescription) {
                .domain = record->id,
                .mode = DOMAIN_MODE_ENFORCING, /* there is no other */
                .creator_pid = record->creator_pid,
                .creator_uid = record->creator_uid,
                .has_creator_pid = record->creator_pid > 0,
                .has_creator_uid = record->creator_pid > 0,
                .creator_comm = record->creator_pid > 0 ? bounded(record->creator_comm, sizeof(record->creator_comm)) : TEXT_NULL,
                .creator_exe = n_exe > 0 ? bounded(record->creator_exe, n_exe) : TEXT_NULL,
        };
}

Fact bpf_fact_domain_seen(const BpfDomainRecord *record, uint64_t time_usec) {
        return (Fact) {
                .type = FACT_DOMAIN_SEEN,
                .origins = ORIGIN_BPF,
                .time_usec = time_usec,
                .sight = {
                        .parent = record->parent,
                        .described = describe_domain(record),
                        .n_denials = record->n_denials,
                        .handled.bits = {
                                [ACCESS_FS] = record->handled_fs,
                                [ACCESS_NET] = record->handled_net,
                                [ACCESS_SCOPE] = record->scoped,
                        },
                        .has_parent = true,
                        .has_n_denials = record->counted,
                        .has_handled = true,
                },
        };
}

static TaskDescription describe_task(const BpfThreadRecord *record) {
        return (TaskDescription) {
                .tid = record->tid,
                .pid = record->pid,
                .uid = record->uid,
                .has_pid = true,
                .has_uid = true,
                .comm = bounded(record->comm, sizeof(record->comm)),
        };
}

Fact bpf_fact_task_seen(const BpfThreadRecord *record, uint64_t time_usec) {
        return (Fact) {
                .type = FACT_TASK_SEEN,
                .origins = ORIGIN_BPF,
                .time_usec = time_usec,
                .seen = { .domain = record->domain, .task = describe_task(record), .attribution = ATTRIBUTION_KERNEL },
        };
}

static Rule describe_rule(const BpfRule *rule) {
        if (rule->is_port)
                return (Rule) {
                        .version = rule->number,
                        .kind = RULE_NET_PORT,
                        .access = rule->access,
                        .port = ntohs(rule->key),
                };
        return (Rule) {
                .version = rule->number,
                .kind = RULE_PATH_BENEATH,
                .access = rule->access,
                .dev_major = rule->dev >> DEV_MINOR_BITS,
                .dev_minor = rule->dev & ((1U << DEV_MINOR_BITS) - 1),
                .ino = rule->key,
        };
}

Fact bpf_fact_rule(uint64_t domain, const BpfRule *rule, uint64_t time_usec) {
        return (Fact) {
                .type = FACT_RULE_ADDED,
                .origins = ORIGIN_BPF,
                .time_usec = time_usec,
                .rule_added = { domain, describe_rule(rule) },
        };
}

Fact bpf_fact_has_rules(const BpfRulesRecord *record, uint64_t time_usec) {
        return (Fact) {
                .type = FACT_DOMAIN_SEEN,
                .origins = ORIGIN_BPF,
                .time_usec = time_usec,
                .sight = {
                        .described.domain = record->domain,
                        .ruleset = record->domain,
                        .ruleset_version = record->n_all,
                        .has_ruleset = true,
                },
        };
}

Fact bpf_fact_rules_complete(const BpfRulesRecord *record, uint64_t time_usec) {
        return (Fact) {
                .type = FACT_RULESET_FREED,
                .origins = ORIGIN_BPF,
                .time_usec = time_usec,
                .ruleset_freed = { record->domain, record->n_all },
        };
}

/* Only the process of the thread that gets into a domain can have made it. */
static TaskDescription describe_entrant(const BpfRestrictionRecord *record) {
        TaskDescription task = describe_task(&record->thread);

        task.exe = describe_domain(&record->domain).creator_exe;
        return task;
}

Fact bpf_fact_domain_created(const BpfRestrictionRecord *record, uint64_t time_usec) {
        TaskDescription creator = describe_entrant(record);

        creator.tid = record->creator_tid;
        creator.comm = bounded(record->domain.creator_comm, sizeof(record->domain.creator_comm));
        return (Fact) {
                .type = FACT_DOMAIN_CREATED,
                .origins = ORIGIN_BPF,
                .time_usec = time_usec,
                .created = { .domain = record->domain.id, .parent = record->domain.parent, .creator = creator },
        };
}

Fact bpf_fact_domain_enforced(const BpfRestrictionRecord *record, uint64_t time_usec) {
        return (Fact) {
                .type = FACT_DOMAIN_ENFORCED,
                .origins = ORIGIN_BPF,
                .time_usec = time_usec,
                .enforced = {
                        .domain = record->domain.id,
                        .task = describe_entrant(record),
                        .process_wide = record->process_wide,
                        .no_new_privs = record->no_new_privs,
                },
        };
}

Fact bpf_fact_domain_counted(const BpfCountRecord *record, uint64_t time_usec) {
        return (Fact) {
                .type = FACT_DOMAIN_COUNTED,
                .origins = ORIGIN_BPF,
                .time_usec = time_usec,
                .counted = { record->domain, record->n_denials },
        };
}

Fact bpf_fact_domain_freed(const BpfCountRecord *record, uint64_t time_usec) {
        return (Fact) {
                .type = FACT_DOMAIN_FREED,
                .origins = ORIGIN_BPF,
                .time_usec = time_usec,
                .freed = {
                        .domain = record->domain,
                        .n_denials = record->n_denials,
                        .has_n_denials = record->counted,
                },
        };
}
