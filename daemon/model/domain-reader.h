/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking the kernel in which domain a thread is, without knowing who can tell: publishers answer look-ups with it, the
 * manager knows which source can. */
#pragma once

#include <stdint.h>

/* The thread's innermost domain now; 0: it is in none. -ESRCH: there is no such thread. -EOPNOTSUPP: this kernel
 * or this build cannot tell. -EAGAIN: nor does it just now. Does not wait, but may bring news to the table: what
 * is borrowed from that is not valid any more. */
typedef struct DomainReader {
        int (*fn)(void *userdata, int64_t tid, uint64_t *ret_domain);
        void *userdata;
} DomainReader;

static inline int domain_reader_read(const DomainReader *reader, int64_t tid, uint64_t *ret_domain) {
        return reader->fn(reader->userdata, tid, ret_domain);
}
