/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which system and which boot the events are of: what makes a domain ID unique over a fleet. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define UUID_TEXT_SIZE 37 /* with hyphens and NUL */
#define DOMAIN_ID_TEXT_SIZE 17

typedef struct Host {
        bool has_boot_id, has_machine_id; /* not known of a log from elsewhere */
        char boot_id[UUID_TEXT_SIZE];     /* lower case, with hyphens */
        char machine_id[33];              /* as in /etc/machine-id */
        char hostname[65];                /* "" if unknown */
} Host;

/* The running system. -errno when the boot ID cannot be read; a missing machine ID is only unknown. */
int host_init(Host *host);

/* "1466dc891": as the kernel logs it. Returns its length. */
unsigned host_format_domain(uint64_t domain, char buffer[static DOMAIN_ID_TEXT_SIZE]);

/* UUIDv5(namespace = boot ID, name = the ID in hex): the same in every collector. false if the boot is unknown. */
bool host_domain_uuid(const Host *host, uint64_t domain, char buffer[static UUID_TEXT_SIZE]);

/* Landlock's ABI version, -errno (-ENOSYS, -EOPNOTSUPP: not built in, not enabled at boot). */
int host_landlock_abi(void);

/* Bitmask of fixed issues, -errno on kernels that do not tell. */
int host_landlock_errata(void);

/* Whether the kernel keeps what is in it from everybody: trace events and BPF programs among it. Documented in
 * kernel_lockdown(7). */
bool host_is_locked_down(void);
