/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/trace-stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

/* A read gives nothing, though there is something, while a record is being written or a page begins. */
#define READS_OF_NOTHING 16

static uint64_t clock_boottime_ns(void) {
        struct timespec ts;

        clock_gettime(CLOCK_BOOTTIME, &ts);
        return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

/* Adds up those lines of the ring buffer's statistics that are about records which cannot be read any more. */
static bool read_overrun(const TraceStream *stream, uint64_t *ret) {
        static const Text lines[] = {
                TEXT_LITERAL("overrun: "), TEXT_LITERAL("commit overrun: "), TEXT_LITERAL("dropped events: "),
        };
        char path[32], buffer[512];
        _cleanup_close_ int fd = -EBADF;
        uint64_t sum = 0, n;
        Text rest, line;
        ssize_t len;

        snprintf(path, sizeof(path), "cpu%u/stats", stream->cpu);
        fd = openat(stream->per_cpu, path, O_RDONLY | O_CLOEXEC);
        len = fd < 0 ? -1 : read(fd, buffer, sizeof(buffer));
        if (len < 0)
                return false;

        rest = (Text) { buffer, len };
        while (text_split(&rest, '\n', &line))
                for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
                        if (text_take_prefix(&line, lines[i]) && text_parse_u64(line, 10, &n) >= 0)
                                sum += n;
        *ret = sum;
        return true;
}

int trace_stream_init(TraceStream *stream, int fd, const TraceStreamOptions *options) {
        *stream = (TraceStream) {
                .fd = fd,
                .per_cpu = options->per_cpu,
                .cpu = options->cpu,
                .layout = options->layout,
                .counters = options->counters,
                .opened_with_gap = options->adopted,
                .last_ns = options->adopted ? 0 : clock_boottime_ns(),
                .bytes = malloc(options->layout->size),
        };
        if (!stream->bytes) {
                trace_stream_done(stream);
                return -ENOMEM;
        }
        if (options->adopted)
                (void) read_overrun(stream, &stream->n_overrun);
        return 0;
}

void trace_stream_done(TraceStream *stream) {
        closep(&stream->fd);
        free(stream->bytes);
        *stream = (TraceStream) { .fd = -EBADF };
}

/* The page says that something was lost, but has no room for the number about one time in ten. The statistics always
 * know it. What was lost since, and a later page will tell of, is told already then: the sum is exact. */
static void note_loss(TraceStream *stream) {
        uint64_t count = stream->page.n_lost, n_overrun;

        if (read_overrun(stream, &n_overrun)) {
                if (!stream->opened_with_gap)
                        count = n_overrun - stream->n_overrun;
                stream->n_overrun = n_overrun;
                if (!stream->opened_with_gap && count == 0)
                        return;
        }

        if (!stream->has_loss)
                stream->loss = (TraceLoss) { .since_ns = stream->last_ns };
        stream->has_loss = true;
        stream->loss.count += count;
        stream->loss.until_ns = clock_boottime_ns();
}

/* 1: there is a page; 0: there is none; -errno. */
static int read_page(TraceStream *stream) {
        ssize_t n = 0;
        int r;

        for (unsigned i = 0; n == 0 && i < READS_OF_NOTHING; i++)
                n = read(stream->fd, stream->bytes, stream->layout->size);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (n == 0)
                return 0;

        r = trace_page_init(&stream->page, stream->bytes, n, stream->layout);
        if (r < 0) {
                stream->page = (TracePage) {};
                stream->counters->trace_malformed++;
        }
        if (stream->page.has_lost)
                note_loss(stream);
        stream->opened_with_gap = false;
        return 1;
}

static bool advance(TraceStream *stream) {
        int r = trace_page_next(&stream->page, &stream->head);

        if (r < 0)
                stream->counters->trace_malformed++;
        stream->has_head = r > 0;
        return stream->has_head;
}

bool trace_stream_fill(TraceStream *stream) {
        int r;

        while (!stream->has_head && stream->error == 0) {
                r = read_page(stream);
                if (r == 0)
                        break;
                if (r < 0)
                        stream->error = r;
                else
                        advance(stream);
        }
        return stream->has_head;
}

bool trace_stream_next(TraceStream *stream) {
        stream->last_ns = stream->head.time_ns;
        return advance(stream);
}
