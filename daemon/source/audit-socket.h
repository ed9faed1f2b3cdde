/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's audit multicast: reading beside auditd and journald, never in their place.
 *
 * libaudit opens NETLINK_AUDIT sockets but does not join the group, hence own code here. */
#pragma once

#include <stddef.h>

#include "base/macros.h"
#include "base/text.h"
#include "model/counters.h"

typedef struct AuditSocket AuditSocket;

/* receive_buffer: bytes; as much of it as the kernel allows (all of it with CAP_NET_ADMIN).
 * -EPROTONOSUPPORT: no audit in this kernel; -EPERM: without CAP_AUDIT_READ; -ECONNREFUSED: not in the initial
 * network namespace. */
int audit_socket_new(AuditSocket **ret, size_t receive_buffer, Counters *counters);
AuditSocket *audit_socket_free(AuditSocket *socket);
DEFINE_CLEANUP(AuditSocket *, audit_socket_free);

int audit_socket_fd(const AuditSocket *socket);

/* Bytes that the kernel granted. */
size_t audit_socket_receive_buffer(const AuditSocket *socket);

/* A message of the kernel; text is borrowed for the call. */
typedef void (*AuditMessageFn)(void *userdata, unsigned type, Text text);

/* Reads what is there, one batch at most, without waiting. Returns the number of messages, 0 when there are none
 * left, -ENOBUFS when the kernel dropped some here (more can be read), other -errno when the socket is of no use. */
int audit_socket_read(AuditSocket *socket, AuditMessageFn fn, void *userdata);
