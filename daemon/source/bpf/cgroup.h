/* SPDX-License-Identifier: GPL-2.0-only */
/* In which control group a thread is: the same one that /proc/PID/cgroup leads people to. To read it there for each of a
 * thousand domains takes longer than all the rest of a look. */
#pragma once

#include "source/bpf/domain.h"

/* More than there are in practice. */
#define CGROUP_DEPTH_MAX 32
#define HIERARCHIES_MAX 32

/* include/linux/limits.h: NAME_MAX, and a NUL */
#define CGROUP_NAME_SIZE 256

/* One thread of landlockd reads, so that there is one. */
static BpfMemberRecord member_record;

static __always_inline bool is_of_systemd(const struct cgroup *cgroup) {
        const char systemd[] = "systemd";
        char name[sizeof(systemd)] = {};
        bool same = true;

        BPF_CORE_READ_INTO(&name, cgroup, root, name);
        for (uint32_t i = 0; i < sizeof(name); i++)
                same &= name[i] == systemd[i];
        return same;
}

/* Where systemd has put the thread beside hierarchies of version 1; NULL if it does not use one. */
static __always_inline const struct cgroup *systemd_cgroup(const struct css_set *groups) {
        const struct list_head *list = (const void *) groups + bpf_core_field_offset(struct css_set, cgrp_links);
        const struct list_head *entry = BPF_CORE_READ(list, next);

        for (uint32_t i = 0; i < HIERARCHIES_MAX && entry && entry != list; i++) {
                const struct cgrp_cset_link *link = (const void *) entry - bpf_core_field_offset(struct cgrp_cset_link, cgrp_link);
                const struct cgroup *cgroup = BPF_CORE_READ(link, cgrp);

                if (is_of_systemd(cgroup))
                        return cgroup;
                entry = BPF_CORE_READ(entry, next);
        }
        return NULL;
}

/* Returns whether all of the path is there. */
static __always_inline bool fill_path(BpfMemberRecord *record, const struct cgroup *cgroup) {
        const struct kernfs_node *node = BPF_CORE_READ(cgroup, kn), *parent;
        uint32_t n = 0;
        long size;

        for (uint32_t i = 0; i < CGROUP_DEPTH_MAX; i++) {
                parent = BPF_CORE_READ(node, __parent);
                record->n_cgroup = n;
                if (!parent)
                        return true;
                barrier_var(n);
                if (n > sizeof(record->cgroup) - CGROUP_NAME_SIZE)
                        return false;
                size = bpf_probe_read_kernel_str(record->cgroup + n, CGROUP_NAME_SIZE, BPF_CORE_READ(node, name));
                if (size <= 1)
                        return false;
                n += size;
                node = parent;
        }
        return false;
}

/* Fills in member_record the path of who is in the groups at that address (struct css_set). Returns whether it is known. The
 * verifier looks at such a function once, wherever it is called. */
__noinline bool fill_cgroup(uint64_t address) {
        const struct css_set *groups = (const void *) address;
        const struct cgroup *cgroup;

        if (!bpf_core_field_exists(struct kernfs_node, __parent))
                return false;
        cgroup = BPF_CORE_READ(groups, dfl_cgrp);
        if (BPF_CORE_READ(cgroup, level) == 0)
                cgroup = systemd_cgroup(groups) ?: cgroup;
        return cgroup && fill_path(&member_record, cgroup);
}

/* Fills member_record. Returns the record's size; 0 if it is not known. The groups stay what they are while the thread is in
 * them. */
static __always_inline uint64_t fill_member(const struct task_struct *task, uint64_t domain) {
        const struct css_set *groups;

        if (!bpf_core_field_exists(struct task_struct, cgroups))
                return 0;
        groups = BPF_CORE_READ(task, cgroups);
        if (!fill_cgroup((uint64_t) groups) || BPF_CORE_READ(task, cgroups) != groups)
                return 0;
        member_record.record.type = BPF_RECORD_MEMBER;
        member_record.record.size = (__builtin_offsetof(BpfMemberRecord, cgroup) + member_record.n_cgroup + 7) & ~7;
        member_record.domain = domain;
        BPF_CORE_READ_INTO(&member_record.comm, task, comm);
        return member_record.record.size;
}
