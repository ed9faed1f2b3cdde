/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/origin.h"

#include <assert.h>

Text origin_name(unsigned origins) {
        /* In the order of the bits of Origin. */
        static const Text names[] = { TEXT_LITERAL("audit"), TEXT_LITERAL("trace"), TEXT_LITERAL("bpf") };

        assert(origins != 0);
        return names[__builtin_ctz(origins)];
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
