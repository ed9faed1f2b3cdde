/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether this kernel is one that BPF programs can ask for domains, and if not, what to do about it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Room for a reason, with its NUL: what a source's status takes. */
#define BPF_REASON_SIZE 256

/* What describes its structures, where a program is opened: libbpf would else look for what it does not find in modules,
 * too, for which it takes more privileges than there are. Landlock is in none. */
#define BPF_KERNEL_TYPES "/sys/kernel/btf/vmlinux"

/* -EOPNOTSUPP: its domains have no ID, or it does not describe its structures. */
int bpf_kernel_check(char *ret_reason, size_t n_reason);

/* What there is among Landlock's functions to attach programs to. */
typedef struct BpfKernelFunctions {
        bool restricts_threads;      /* all of a process: since Linux 7.0 */
        bool denials_are_understood; /* their form has changed twice */
} BpfKernelFunctions;

BpfKernelFunctions bpf_kernel_functions(void);

/* Why loading or attaching failed. */
void bpf_kernel_explain(int error, char *ret_reason, size_t n_reason);
