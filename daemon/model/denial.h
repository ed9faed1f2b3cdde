/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One denied access: who was refused what, by which domain. Any part may be unknown. */
#pragma once

#include "base/macros.h"
#include "base/text.h"
#include "model/blocker.h"
#include "model/origin.h"

typedef enum ObjectKind {
        OBJECT_UNKNOWN,
        OBJECT_FILE,    /* path, name, dev, ino, ioctl_cmd */
        OBJECT_NETWORK, /* local and remote address and port */
        OBJECT_SOCKET,  /* path: a Unix socket; a first byte of NUL means abstract. pid, domain: its peer's */
        OBJECT_PROCESS, /* pid, comm, domain */
} ObjectKind;

/* "file"; static. */
const char *object_kind_to_string(ObjectKind kind);

/* What the access was to. Texts are raw kernel bytes. */
typedef struct DenialObject {
        ObjectKind kind;
        Text path;
        Text name; /* last component alone, where the kernel knows no path */
        Text dev;  /* the block device's name, or the file system's: "vda", "tmpfs" (audit) */
        uint32_t dev_major, dev_minor; /* (trace) */
        Text local_address, remote_address, interface;
        Text comm;
        uint64_t ino;
        int64_t pid;     /* thread group's */
        uint64_t domain; /* that the other party is in; 0: in none */
        uint32_t ioctl_cmd;
        uint16_t local_port, remote_port;
        bool has_dev_number, has_ino, has_pid, has_domain, has_ioctl_cmd, has_local_port, has_remote_port;
} DenialObject;

/* A numeric property of the thread that was denied; audit's name for it is the member's. */
#define SUBJECT_IDS(X) \
        X(pid)         \
        X(tid)         \
        X(ppid)        \
        X(auid)        \
        X(uid)         \
        X(gid)         \
        X(euid)        \
        X(suid)        \
        X(fsuid)       \
        X(egid)        \
        X(sgid)        \
        X(fsgid)       \
        X(ses)

typedef enum SubjectId {
#define X(name) SUBJECT_##name,
        SUBJECT_IDS(X)
#undef X
        SUBJECT_ID_MAX,
} SubjectId;

/* Who was denied. pid is the process (thread group), tid the thread, both in the initial PID namespace. */
typedef struct DenialSubject {
        int64_t ids[SUBJECT_ID_MAX];
        uint32_t known_ids; /* bit n: ids[n] is known */
        Text comm, exe, tty, label /* LSM */, key /* audit rule's */;
        Text cmdline; /* arguments, each ended by a NUL; may be cut by the kernel at 128 bytes */
        Text cwd;
} DenialSubject;

/* The system call in which it happened. */
typedef struct DenialSyscall {
        Text name, arch;
        int64_t number, exit; /* exit: the return value, -errno on failure */
        uint64_t audit_arch; /* AUDIT_ARCH_* of include/uapi/linux/audit.h */
        uint64_t args[4];
        bool known, success, has_success, has_exit, has_audit_arch, has_args;
} DenialSyscall;

/* A path that the system call named (audit's PATH record). */
typedef struct DenialPath {
        Text name, nametype, dev;
        uint64_t ino;
        uint32_t mode;
        bool has_ino, has_mode;
} DenialPath;

#define DENIAL_PATHS_MAX 8

typedef struct Denial {
        uint64_t seq;         /* its number, set by the denial log */
        uint64_t domain;      /* domain ID */
        uint64_t time_usec;   /* realtime */
        uint64_t event;       /* audit serial, 0 if none */
        unsigned origins;     /* ORIGIN_* */
        BlockerSet blockers;
        DenialObject object;
        DenialSubject subject;
        DenialSyscall syscall;
        const DenialPath *paths;
        size_t n_paths;
        unsigned n_paths_dropped; /* beyond DENIAL_PATHS_MAX */
        bool has_same_exec, has_logged;
        bool same_exec;           /* still the program that restricted itself, not one that it executed */
        bool logged;              /* to audit: the domain's log flags allow it */
        bool incomplete;          /* records of its event are missing: cut short by a deadline or a cap */
} Denial;

static inline bool denial_subject_id(const Denial *d, SubjectId id, int64_t *ret) {
        if (!(d->subject.known_ids & (UINT32_C(1) << id)))
                return false;
        *ret = d->subject.ids[id];
        return true;
}

/* Whether its thread is known to be in the domain that denied. It is not when another party's thread was the one that
 * ran: the child that asks to be traced, or whoever makes the kernel send a signal on behalf of its owner. */
bool denial_shows_membership(const Denial *denial);

/* Whether both are the same access refused by the same domain: its blockers and its object. Who tried, and when, may differ. */
bool denial_same_access(const Denial *a, const Denial *b);

/* Equal for those that are; nearly always different for others. */
uint64_t denial_access_hash(const Denial *denial);

/* A deep copy in one block; NULL on -ENOMEM. Its texts live as long as it does. */
Denial *denial_copy(const Denial *denial);
Denial *denial_free(Denial *denial);
DEFINE_CLEANUP(Denial *, denial_free);
