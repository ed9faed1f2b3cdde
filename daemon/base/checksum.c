/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/checksum.h"

#include <string.h>

/* Each word reaches every bit: the step is a bijection of the sum, so that no single change goes unseen. */
static uint64_t mix(uint64_t sum, uint64_t word) {
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        return sum ^ sum >> 32;
}

uint64_t checksum_add(uint64_t sum, const void *data, size_t len) {
        const char *p = data;
        uint64_t word;

        sum = mix(sum, len);
        for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
                memcpy(&word, p, sizeof(word));
                sum = mix(sum, word);
        }
        word = 0;
        if (len > 0)
                memcpy(&word, p, len);
        return mix(sum, word);
}
