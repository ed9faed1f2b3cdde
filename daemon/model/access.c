/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/access.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* Where the rights of a class stand among the blockers, in the order of their bits. */
static const struct {
        const char *prefix;
        Blocker first;
        unsigned n;
} classes[ACCESS_CLASS_MAX] = {
        [ACCESS_FS] = { "fs", BLOCKER_FS_EXECUTE, BLOCKER_FS_RESOLVE_UNIX - BLOCKER_FS_EXECUTE + 1 },
        [ACCESS_NET] = { "net", BLOCKER_NET_BIND_TCP, BLOCKER_NET_CONNECT_SEND_UDP - BLOCKER_NET_BIND_TCP + 1 },
        [ACCESS_SCOPE] = { "scope", BLOCKER_SCOPE_ABSTRACT_UNIX_SOCKET,
                           BLOCKER_SCOPE_SIGNAL - BLOCKER_SCOPE_ABSTRACT_UNIX_SOCKET + 1 },
};

static size_t write_unknown(AccessClass class, unsigned bit, char *buffer) {
        return snprintf(buffer, ACCESS_NAME_SIZE, "%s.0x%" PRIx64, classes[class].prefix, UINT64_C(1) << bit);
}

Text access_next_name(AccessClass class, uint64_t *bits, char buffer[static ACCESS_NAME_SIZE]) {
        unsigned bit = __builtin_ctzll(*bits);

        assert(class < ACCESS_CLASS_MAX);
        *bits &= *bits - 1;
        if (bit < classes[class].n)
                return blocker_name(classes[class].first + bit);
        return (Text) { buffer, write_unknown(class, bit, buffer) };
}

void access_to_blockers(AccessClass class, uint64_t bits, char buffer[static ACCESS_OTHER_SIZE], BlockerSet *ret) {
        uint64_t known = (UINT64_C(1) << classes[class].n) - 1;
        char *end = buffer;

        for (uint64_t rest = bits & ~known; rest; rest &= rest - 1) {
                if (end > buffer)
                        *end++ = ',';
                end += write_unknown(class, __builtin_ctzll(rest), end);
        }
        *ret = (BlockerSet) {
                .known = (bits & known) << classes[class].first,
                .other = end > buffer ? (Text) { buffer, end - buffer } : TEXT_NULL,
        };
}

int access_from_name(AccessClass class, Text name, uint64_t *ret_bit) {
        Text rest = name;
        Blocker blocker;
        uint64_t bit;

        if (blocker_from_name(name, &blocker) >= 0) {
                if (blocker < classes[class].first || blocker >= classes[class].first + classes[class].n)
                        return -EINVAL;
                *ret_bit = UINT64_C(1) << (blocker - classes[class].first);
                return 0;
        }
        if (!text_take_prefix(&rest, text_from_string(classes[class].prefix)) ||
            !text_take_prefix(&rest, TEXT_LITERAL(".0x")) || text_parse_u64(rest, 16, &bit) < 0 ||
            __builtin_popcountll(bit) != 1)
                return -EINVAL;
        *ret_bit = bit;
        return 0;
}
