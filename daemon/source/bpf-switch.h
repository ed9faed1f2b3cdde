/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernel.ftrace_enabled: while it is 0, programs that are attached to functions are not run, and nobody is told. The one
 * sign of a change is that somebody writes to the file, in the /proc that he sees: it has to be the same as ours. */
#pragma once

#include <event2/event.h>
#include <stdbool.h>

#include "base/macros.h"

typedef struct BpfSwitch BpfSwitch;

/* Calls `fn` each time that somebody has switched it, or may have for a moment. `base` is borrowed; so is `file`, the open
 * /proc/sys/kernel/ftrace_enabled of others' /proc, or -1. -ENOMEM, other -errno of inotify(7). A kernel that has no such
 * switch is on. */
int bpf_switch_new(
                BpfSwitch **ret, struct event_base *base, int file, void (*fn)(void *userdata, bool on), void *userdata);
BpfSwitch *bpf_switch_free(BpfSwitch *sw);
DEFINE_CLEANUP(BpfSwitch *, bpf_switch_free);

/* As it was last. */
bool bpf_switch_is_on(const BpfSwitch *sw);
