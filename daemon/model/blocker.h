/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can block an access, in the names of the kernel's audit log (security/landlock/audit.c and
 * Documentation/admin-guide/LSM/landlock.rst), whatever source reported it. */
#pragma once

#include "base/text.h"

/* File system and network rights stand in the order of their access bits (include/uapi/linux/landlock.h). */
#define BLOCKERS(X)                                               \
        X(FS_EXECUTE, "fs.execute")                               \
        X(FS_WRITE_FILE, "fs.write_file")                         \
        X(FS_READ_FILE, "fs.read_file")                           \
        X(FS_READ_DIR, "fs.read_dir")                             \
        X(FS_REMOVE_DIR, "fs.remove_dir")                         \
        X(FS_REMOVE_FILE, "fs.remove_file")                       \
        X(FS_MAKE_CHAR, "fs.make_char")                           \
        X(FS_MAKE_DIR, "fs.make_dir")                             \
        X(FS_MAKE_REG, "fs.make_reg")                             \
        X(FS_MAKE_SOCK, "fs.make_sock")                           \
        X(FS_MAKE_FIFO, "fs.make_fifo")                           \
        X(FS_MAKE_BLOCK, "fs.make_block")                         \
        X(FS_MAKE_SYM, "fs.make_sym")                             \
        X(FS_REFER, "fs.refer")                                   \
        X(FS_TRUNCATE, "fs.truncate")                             \
        X(FS_IOCTL_DEV, "fs.ioctl_dev")                           \
        X(FS_RESOLVE_UNIX, "fs.resolve_unix")                     \
        X(NET_BIND_TCP, "net.bind_tcp")                           \
        X(NET_CONNECT_TCP, "net.connect_tcp")                     \
        X(NET_BIND_UDP, "net.bind_udp")                           \
        X(NET_CONNECT_SEND_UDP, "net.connect_send_udp")           \
        X(FS_CHANGE_TOPOLOGY, "fs.change_topology")               \
        X(SCOPE_ABSTRACT_UNIX_SOCKET, "scope.abstract_unix_socket") \
        X(SCOPE_SIGNAL, "scope.signal")                           \
        X(PTRACE, "ptrace")

typedef enum Blocker {
#define X(name, text) BLOCKER_##name,
        BLOCKERS(X)
#undef X
        BLOCKER_MAX,
} Blocker;

/* Which blockers one denial names. What this version does not know is kept as the kernel wrote it. */
typedef struct BlockerSet {
        uint64_t known;    /* bit n: Blocker n */
        Text other;        /* from the first unknown name to the last, comma-separated; borrowed */
} BlockerSet;

static inline bool blocker_set_empty(const BlockerSet *set) {
        return set->known == 0 && !text_known(set->other);
}

/* "fs.write_file"; static. */
Text blocker_name(Blocker blocker);

/* -EINVAL for a name that is not known. */
int blocker_from_name(Text name, Blocker *ret);
