/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Access rights as the kernel's bits, and their names: those of blockers, which are the rights that were missing. */
#pragma once

#include "model/blocker.h"

/* The three sets of rights of include/uapi/linux/landlock.h. */
typedef enum AccessClass {
        ACCESS_FS,
        ACCESS_NET,
        ACCESS_SCOPE,
        ACCESS_CLASS_MAX,
} AccessClass;

typedef struct AccessRights {
        uint64_t bits[ACCESS_CLASS_MAX];
} AccessRights;

/* With its NUL: "scope.0x8000000000000000". */
#define ACCESS_NAME_SIZE sizeof("scope.0x8000000000000000")

/* Cuts the lowest right off *bits, which must not be 0, and names it: "fs.execute" (static), or "fs.0x20000" for one
 * that this version does not know (in buffer). */
Text access_next_name(AccessClass class, uint64_t *bits, char buffer[static ACCESS_NAME_SIZE]);

/* With its NUL and all names unknown. */
#define ACCESS_OTHER_SIZE (64 * ACCESS_NAME_SIZE)

/* The rights as blockers. Names that are not known are written to buffer, which the set borrows. */
void access_to_blockers(AccessClass class, uint64_t bits, char buffer[static ACCESS_OTHER_SIZE], BlockerSet *ret);

/* The bit of a right of that class, by the name that access_next_name() gives it. -EINVAL. */
int access_from_name(AccessClass class, Text name, uint64_t *ret_bit);
