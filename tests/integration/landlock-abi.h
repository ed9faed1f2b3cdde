/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Landlock's system calls up to ABI 10, whatever the age of the installed kernel headers: Debian 12 builds
 * with those of ABI 2 and runs on kernels of ABI 7 and later. What the running kernel knows of it is asked
 * at run time, never assumed. */
#pragma once

#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ABI 3, Linux 6.2 */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

/* ABI 4, Linux 6.7 */
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ULL << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#endif
/* LANDLOCK_RULE_NET_PORT is an enumerator, which the preprocessor cannot ask for. */
#define LANDLOCK_ABI_RULE_NET_PORT 2

/* ABI 5, Linux 6.10 */
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

/* ABI 6, Linux 6.12 */
#ifndef LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1)
#endif

/* ABI 7, Linux 6.15 */
#ifndef LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF
#define LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF (1U << 0)
#define LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON (1U << 1)
#define LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF (1U << 2)
#endif

/* ABI 8, Linux 7.0 */
#ifndef LANDLOCK_RESTRICT_SELF_TSYNC
#define LANDLOCK_RESTRICT_SELF_TSYNC (1U << 3)
#endif

/* ABI 9, Linux 7.1 */
#ifndef LANDLOCK_ACCESS_FS_RESOLVE_UNIX
#define LANDLOCK_ACCESS_FS_RESOLVE_UNIX (1ULL << 16)
#endif

/* ABI 10, Linux 7.2 */
#ifndef LANDLOCK_ACCESS_NET_BIND_UDP
#define LANDLOCK_ACCESS_NET_BIND_UDP (1ULL << 2)
#define LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP (1ULL << 3)
#endif
#ifndef LANDLOCK_ADD_RULE_QUIET
#define LANDLOCK_ADD_RULE_QUIET (1U << 0)
#endif

/* struct landlock_ruleset_attr as of ABI 10. An older kernel takes the longer structure as long as the
 * fields that it does not know are zero. */
typedef struct LandlockRuleset {
        uint64_t handled_access_fs;
        uint64_t handled_access_net;
        uint64_t scoped;
        uint64_t quiet_access_fs;
        uint64_t quiet_access_net;
        uint64_t quiet_scoped;
} LandlockRuleset;

/* All return what the system call returns: -1 with errno set on failure. */

static inline int landlock_abi_version(void) {
        return (int) syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

static inline int landlock_abi_create_ruleset(const LandlockRuleset *ruleset) {
        return (int) syscall(SYS_landlock_create_ruleset, ruleset, sizeof(*ruleset), 0);
}

static inline int landlock_abi_add_path_rule(int ruleset_fd, int path_fd, uint64_t allowed, unsigned flags) {
        const struct landlock_path_beneath_attr rule = { .allowed_access = allowed, .parent_fd = path_fd };

        return (int) syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, flags);
}

static inline int landlock_abi_add_port_rule(int ruleset_fd, uint64_t port, uint64_t allowed) {
        /* struct landlock_net_port_attr of ABI 4, of which older headers know nothing */
        const struct {
                uint64_t allowed_access, port;
        } rule = { .allowed_access = allowed, .port = port };

        return (int) syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_ABI_RULE_NET_PORT, &rule, 0);
}

static inline int landlock_abi_restrict_self(int ruleset_fd, unsigned flags) {
        return (int) syscall(SYS_landlock_restrict_self, ruleset_fd, flags);
}
