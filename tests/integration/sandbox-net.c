/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TCP and UDP, by both Internet protocols. All addresses are the host's own: granted by mistake, nothing
 * leaves it. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "sandbox.h"

#define NET(right) LANDLOCK_ACCESS_NET_##right

typedef enum NetVerb {
        NET_BIND,
        NET_CONNECT,
        NET_SEND,
} NetVerb;

typedef struct NetCase {
        uint64_t right;
        NetVerb verb;
        int family, type;
        const char *address; /* NULL: the wildcard */
        uint16_t port;
        const char *blockers;
} NetCase;

typedef union NetAddress {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
} NetAddress;

static NetAddress net_address(const NetCase *c) {
        NetAddress address = {};

        if (c->family == AF_INET) {
                address.in = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htons(c->port) };
                inet_pton(AF_INET, c->address ?: "0.0.0.0", &address.in.sin_addr);
        } else {
                address.in6 = (struct sockaddr_in6) { .sin6_family = AF_INET6, .sin6_port = htons(c->port) };
                inet_pton(AF_INET6, c->address ?: "::", &address.in6.sin6_addr);
        }
        return address;
}

static int attempt_net(const void *arg) {
        const NetCase *c = arg;
        const NetAddress address = net_address(c);
        socklen_t len = c->family == AF_INET ? sizeof(address.in) : sizeof(address.in6);
        ssize_t n = -1;
        int fd, r;

        fd = socket(c->family, c->type | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (c->verb == NET_BIND)
                n = bind(fd, &address.sa, len);
        else if (c->verb == NET_CONNECT)
                n = connect(fd, &address.sa, len);
        else
                n = sendto(fd, "", 0, 0, &address.sa, len);
        r = n < 0 ? -errno : 0;
        close(fd);
        return r;
}

static void run_net(Sandbox *s) {
        const NetCase *c = s->kind->data;
        const LandlockRuleset ruleset = { .handled_access_net = c->right };
        unsigned domain;
        uint64_t n;

        domain = sandbox_restrict(s, &ruleset, 0);
        n = sandbox_attempt(s, attempt_net, c, EACCES);
        refusal_set_network(truth_add(s->truth, domain, c->blockers, n), c->address ?: "", c->port,
                            c->verb == NET_BIND);
}

static const char *no_ipv6(void) {
        int fd;

        fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return "needs IPv6";
        close(fd);
        return NULL;
}

#define NET_KIND(kind, kind_abi, probe, ...)                                                   \
        {                                                                                      \
                .name = (kind), .abi = (kind_abi), .unsupported = (probe), .run = run_net,     \
                .data = &(const NetCase) { __VA_ARGS__ }                                       \
        }

const Kind net_kinds[] = {
        NET_KIND("net.bind_tcp", 4, NULL, NET(BIND_TCP), NET_BIND, AF_INET, SOCK_STREAM, "127.0.0.1", 8443,
                 "net.bind_tcp"),
        NET_KIND("net.bind_tcp-v6", 4, no_ipv6, NET(BIND_TCP), NET_BIND, AF_INET6, SOCK_STREAM, "::1", 8443,
                 "net.bind_tcp"),
        NET_KIND("net.bind_tcp-any", 4, NULL, NET(BIND_TCP), NET_BIND, AF_INET, SOCK_STREAM, NULL, 8443,
                 "net.bind_tcp"),
        NET_KIND("net.bind_tcp-any-v6", 4, no_ipv6, NET(BIND_TCP), NET_BIND, AF_INET6, SOCK_STREAM, NULL, 0,
                 "net.bind_tcp"),
        NET_KIND("net.connect_tcp", 4, NULL, NET(CONNECT_TCP), NET_CONNECT, AF_INET, SOCK_STREAM,
                 "127.0.0.1", 443, "net.connect_tcp"),
        NET_KIND("net.connect_tcp-v6", 4, no_ipv6, NET(CONNECT_TCP), NET_CONNECT, AF_INET6, SOCK_STREAM,
                 "::1", 443, "net.connect_tcp"),
        NET_KIND("net.bind_udp", 10, NULL, NET(BIND_UDP), NET_BIND, AF_INET, SOCK_DGRAM, "127.0.0.1", 5353,
                 "net.bind_udp"),
        NET_KIND("net.connect_send_udp", 10, NULL, NET(CONNECT_SEND_UDP), NET_CONNECT, AF_INET, SOCK_DGRAM,
                 "127.0.0.1", 53, "net.connect_send_udp"),
        NET_KIND("net.connect_send_udp-v6", 10, no_ipv6, NET(CONNECT_SEND_UDP), NET_SEND, AF_INET6,
                 SOCK_DGRAM, "::1", 53, "net.connect_send_udp"),
        {},
};
