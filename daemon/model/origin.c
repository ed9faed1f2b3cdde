/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/origin.h"

#include <assert.h>
#include <errno.h>

#define ORIGINS (ORIGIN_AUDIT | ORIGIN_TRACE | ORIGIN_BPF)

Text origin_name(unsigned origins) {
        /* In the order of the bits of Origin. */
        static const Text names[] = { TEXT_LITERAL("audit"), TEXT_LITERAL("trace"), TEXT_LITERAL("bpf") };

        assert(origins != 0);
        return names[__builtin_ctz(origins)];
}

int origin_from_name(Text name, unsigned *ret) {
        for (unsigned rest = ORIGINS; rest; rest &= rest - 1)
                if (text_equal(name, origin_name(rest))) {
                        *ret = rest & -rest;
                        return 0;
                }
        return -EINVAL;
}

const char *attribution_to_string(Attribution attribution) {
        switch (attribution) {
        case ATTRIBUTION_KERNEL:
                return "kernel";
        case ATTRIBUTION_INHERITED:
                return "inherited";
        case ATTRIBUTION_INFERRED:
                return "inferred";
        }
        assert(false);
        return NULL;
}

int attribution_from_name(Text name, Attribution *ret) {
        for (Attribution a = ATTRIBUTION_KERNEL; a <= ATTRIBUTION_INFERRED; a++)
                if (text_equal(name, text_from_string(attribution_to_string(a)))) {
                        *ret = a;
                        return 0;
                }
        return -EINVAL;
}
