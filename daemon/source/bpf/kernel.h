/* SPDX-License-Identifier: GPL-2.0-only */
/* What the BPF programs know of the kernel's structures: the members that they read, and no more. Where those are in
 * the running kernel is looked up in its BTF when the programs are loaded (CO-RE), so that one object serves all kernels
 * and none has to be there to build it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The names that libbpf's headers use. */
typedef uint8_t __u8;
typedef uint16_t __u16, __be16, __sum16;
typedef uint32_t __u32, __be32, __wsum;
typedef uint64_t __u64;
typedef int8_t __s8;
typedef int16_t __s16;
typedef int32_t __s32;
typedef int64_t __s64;

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>

/* include/uapi/linux/bpf.h */
enum { BPF_ANY = 0, BPF_RB_NO_WAKEUP = 1 };
enum { BPF_MAP_TYPE_HASH = 1, BPF_MAP_TYPE_PERCPU_ARRAY = 6, BPF_MAP_TYPE_LRU_HASH = 9, BPF_MAP_TYPE_RINGBUF = 27 };

/* include/linux/sched.h: of task_struct.flags */
#define PF_EXITING 0x00000004

/* security/landlock/limits.h */
#define LANDLOCK_MAX_NUM_LAYERS 16

/* include/linux/sched.h: the bit of task_struct.atomic_flags */
#define PFA_NO_NEW_PRIVS 0

/* include/uapi/linux/landlock.h, since Linux 7.0 */
#define LANDLOCK_RESTRICT_SELF_TSYNC (1U << 3)

/* include/linux/lsm_audit.h: common_audit_data.type */
#define LSM_AUDIT_DATA_PATH 1
#define LSM_AUDIT_DATA_NET 2
#define LSM_AUDIT_DATA_TASK 5
#define LSM_AUDIT_DATA_DENTRY 10
#define LSM_AUDIT_DATA_IOCTL_OP 11
#define LSM_AUDIT_DATA_FILE 12

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10

#define TASK_COMM_LEN 16

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
        int64_t counter;
} atomic64_t;

typedef struct {
        uint32_t val;
} kuid_t;

struct upid {
        int nr; /* numbers[0]: in the initial PID namespace */
};

struct pid {
        struct upid numbers[1];
};

struct cred {
        kuid_t uid;
        void *security;
};

struct signal_struct {
        int nr_threads;
};

struct css_set;

struct task_struct {
        unsigned int flags;
        int pid, tgid;
        unsigned long atomic_flags;
        struct signal_struct *signal;
        const struct cred *real_cred, *cred;
        const struct css_set *cgroups;
        char comm[TASK_COMM_LEN];
};

struct seq_file;

struct bpf_iter_meta {
        struct seq_file *seq;
};

struct bpf_iter__task {
        struct bpf_iter_meta *meta;
        struct task_struct *task;
};

/* The values are those of Linux 6.15, the sizes those of Linux 7.3; it is the running kernel's that count. */
struct access_masks {
        uint32_t fs : 17;
        uint32_t net : 4;
        uint32_t scope : 2;
};

enum landlock_log_status {
        LANDLOCK_LOG_PENDING,
        LANDLOCK_LOG_RECORDED,
        LANDLOCK_LOG_DISABLED,
};

struct landlock_details {
        struct pid *pid;
        uint32_t uid;
        char comm[TASK_COMM_LEN];
        char exe_path[1];
};

struct landlock_hierarchy {
        struct landlock_hierarchy *parent;
        atomic64_t num_denials;
        uint64_t id;
        const struct landlock_details *details;
        enum landlock_log_status log_status;
        uint32_t log_same_exec : 1;
        uint32_t log_new_exec : 1;
};

struct rb_node {
        unsigned long __rb_parent_color; /* the colour is in the two lowest bits */
        struct rb_node *rb_right, *rb_left;
};

struct rb_root {
        struct rb_node *rb_node;
};

struct landlock_object {
        void *underobj; /* struct inode; NULL: its file system is not mounted any more */
};

union landlock_key {
        struct landlock_object *object;
        unsigned long data; /* a port, in network byte order */
};

/* Their sizes are the running kernel's. */
struct landlock_layer {
        uint16_t level; /* from 1 */
        uint32_t access;
};

struct landlock_rule {
        struct rb_node node;
        union landlock_key key;
        uint32_t num_layers;
        struct landlock_layer layers[1];
};

struct landlock_rules {
        struct rb_root root_inode, root_net_port;
};

/* Linux 7.3 */
struct landlock_domain {
        struct landlock_rules rules;
        struct landlock_hierarchy *hierarchy;
        uint32_t num_layers;
        struct access_masks handled_masks[1];
};

/* Before it, a domain was a ruleset, too. */
struct landlock_ruleset___domain {
        struct rb_root root_inode, root_net_port;
        struct landlock_hierarchy *hierarchy;
        uint32_t num_layers;
        struct access_masks access_masks[1];
};

struct landlock_cred_security {
        void *domain;
        uint16_t domain_exec;
        uint8_t log_subdomains_off : 1;
} __attribute__((packed));

/* The control groups of a thread, one in each hierarchy. */

struct list_head {
        struct list_head *next;
};

struct kernfs_node {
        struct kernfs_node *__parent; /* NULL: of the root */
        const char *name;
};

struct cgroup_root {
        char name[64];
};

struct cgroup {
        int level; /* 0: the root */
        struct kernfs_node *kn;
        struct cgroup_root *root;
};

struct css_set {
        struct cgroup *dfl_cgrp; /* in the hierarchy of version 2 */
        struct list_head cgrp_links;
};

struct cgrp_cset_link {
        struct cgroup *cgrp;
        struct list_head cgrp_link;
};

/* What is denied; before Linux 7.3, which tells it by trace events. */

typedef struct seqcount {
        unsigned int sequence;
} seqcount_t;

typedef struct seqcount_spinlock {
        seqcount_t seqcount;
} seqcount_spinlock_t;

struct qstr {
        const unsigned char *name;
};

struct super_block {
        uint32_t s_dev;
};

struct inode {
        unsigned long i_ino;
        struct super_block *i_sb;
};

struct dentry {
        seqcount_spinlock_t d_seq;
        struct qstr d_name;
        struct inode *d_inode;
};

struct path {
        struct dentry *dentry;
};

struct file {
        struct path f_path;
};

struct lsm_ioctlop_audit {
        struct path path;
        uint16_t cmd;
};

struct sockaddr_un {
        char sun_path[108];
};

struct unix_address {
        int len;
        struct sockaddr_un name[1];
};

struct sock;

struct unix_sock {
        struct unix_address *addr;
};

struct in6_addr {
        uint8_t bytes[16];
};

struct lsm_network_audit {
        const struct sock *sk;
        uint16_t family;
        uint16_t dport, sport; /* network byte order */
        union {
                struct {
                        uint32_t daddr, saddr;
                } v4;
                struct {
                        struct in6_addr daddr, saddr;
                } v6;
        } fam;
};

struct common_audit_data {
        char type;
        union {
                struct path path;
                struct dentry *dentry;
                struct lsm_network_audit *net;
                struct task_struct *tsk;
                struct lsm_ioctlop_audit *op;
                const struct file *file;
        } u;
};

enum landlock_request_type {
        LANDLOCK_REQUEST_PTRACE = 1,
        LANDLOCK_REQUEST_FS_CHANGE_TOPOLOGY,
        LANDLOCK_REQUEST_FS_ACCESS,
        LANDLOCK_REQUEST_NET_ACCESS,
        LANDLOCK_REQUEST_SCOPE_ABSTRACT_UNIX_SOCKET,
        LANDLOCK_REQUEST_SCOPE_SIGNAL,
};

/* Linux 7.2: the rights that are missing, by layer. */
struct layer_mask {
        uint32_t access : 17;
};

struct layer_masks {
        struct layer_mask layers[LANDLOCK_MAX_NUM_LAYERS];
};

/* Linux 7.0 and 7.1 */
struct layer_access_masks {
        uint16_t access[LANDLOCK_MAX_NUM_LAYERS];
};

struct landlock_request {
        enum landlock_request_type type;
        struct common_audit_data audit;
        unsigned long layer_plus_one;
        uint32_t access;
        const struct layer_masks *layer_masks;
        uint32_t all_existing_optional_access;
        uint8_t deny_masks;
};

struct landlock_request___by_right {
        const uint16_t *layer_masks; /* up to Linux 6.19: the layers in which it is missing, by right */
        unsigned long layer_masks_size;
};

struct landlock_request___7_0 {
        const struct layer_access_masks *masks;
};

#pragma clang attribute pop
