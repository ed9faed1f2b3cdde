/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/trace-page.h"

#include <errno.h>
#include <string.h>

/* Kernel: include/linux/ring_buffer.h, and events/header_event. A word with a type or, in steps of four bytes, the
 * length of the data, and above it the time since the record before. */
#define TYPE_LENGTH_IN_WORD 0
#define TYPE_PADDING 29
#define TYPE_TIME_EXTEND 30
#define TYPE_TIME_STAMP 31
#define TIME_SHIFT 27

/* A time stamp in the buffer lacks the highest bits. */
#define TIME_STAMP_BITS 59

/* The commit field: how many bytes of data there are, and flags. */
#define COMMIT_SIZE_MASK ((UINT64_C(1) << TIME_SHIFT) - 1)
#define COMMIT_LOST (UINT64_C(1) << 31)
#define COMMIT_LOST_STORED (UINT64_C(1) << 30) /* their number follows the data */

static uint32_t read_u32(const unsigned char *p) {
        uint32_t value;

        memcpy(&value, p, sizeof(value));
        return value;
}

static uint64_t read_u64(const unsigned char *p) {
        uint64_t value;

        memcpy(&value, p, sizeof(value));
        return value;
}

static uint64_t read_long(const unsigned char *p, const TracePageLayout *layout) {
        return layout->commit_size == sizeof(uint64_t) ? read_u64(p) : read_u32(p);
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static unsigned type_of(uint32_t word) {
        return word & 0x1f;
}

static uint32_t delta_of(uint32_t word) {
        return word >> 5;
}
#else
static unsigned type_of(uint32_t word) {
        return word >> TIME_SHIFT;
}

static uint32_t delta_of(uint32_t word) {
        return word & ((UINT32_C(1) << TIME_SHIFT) - 1);
}
#endif

int trace_page_init(TracePage *page, const void *bytes, size_t n_bytes, const TracePageLayout *layout) {
        size_t header_size = sizeof(uint64_t) + layout->commit_size, left;
        const unsigned char *p = bytes;
        uint64_t commit, size;
        TracePage new;

        if (n_bytes < header_size)
                return -EBADMSG;
        commit = read_long(p + sizeof(uint64_t), layout);
        size = commit & COMMIT_SIZE_MASK;
        left = n_bytes - header_size;
        if (size > left)
                return -EBADMSG;

        new = (TracePage) {
                .next = p + header_size,
                .end = p + header_size + size,
                .time_ns = read_u64(p),
                .has_lost = commit & COMMIT_LOST,
        };
        if (new.has_lost && (commit & COMMIT_LOST_STORED)) {
                if (left - size < layout->commit_size)
                        return -EBADMSG;
                new.n_lost = read_long(new.end, layout);
        }
        *page = new;
        return 0;
}

/* A time stamp instead of a delta: what it lacks is that of the time before, or one more if it would go back. */
static uint64_t full_time_stamp(uint64_t before_ns, uint64_t stamp) {
        const uint64_t mask = (UINT64_C(1) << TIME_STAMP_BITS) - 1;
        uint64_t high = before_ns & ~mask, full = high | (stamp & mask);

        return high != 0 && full < before_ns ? full + mask + 1 : full;
}

/* Steps over what is at page->next. 1: it is a record; 0: it is not; -EBADMSG. */
static int step(TracePage *page, TraceRecord *ret) {
        size_t left = page->end - page->next, size;
        const unsigned char *p = page->next;
        uint32_t word, second, delta;
        unsigned type;

        if (left < sizeof(word))
                return -EBADMSG;
        word = read_u32(p);
        type = type_of(word);
        delta = delta_of(word);
        p += sizeof(word);
        left -= sizeof(word);

        if (type == TYPE_PADDING && delta == 0) {
                page->next = page->end;
                return 0;
        }
        if (type == TYPE_LENGTH_IN_WORD || type >= TYPE_PADDING) {
                if (left < sizeof(second))
                        return -EBADMSG;
                second = read_u32(p);
                if (type == TYPE_TIME_EXTEND || type == TYPE_TIME_STAMP) {
                        uint64_t time = ((uint64_t) second << TIME_SHIFT) + delta;

                        page->time_ns = type == TYPE_TIME_STAMP ? full_time_stamp(page->time_ns, time)
                                                                : page->time_ns + time;
                        page->next = p + sizeof(second);
                        return 0;
                }
                /* The length counts from the word that it is in. */
                if (second < sizeof(second))
                        return -EBADMSG;
                size = second;
        } else
                size = (size_t) type * 4;

        if (size > left)
                return -EBADMSG;
        page->time_ns += delta;
        page->next = p + size;
        /* A record that was taken back. */
        if (type == TYPE_PADDING)
                return 0;
        *ret = type == TYPE_LENGTH_IN_WORD ? (TraceRecord) { p + sizeof(second), size - sizeof(second), page->time_ns }
                                           : (TraceRecord) { p, size, page->time_ns };
        return 1;
}

int trace_page_next(TracePage *page, TraceRecord *ret) {
        int r = 0;

        while (r == 0 && page->next < page->end)
                r = step(page, ret);
        if (r < 0)
                page->next = page->end;
        return r;
}
