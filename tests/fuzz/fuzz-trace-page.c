/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One page of a ring buffer: whatever is in it, it is read to its end or refused, and every record lies in it. The first
 * byte of the input says how long the kernel's long is. The corpus is tests/data/trace-pages. */
#include <assert.h>
#include <string.h>

#include "base/macros.h"
#include "fuzz.h"
#include "source/trace-page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ uint8_t *bytes = NULL;
        TracePageLayout layout;
        TraceRecord record;
        TracePage page;
        size_t n = 0;

        if (size == 0)
                return 0;
        layout = (TracePageLayout) { .size = MAX(--size, (size_t) 4096), .commit_size = *data++ & 1 ? 4 : 8 };
        /* A block of its own: the byte after it is another's. */
        bytes = malloc(size);
        assert(bytes);
        memcpy(bytes, data, size);
        if (trace_page_init(&page, bytes, size, &layout) < 0)
                return 0;
        while (trace_page_next(&page, &record) > 0) {
                const uint8_t *first = record.data;

                assert(++n <= size && first >= bytes && record.size <= size && first + record.size <= bytes + size);
        }
        return 0;
}
