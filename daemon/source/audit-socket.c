/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/audit-socket.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <stdalign.h>
#include <sys/socket.h>

#define BATCH 64

/* MAX_AUDIT_MESSAGE_LENGTH of libaudit and the header; longer ones are cut and counted. */
#define MESSAGE_MAX (8970 + NLMSG_HDRLEN)

typedef struct Slot {
        alignas(struct nlmsghdr) char bytes[MESSAGE_MAX];
} Slot;

struct AuditSocket {
        int fd;
        Counters *counters;
        struct mmsghdr messages[BATCH];
        struct iovec vectors[BATCH];
        struct sockaddr_nl senders[BATCH];
        Slot slots[BATCH];
};

static int join(int fd, size_t receive_buffer) {
        const struct sockaddr_nl address = {
                .nl_family = AF_NETLINK,
                .nl_groups = 1U << (AUDIT_NLGRP_READLOG - 1),
        };
        int size = MIN(receive_buffer, (size_t) INT32_MAX);

        /* Before joining, so that not even the first burst meets a small buffer. Without CAP_NET_ADMIN the system's
         * net.core.rmem_max is the limit. */
        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
                (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        return bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 ? -errno : 0;
}

int audit_socket_new(AuditSocket **ret, size_t receive_buffer, Counters *counters) {
        _cleanup_(audit_socket_freep) AuditSocket *s = calloc(1, sizeof(AuditSocket));
        int r;

        if (!s)
                return -ENOMEM;
        s->counters = counters;

        s->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT);
        if (s->fd < 0)
                return -errno;
        r = join(s->fd, receive_buffer);
        if (r < 0)
                return r;

        for (size_t i = 0; i < BATCH; i++) {
                s->vectors[i] = (struct iovec) { s->slots[i].bytes, MESSAGE_MAX };
                s->messages[i].msg_hdr = (struct msghdr) {
                        .msg_name = &s->senders[i],
                        .msg_iov = &s->vectors[i],
                        .msg_iovlen = 1,
                };
        }
        *ret = TAKE_PTR(s);
        return 0;
}

AuditSocket *audit_socket_free(AuditSocket *s) {
        if (!s)
                return NULL;
        closep(&s->fd);
        free(s);
        return NULL;
}

int audit_socket_fd(const AuditSocket *s) {
        return s->fd;
}

size_t audit_socket_receive_buffer(const AuditSocket *s) {
        socklen_t len = sizeof(int);
        int size;

        /* The kernel doubles what was asked for, for its own bookkeeping: socket(7). */
        return getsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, &len) < 0 ? 0 : size / 2;
}

static void take_message(AuditSocket *s, size_t i, AuditMessageFn fn, void *userdata) {
        const struct nlmsghdr *header = (const struct nlmsghdr *) s->slots[i].bytes;
        size_t len = s->messages[i].msg_len;

        if (s->messages[i].msg_hdr.msg_namelen != sizeof(struct sockaddr_nl) || s->senders[i].nl_pid != 0) {
                s->counters->audit_foreign++;
                return;
        }
        if (len < NLMSG_HDRLEN) {
                s->counters->audit_malformed++;
                return;
        }
        if (s->messages[i].msg_hdr.msg_flags & MSG_TRUNC)
                s->counters->audit_oversized++;

        /* On a unicast audit socket nlmsg_len leaves the header out, on multicast it does not: the length that was
         * received is right on both. */
        s->counters->audit_messages++;
        fn(userdata, header->nlmsg_type, (Text) { s->slots[i].bytes + NLMSG_HDRLEN, len - NLMSG_HDRLEN });
}

int audit_socket_read(AuditSocket *s, AuditMessageFn fn, void *userdata) {
        int n;

        for (size_t i = 0; i < BATCH; i++)
                s->messages[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_nl);

        n = recvmmsg(s->fd, s->messages, BATCH, 0, NULL);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;

        for (int i = 0; i < n; i++)
                take_message(s, i, fn, userdata);
        return n;
}
