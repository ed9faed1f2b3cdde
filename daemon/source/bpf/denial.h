/* SPDX-License-Identifier: GPL-2.0-only */
/* What landlock_log_denial() of the kernel is called with, before Linux 7.3 tells it by trace events: which domain denied
 * which rights on what. The kernel finds that out itself, but after the place where a program can be attached. */
#pragma once

#include "source/bpf/domain.h"

/* The layer, from 0 for the outermost, and the rights that it denies. */
typedef struct Refusal {
        uint32_t layer;
        uint32_t access;
} Refusal;

/* The innermost layer of those that deny any of the rights, by layer: Linux 7.2. */
static __always_inline void refuse_by_layer(const void *masks, uint32_t access, Refusal *refusal) {
        for (uint32_t i = 0; i < LANDLOCK_MAX_NUM_LAYERS; i++) {
                const struct layer_mask *mask = masks + i * bpf_core_type_size(struct layer_mask);
                uint32_t denied = BPF_CORE_READ_BITFIELD_PROBED(mask, access) & access;

                if (denied)
                        *refusal = (Refusal) { i, denied };
        }
}

/* The same without bit fields: Linux 7.0. */
static __always_inline void refuse_by_layer_7_0(const void *masks, uint32_t access, Refusal *refusal) {
        uint32_t size = bpf_core_type_size(struct layer_access_masks) / LANDLOCK_MAX_NUM_LAYERS;

        for (uint32_t i = 0; i < LANDLOCK_MAX_NUM_LAYERS; i++) {
                uint32_t denied = 0;

                /* Two or four bytes; only little-endian machines have the lower ones first. */
                if (size == sizeof(uint16_t)) {
                        uint16_t denied_16 = 0;

                        bpf_probe_read_kernel(&denied_16, sizeof(denied_16), masks + i * sizeof(denied_16));
                        denied = denied_16;
                } else
                        bpf_probe_read_kernel(&denied, sizeof(denied), masks + i * sizeof(denied));
                if (denied & access)
                        *refusal = (Refusal) { i, denied & access };
        }
}

/* The number of the highest of 16 bits. Not by __builtin_clz(), on which old compilers for BPF crash. */
static __always_inline uint32_t highest_bit(uint32_t bits) {
        uint32_t number = 0;

        for (uint32_t half = 8; half > 0; half /= 2) {
                uint32_t step = half * (bits >> half != 0);

                bits >>= step;
                number += step;
        }
        return number;
}

#define RIGHTS_MAX 16

/* By right, the layers in which it is missing, a bit for each: up to Linux 6.19. */
static __always_inline void refuse_by_right(const void *masks, uint64_t n_masks, uint32_t access, Refusal *refusal) {
        uint16_t layers[RIGHTS_MAX] = {};
        uint32_t all = 0;

        if (n_masks > RIGHTS_MAX)
                n_masks = RIGHTS_MAX;
        bpf_probe_read_kernel(layers, n_masks * sizeof(*layers), masks);
        for (uint32_t right = 0; right < RIGHTS_MAX; right++)
                all |= layers[right] * (access >> right & 1);
        if (!all)
                return;
        *refusal = (Refusal) { .layer = highest_bit(all) };
        for (uint32_t right = 0; right < RIGHTS_MAX; right++)
                refusal->access |= (layers[right] >> refusal->layer & access >> right & 1) << right;
}

/* As many as deny_masks, a byte, has room for. */
#define OPTIONAL_RIGHTS_MAX 2

/* What was decided when the file was opened: for each of the optional rights the layer, four bits. */
static __always_inline void refuse_optional(uint32_t layers, uint32_t optional, uint32_t access, Refusal *refusal) {
        *refusal = (Refusal) {};
        for (uint32_t i = 0; i < OPTIONAL_RIGHTS_MAX; i++) {
                uint32_t right = optional & -optional, layer = layers % LANDLOCK_MAX_NUM_LAYERS;

                optional &= ~right;
                layers /= LANDLOCK_MAX_NUM_LAYERS;
                if (!(access & right) || layer < refusal->layer)
                        continue;
                if (layer > refusal->layer)
                        *refusal = (Refusal) { .layer = layer };
                refusal->access |= right;
        }
}

static __always_inline void refuse_rights(const struct landlock_request *request, uint32_t access, Refusal *refusal) {
        const void *masks = NULL;

        if (bpf_core_field_exists(struct landlock_request, layer_masks))
                masks = BPF_CORE_READ(request, layer_masks);
        else if (bpf_core_field_exists(struct landlock_request___7_0, masks))
                masks = BPF_CORE_READ((const struct landlock_request___7_0 *) request, masks);

        if (!masks)
                refuse_optional(BPF_CORE_READ(request, deny_masks), BPF_CORE_READ(request, all_existing_optional_access),
                                access, refusal);
        else if (bpf_core_type_exists(struct layer_masks))
                refuse_by_layer(masks, access, refusal);
        else if (bpf_core_type_exists(struct layer_access_masks))
                refuse_by_layer_7_0(masks, access, refusal);
        else
                refuse_by_right(masks, BPF_CORE_READ((const struct landlock_request___by_right *) request, layer_masks_size),
                                access, refusal);
}

/* Requests that are not about rights name the layer. */
static __always_inline void get_refusal(const struct landlock_request *request, uint32_t n_layers, Refusal *refusal) {
        uint32_t layer_plus_one = BPF_CORE_READ(request, layer_plus_one), access = BPF_CORE_READ(request, access);

        *refusal = (Refusal) { .layer = (layer_plus_one ?: n_layers) - 1 };
        if (access)
                refuse_rights(request, access, refusal);
}

/* NULL if the domain does not have that many. */
static __always_inline const struct landlock_hierarchy *layer_of(const Layers *layers, uint32_t layer) {
        const struct landlock_hierarchy *hierarchy = layers->innermost;

        for (uint32_t i = 0; hierarchy && i < LANDLOCK_MAX_NUM_LAYERS; i++) {
                if (layer + i + 1 >= layers->n)
                        break;
                hierarchy = BPF_CORE_READ(hierarchy, parent);
        }
        return layer < layers->n ? hierarchy : NULL;
}

/* The name is left out while it is being changed. */
static __always_inline void fill_name(BpfDenialRecord *record, const struct dentry *dentry) {
        unsigned int before = BPF_CORE_READ(dentry, d_seq.seqcount.sequence);
        long n = bpf_probe_read_kernel_str(record->name, sizeof(record->name), BPF_CORE_READ(dentry, d_name.name));

        if (n > 1 && before % 2 == 0 && BPF_CORE_READ(dentry, d_seq.seqcount.sequence) == before)
                record->n_name = n - 1;
}

static __always_inline void fill_file(BpfDenialRecord *record, const struct dentry *dentry) {
        const struct inode *inode = BPF_CORE_READ(dentry, d_inode);

        record->object = BPF_OBJECT_FILE;
        record->has_inode = !!inode;
        record->ino = BPF_CORE_READ(inode, i_ino);
        record->dev = BPF_CORE_READ(inode, i_sb, s_dev);
        fill_name(record, dentry);
}

static __always_inline void fill_abstract_name(BpfDenialRecord *record, const struct sock *socket) {
        const struct unix_address *address = BPF_CORE_READ((const struct unix_sock *) socket, addr);
        int64_t n = BPF_CORE_READ(address, len) - (int64_t) bpf_core_field_offset(struct sockaddr_un, sun_path);

        if (!address || n <= 0 || n > (int64_t) sizeof(((struct sockaddr_un *) NULL)->sun_path))
                return;
        if (bpf_probe_read_kernel(record->name, n, address->name[0].sun_path) == 0)
                record->n_name = n;
}

static __always_inline void fill_network(BpfDenialRecord *record, const struct lsm_network_audit *net) {
        record->family = BPF_CORE_READ(net, family);
        record->local_port = BPF_CORE_READ(net, sport);
        record->remote_port = BPF_CORE_READ(net, dport);
        if (record->request == LANDLOCK_REQUEST_SCOPE_ABSTRACT_UNIX_SOCKET) {
                record->object = BPF_OBJECT_SOCKET;
                fill_abstract_name(record, BPF_CORE_READ(net, sk));
                return;
        }

        record->object = BPF_OBJECT_INET;
        if (record->family == AF_INET) {
                BPF_CORE_READ_INTO((uint32_t *) record->local_address, net, fam.v4.saddr);
                BPF_CORE_READ_INTO((uint32_t *) record->remote_address, net, fam.v4.daddr);
        } else if (record->family == AF_INET6) {
                bpf_core_read(record->local_address, sizeof(record->local_address), &net->fam.v6.saddr);
                bpf_core_read(record->remote_address, sizeof(record->remote_address), &net->fam.v6.daddr);
        }
}

static __always_inline void fill_other(BpfDenialRecord *record, const struct task_struct *task) {
        const void *domain = domain_of(task);
        Layers layers = {};

        if (domain)
                get_layers(domain, &layers);
        record->object = BPF_OBJECT_THREAD;
        fill_thread(&record->other, task, innermost_id(&layers));
}

static __always_inline void fill_object(BpfDenialRecord *record, const struct landlock_request *request) {
        const struct common_audit_data *data = &request->audit;

        switch (BPF_CORE_READ(data, type)) {
        case LSM_AUDIT_DATA_PATH:
                fill_file(record, BPF_CORE_READ(data, u.path.dentry));
                break;
        case LSM_AUDIT_DATA_FILE:
                fill_file(record, BPF_CORE_READ(data, u.file, f_path.dentry));
                break;
        case LSM_AUDIT_DATA_IOCTL_OP:
                fill_file(record, BPF_CORE_READ(data, u.op, path.dentry));
                record->has_ioctl_cmd = true;
                record->ioctl_cmd = BPF_CORE_READ(data, u.op, cmd);
                break;
        case LSM_AUDIT_DATA_DENTRY:
                fill_file(record, BPF_CORE_READ(data, u.dentry));
                break;
        case LSM_AUDIT_DATA_NET:
                fill_network(record, BPF_CORE_READ(data, u.net));
                break;
        case LSM_AUDIT_DATA_TASK:
                fill_other(record, BPF_CORE_READ(data, u.tsk));
                break;
        }
}
