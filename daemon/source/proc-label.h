/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* By what people recognise a domain: a number tells them nothing, but the service, the application or the
 * container does in which it was made. No source tells that, and /proc only while who made it lives: so it is read
 * at once, when a source first tells of the domain. */
#pragma once

#include "model/fact.h"

typedef struct ProcLabel {
        char buffer[512];
} ProcLabel;

/* Whether the fact tells who has just made a domain, or been denied by it: of which. */
bool proc_label_applies(const Fact *fact, uint64_t *ret_domain);

/* Adds the label to such a fact, if its creator is still there; it is in `label` then. */
void proc_label_add(Fact *fact, ProcLabel *label);

/* The label by a process, or one of its threads, that began at `not_after_usec` (realtime) at the latest. -ESRCH. */
int proc_label_read(int64_t tid, uint64_t not_after_usec, ProcLabel *label, Text *ret);

/* "comm@unit" of a name and the contents of a /proc/PID/cgroup; the name alone of a process in no control group.
 * Cut to the buffer. */
Text proc_label_format(Text comm, Text cgroups, ProcLabel *label);

/* The same of a name and the path of a control group: "/system.slice/nginx.service". */
Text proc_label_join(Text comm, Text cgroup, ProcLabel *label);
