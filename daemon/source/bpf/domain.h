/* SPDX-License-Identifier: GPL-2.0-only */
/* From a thread to its domain, in both generations of Landlock's structures. */
#pragma once

#include "source/bpf/kernel.h"

#include "source/bpf/record.h"

/* Where Landlock's part of a credential begins: landlock_blob_sizes.lbs_cred of the kernel. landlockd finds it. */
uint32_t credential_offset;

/* The layers of a domain. Each is a domain of its own: the last one that which a thread is said to live in. */
typedef struct Layers {
        const struct landlock_hierarchy *innermost;
        const void *masks; /* struct access_masks of each */
        uint32_t n;
} Layers;

/* The objective credential is the one that tells what a thread is: restricting itself changes both. The subjective one
 * may be another's for a moment, such as while an overlay file system acts for who mounted it. */
static __always_inline const struct landlock_cred_security *credential_of(const struct task_struct *task) {
        const void *blob = BPF_CORE_READ(task, real_cred, security);

        return blob ? blob + credential_offset : NULL;
}

/* NULL if it lives in none. */
static __always_inline const void *domain_of(const struct task_struct *task) {
        const struct landlock_cred_security *credential = credential_of(task);

        return credential ? BPF_CORE_READ(credential, domain) : NULL;
}

static __always_inline void get_layers(const void *address, Layers *layers) {
        if (bpf_core_type_exists(struct landlock_domain)) {
                const struct landlock_domain *domain = address;

                layers->innermost = BPF_CORE_READ(domain, hierarchy);
                layers->n = BPF_CORE_READ(domain, num_layers);
                layers->masks = address + bpf_core_field_offset(domain->handled_masks);
        } else {
                const struct landlock_ruleset___domain *domain = address;

                layers->innermost = BPF_CORE_READ(domain, hierarchy);
                layers->n = BPF_CORE_READ(domain, num_layers);
                layers->masks = address + bpf_core_field_offset(domain->access_masks);
        }
}

/* 0 if there are none. */
static __always_inline uint64_t innermost_id(const Layers *layers) {
        const struct landlock_hierarchy *hierarchy = layers->innermost;

        return hierarchy ? BPF_CORE_READ(hierarchy, id) : 0;
}

static __always_inline void fill_handled(BpfDomainRecord *record, const void *masks, uint32_t layer) {
        const struct access_masks *handled = masks + layer * bpf_core_type_size(struct access_masks);

        record->handled_fs = BPF_CORE_READ_BITFIELD_PROBED(handled, fs);
        record->handled_net = BPF_CORE_READ_BITFIELD_PROBED(handled, net);
        record->scoped = BPF_CORE_READ_BITFIELD_PROBED(handled, scope);
}

/* Returns the size of its path with the NUL; 0 if nothing is known of who made it. */
static __always_inline uint64_t fill_creator(BpfDomainRecord *record, const struct landlock_hierarchy *hierarchy) {
        const struct landlock_details *details = BPF_CORE_READ(hierarchy, details);
        long n;

        record->creator_pid = BPF_CORE_READ(details, pid, numbers[0].nr);
        record->creator_uid = BPF_CORE_READ(details, uid);
        BPF_CORE_READ_INTO(&record->creator_comm, details, comm);
        n = bpf_probe_read_kernel_str(record->creator_exe, sizeof(record->creator_exe), details->exe_path);
        return details && n > 0 ? n : 0;
}

/* The kernel does not count the denials of a domain that logs none. */
static __always_inline bool is_counted(const struct landlock_hierarchy *hierarchy) {
        return BPF_CORE_READ(hierarchy, log_status) !=
                bpf_core_enum_value(enum landlock_log_status, LANDLOCK_LOG_DISABLED);
}

/* Returns the record's size. */
static __always_inline uint64_t fill_domain(BpfDomainRecord *record, const struct landlock_hierarchy *hierarchy,
                                            const Layers *layers, uint32_t layer) {
        uint64_t size = __builtin_offsetof(BpfDomainRecord, creator_exe);

        size += (fill_creator(record, hierarchy) + 7) & ~7;
        record->record.type = BPF_RECORD_DOMAIN;
        record->record.size = size;
        record->id = BPF_CORE_READ(hierarchy, id);
        record->parent = BPF_CORE_READ(hierarchy, parent, id);
        record->n_denials = BPF_CORE_READ(hierarchy, num_denials.counter);
        record->counted = is_counted(hierarchy);
        fill_handled(record, layers->masks, layer);
        return size;
}

static __always_inline void fill_thread(BpfThreadRecord *record, const struct task_struct *task, uint64_t domain) {
        record->record.type = BPF_RECORD_THREAD;
        record->record.size = sizeof(*record);
        record->domain = domain;
        record->tid = BPF_CORE_READ(task, pid);
        record->pid = BPF_CORE_READ(task, tgid);
        record->uid = BPF_CORE_READ(task, real_cred, uid.val);
        BPF_CORE_READ_INTO(&record->comm, task, comm);
        record->reserved = 0;
}
