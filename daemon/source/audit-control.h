/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's audit settings, through libaudit: whether audit is on, how many records it dropped; and the promise
 * to put back what landlockd changed, even when it was killed in between. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <stddef.h>

typedef struct AuditKernelStatus {
        unsigned enabled; /* 0 off, 1 on, 2 on and locked */
        unsigned backlog_limit;
        uint32_t lost; /* records dropped since boot; wraps */
        uint32_t pid;  /* of a registered audit daemon, 0 if there is none */
} AuditKernelStatus;

typedef struct AuditControl {
        int fd;
        int runtime_dir; /* directory fd; borrowed */
        bool changed;    /* `original` is to be restored */
        AuditKernelStatus original;
} AuditControl;

/* -EPROTONOSUPPORT: the kernel has no audit. -EPERM: without CAP_AUDIT_CONTROL, or in a container. */
int audit_control_open(AuditControl *control, int runtime_dir);
void audit_control_close(AuditControl *control);

/* Asks and waits for the answer: at start only. */
int audit_control_get(AuditControl *control, AuditKernelStatus *ret);

/* Asks; the answer makes `fd` readable and is read by audit_control_read(): 1 and *ret, or 0 if there is none. */
int audit_control_request(AuditControl *control);
int audit_control_read(AuditControl *control, AuditKernelStatus *ret);

/* Enables audit and raises the backlog limit to at least `backlog_limit` (0: leave it). What was is remembered in
 * the runtime directory first. */
int audit_control_enable(AuditControl *control, const AuditKernelStatus *now, unsigned backlog_limit);

/* Takes over the duty of a predecessor that was killed: what it had changed is to be restored. */
void audit_control_adopt(AuditControl *control);

/* Puts back what was changed, unless somebody else took audit over meanwhile. */
int audit_control_restore(AuditControl *control);
