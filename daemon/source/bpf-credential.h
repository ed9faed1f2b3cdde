/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where Landlock's part of a credential begins.
 *
 * The security modules that are enabled share one block of memory, each has its place in it since boot, and the kernel
 * tells nobody which: the variable has a name in some kernels' symbols only. But a thread can have one bit of Landlock's
 * part changed without getting into a domain, and nothing else of its credential: it asks that domains to come be not
 * logged. Of two new processes one does that, and the place is where they differ in this bit. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct snapshot_bpf;

/* On failure *ret_reason says why, for people. */
int bpf_credential_find(struct snapshot_bpf *programs, uint32_t *ret_offset, char *ret_reason, size_t n_reason);
