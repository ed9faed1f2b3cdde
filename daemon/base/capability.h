/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gives up the privileges that only opening things needed. */
#pragma once

#include <stdint.h>

#define CAPABILITY(name) (UINT64_C(1) << (name))

/* Reduces this process to the capabilities in `keep` (bits: linux/capability.h), of those it has. */
int capability_keep(uint64_t keep);
