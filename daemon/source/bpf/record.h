/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the BPF programs tell landlockd. Both sides are built from this file, for the same machine. */
#pragma once

#include <stdint.h>

#define BPF_RECORD_COMM_SIZE 16
#define BPF_RECORD_PATH_SIZE 4096
#define BPF_RECORD_CGROUP_SIZE 1024

typedef enum BpfRecordType {
        BPF_RECORD_DOMAIN,
        BPF_RECORD_THREAD,
        BPF_RECORD_CREDENTIAL,
        BPF_RECORD_RESTRICTED,
        BPF_RECORD_INSIDE,
        BPF_RECORD_DENIED,
        BPF_RECORD_COUNTED,
        BPF_RECORD_FREED,
        BPF_RECORD_MEMBER,
        BPF_RECORD_RULES,
        BPF_RECORD_EXITING,
} BpfRecordType;

/* The beginning of each record. */
typedef struct BpfRecord {
        uint32_t type;
        uint32_t size; /* with this; a multiple of eight */
} BpfRecord;

typedef struct BpfDomainRecord {
        BpfRecord record;
        uint64_t id;
        uint64_t parent; /* 0: none */
        uint64_t n_denials;
        uint64_t counted; /* its denials are: those of a domain that logs none are not */
        uint64_t handled_fs, handled_net, scoped;
        int32_t creator_pid;
        uint32_t creator_uid;
        char creator_comm[BPF_RECORD_COMM_SIZE];
        char creator_exe[BPF_RECORD_PATH_SIZE]; /* as many bytes as it takes, with the NUL */
} BpfDomainRecord;

typedef struct BpfThreadRecord {
        BpfRecord record;
        uint64_t domain; /* the innermost; 0: none */
        int32_t tid, pid;
        uint32_t uid;
        char comm[BPF_RECORD_COMM_SIZE];
        uint32_t reserved;
} BpfThreadRecord;

/* A thread by which a domain that it lives in can be recognised. */
typedef struct BpfMemberRecord {
        BpfRecord record;
        uint64_t domain;
        char comm[BPF_RECORD_COMM_SIZE];
        uint32_t n_cgroup;
        uint32_t reserved;
        char cgroup[BPF_RECORD_CGROUP_SIZE]; /* components of its path, the innermost first, each with a NUL; n_cgroup bytes */
} BpfMemberRecord;

/* What a domain itself allows on a file, with what is in it, or on a port. */
typedef struct BpfRule {
        uint64_t key;    /* inode number, or port in network byte order */
        uint32_t access; /* of the rights that the domain handles */
        uint32_t number; /* from 1 */
        uint32_t dev;    /* as the kernel has it inside */
        uint32_t is_port;
} BpfRule;

#define BPF_RECORD_RULES_MAX 1024

typedef struct BpfRulesRecord {
        BpfRecord record;
        uint64_t domain;
        uint32_t n_all;
        uint32_t n_rules;
        BpfRule rules[BPF_RECORD_RULES_MAX]; /* n_rules of them */
} BpfRulesRecord;

/* What would be Landlock's part of a credential at the offset that is being tried. */
typedef struct BpfCredentialRecord {
        BpfRecord record;
        uint64_t domain_address;
        uint16_t domain_exec;
        uint16_t log_subdomains_off;
        uint32_t reserved;
} BpfCredentialRecord;

/* BPF_RECORD_RESTRICTED: the running thread gets into a domain that its process has just made. BPF_RECORD_INSIDE: it is
 * in one, or in one nested in it, since when is not known. */
typedef struct BpfRestrictionRecord {
        BpfRecord record;
        uint64_t time_ns; /* boot clock */
        BpfThreadRecord thread;
        int32_t creator_tid;
        uint32_t n_threads; /* of its process */
        uint32_t process_wide;
        uint32_t no_new_privs;
        BpfDomainRecord domain; /* as many bytes as it takes */
} BpfRestrictionRecord;

/* BPF_RECORD_EXITING: a thread that is in a domain, for the last time. */
typedef struct BpfExitRecord {
        BpfRecord record;
        uint64_t time_ns;
        BpfThreadRecord thread;
} BpfExitRecord;

/* BPF_RECORD_COUNTED: a thread that lived in it has ended. BPF_RECORD_FREED: it has ended itself. */
typedef struct BpfCountRecord {
        BpfRecord record;
        uint64_t time_ns;
        uint64_t domain;
        uint64_t n_denials;
        uint64_t counted; /* as in BpfDomainRecord */
} BpfCountRecord;

#define BPF_RECORD_NAME_SIZE 256

/* Which members of a denial's object are known. */
typedef enum BpfObject {
        BPF_OBJECT_NONE,
        BPF_OBJECT_FILE,   /* dev, ino, ioctl_cmd, name */
        BPF_OBJECT_INET,   /* family, ports, addresses */
        BPF_OBJECT_SOCKET, /* name: an abstract one, with its first NUL */
        BPF_OBJECT_THREAD, /* other */
} BpfObject;

typedef struct BpfDenialRecord {
        BpfRecord record;
        uint64_t time_ns;
        uint64_t domain;
        uint64_t access; /* the rights that were missing, if the request is about rights */
        BpfThreadRecord thread; /* that was running */
        uint16_t request;       /* enum landlock_request_type */
        uint16_t same_exec;
        uint16_t is_subject;    /* the thread is the one that was denied, and is in the domain */
        uint16_t is_silent;     /* the domain does not want it logged */
        uint16_t object;        /* BpfObject */
        uint16_t has_inode, has_ioctl_cmd;
        uint16_t ioctl_cmd;
        uint32_t dev; /* as the kernel has it inside */
        uint16_t family;
        uint16_t local_port, remote_port; /* network byte order; 0: not told */
        uint16_t n_name;
        uint32_t reserved;
        uint64_t ino;
        uint8_t local_address[16], remote_address[16]; /* network byte order; all 0: not told */
        BpfThreadRecord other;
        char name[BPF_RECORD_NAME_SIZE]; /* n_name bytes, and what it takes to a multiple of eight */
} BpfDenialRecord;
