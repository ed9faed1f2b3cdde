/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/capability.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

int capability_keep(uint64_t keep) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

        if (syscall(SYS_capget, &header, sets) < 0)
                return -errno;

        for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
                sets[i].effective &= (uint32_t) (keep >> 32 * i);
                sets[i].permitted &= (uint32_t) (keep >> 32 * i);
                sets[i].inheritable = 0;
        }
        return syscall(SYS_capset, &header, sets) < 0 ? -errno : 0;
}
