/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unix sockets that were made outside of the domain, abstract ones and those in the file system. */

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sandbox.h"

typedef struct UnixCase {
        int type;
        const char *name; /* NULL: chosen by the kernel */
        size_t len;
} UnixCase;

/* An address and what connects to it. */
typedef struct UnixPeer {
        int type;
        struct sockaddr_un address;
        socklen_t len;
} UnixPeer;

static int attempt_connect(const void *arg) {
        const UnixPeer *peer = arg;
        ssize_t n;
        int fd, r;

        fd = socket(AF_UNIX, peer->type | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        n = peer->type == SOCK_DGRAM ?
                sendto(fd, "", 1, 0, (const struct sockaddr *) &peer->address, peer->len) :
                connect(fd, (const struct sockaddr *) &peer->address, peer->len);
        r = n < 0 ? -errno : 0;
        close(fd);
        return r;
}

/* Binds a socket that stays open as long as the process, and learns its address from the kernel. */
static UnixPeer listen_unix(int type, const struct sockaddr_un *address, socklen_t len) {
        UnixPeer peer = { .type = type, .len = sizeof(peer.address) };
        int fd;

        fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, (const struct sockaddr *) address, len) < 0)
                sandbox_die("Unix socket: %m");
        if (type != SOCK_DGRAM && listen(fd, 1) < 0)
                sandbox_die("listen: %m");
        if (getsockname(fd, (struct sockaddr *) &peer.address, &peer.len) < 0)
                sandbox_die("getsockname: %m");
        return peer;
}

static void run_abstract(Sandbox *s) {
        static const LandlockRuleset ruleset = { .scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET };
        const size_t offset = offsetof(struct sockaddr_un, sun_path);
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        const UnixCase *c = s->kind->data;
        socklen_t len = offset;
        unsigned domain;
        UnixPeer peer;
        uint64_t n;

        if (c->name) {
                /* The first byte stays NUL: that makes it abstract. */
                memcpy(address.sun_path + 1, c->name, c->len);
                len += (socklen_t) (1 + c->len);
        }
        peer = listen_unix(c->type, &address, len);
        domain = sandbox_restrict(s, &ruleset, 0);
        n = sandbox_attempt(s, attempt_connect, &peer, EPERM);
        refusal_set_socket(truth_add(s->truth, domain, "scope.abstract_unix_socket", n),
                           peer.address.sun_path, peer.len - offset);
}

static void run_resolve(Sandbox *s) {
        static const LandlockRuleset ruleset = { .handled_access_fs = LANDLOCK_ACCESS_FS_RESOLVE_UNIX };
        const UnixCase *c = s->kind->data;
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        unsigned domain;
        UnixPeer peer;
        uint64_t n;

        strcpy(address.sun_path, c->name);
        peer = listen_unix(c->type, &address, sizeof(address));
        domain = sandbox_restrict(s, &ruleset, 0);
        n = sandbox_attempt(s, attempt_connect, &peer, EACCES);
        refusal_set_file(truth_add(s->truth, domain, "fs.resolve_unix", n), s->dir, c->name);
}

#define UNIX_KIND(kind, kind_abi, function, kind_type, kind_name)                                       \
        {                                                                                              \
                .name = (kind), .abi = (kind_abi), .run = (function),                                  \
                .data = &(const UnixCase) { kind_type, kind_name, sizeof(kind_name) - 1 }              \
        }

#define NAME_26 "abcdefghijklmnopqrstuvwxyz"

const Kind unix_kinds[] = {
        UNIX_KIND("scope.abstract_unix_socket", 6, run_abstract, SOCK_STREAM, "landlock-test"),
        UNIX_KIND("scope.abstract_unix_socket-dgram", 6, run_abstract, SOCK_DGRAM, "landlock-test-dgram"),
        UNIX_KIND("scope.abstract_unix_socket-seqpacket", 6, run_abstract, SOCK_SEQPACKET, "landlock-test-seq"),
        { .name = "scope.abstract_unix_socket-autobind", .abi = 6, .run = run_abstract,
          .data = &(const UnixCase) { .type = SOCK_STREAM } },
        UNIX_KIND("hostile-socket", 6, run_abstract, SOCK_STREAM, "\0nul\0\"quote\"\n\xff\\ domain=1\0"),
        UNIX_KIND("hostile-socket-long", 6, run_abstract, SOCK_STREAM,
                  NAME_26 NAME_26 NAME_26 NAME_26 "107"),
        UNIX_KIND("fs.resolve_unix", 9, run_resolve, SOCK_STREAM, "socket"),
        UNIX_KIND("fs.resolve_unix-dgram", 9, run_resolve, SOCK_DGRAM, "socket"),
        {},
};
