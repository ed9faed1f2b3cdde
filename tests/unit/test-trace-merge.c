/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ring buffer pages made by hand, through a socket in place of trace_pipe_raw, to one sequence of records. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/trace-merge.h"

#define PAGE_SIZE 4096
#define LOST (UINT64_C(1) << 31)
#define LOST_STORED (UINT64_C(1) << 30)
#define HEADER_SIZE 16

static const TracePageLayout layout = { .size = PAGE_SIZE, .commit_size = 8 };

/* --- pages ------------------------------------------------------------------------------------------------------ */

typedef struct Builder {
        unsigned char bytes[PAGE_SIZE];
        size_t len;
        uint64_t time;
} Builder;

static void put(Builder *b, const void *data, size_t size) {
        assert_true(b->len + size <= sizeof(b->bytes));
        memcpy(b->bytes + b->len, data, size);
        b->len += size;
}

static void put_u32(Builder *b, uint32_t value) {
        put(b, &value, sizeof(value));
}

static void put_u64(Builder *b, uint64_t value) {
        put(b, &value, sizeof(value));
}

static void put_word(Builder *b, uint32_t type, uint32_t delta) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        put_u32(b, type | delta << 5);
#else
        put_u32(b, type << 27 | delta);
#endif
}

static Builder *page_at(Builder *b, uint64_t time) {
        *b = (Builder) { .time = time };
        put_u64(b, time);
        put_u64(b, 0);
        return b;
}

static void commit(Builder *b, uint64_t flags) {
        uint64_t value = (b->len - HEADER_SIZE) | flags;

        memcpy(b->bytes + 8, &value, sizeof(value));
}

/* A record of 8 bytes that holds its own time. */
static void add(Builder *b, uint64_t time) {
        uint64_t delta = time - b->time;

        if (delta >= UINT64_C(1) << 27) {
                put_word(b, 30, delta & ((1 << 27) - 1));
                put_u32(b, delta >> 27);
                delta = 0;
        }
        put_word(b, 2, delta);
        put_u64(b, time);
        b->time = time;
}

/* From the heap, so that a read beyond the end is found. */
static TracePage open_page(const Builder *b, void **ret_bytes) {
        TracePage page;

        *ret_bytes = malloc(b->len);
        memcpy(*ret_bytes, b->bytes, b->len);
        assert_int_equal(trace_page_init(&page, *ret_bytes, b->len, &layout), 0);
        return page;
}

static void expect_record(TracePage *page, uint64_t time, const void *data, size_t size) {
        TraceRecord record;

        assert_int_equal(trace_page_next(page, &record), 1);
        assert_int_equal(record.time_ns, time);
        assert_int_equal(record.size, size);
        assert_memory_equal(record.data, data, size);
}

static void test_page(void **state _unused_) {
        const uint64_t high = UINT64_C(1) << 59;
        _cleanup_free_ void *bytes = NULL;
        TraceRecord record;
        TracePage page;
        Builder b;

        page_at(&b, high + 1000);
        put_word(&b, 1, 5);
        put(&b, "abcd", 4);
        put_word(&b, 0, 6); /* the length in a word of its own */
        put_u32(&b, 4 + 120);
        b.len += 120;
        put_word(&b, 29, 3); /* one that was taken back */
        put_u32(&b, 12);
        put(&b, "gonegone", 8);
        put_word(&b, 30, 1); /* a delta of more than 27 bits */
        put_u32(&b, 2);
        put_word(&b, 28, 0);
        b.len += 112;
        put_word(&b, 31, 7); /* a time instead */
        put_u32(&b, 3);
        put_word(&b, 1, 0);
        put(&b, "last", 4);
        put_word(&b, 29, 0); /* nothing up to the end */
        put(&b, "rubbish", 8);
        commit(&b, 0);

        page = open_page(&b, &bytes);
        assert_false(page.has_lost);
        expect_record(&page, high + 1005, "abcd", 4);
        expect_record(&page, high + 1011, (char[120]) {}, 120);
        expect_record(&page, high + 1014 + 1 + (2 << 27), (char[112]) {}, 112);
        expect_record(&page, high + 7 + (3 << 27), "last", 4);
        assert_int_equal(trace_page_next(&page, &record), 0);
        assert_int_equal(trace_page_next(&page, &record), 0);
}

static void test_page_time_wraps(void **state _unused_) {
        const uint64_t bits = UINT64_C(1) << 59;
        _cleanup_free_ void *bytes = NULL;
        TracePage page;
        Builder b;

        page_at(&b, 2 * bits - 1);
        put_word(&b, 31, 9);
        put_u32(&b, 0);
        add(&b, b.time);
        commit(&b, 0);
        page = open_page(&b, &bytes);
        expect_record(&page, 2 * bits + 9, (uint64_t[]) { 2 * bits - 1 }, 8);
}

static void test_page_lost(void **state _unused_) {
        _cleanup_free_ void *stored = NULL, *not_stored = NULL, *cut = NULL;
        TracePage page;
        Builder b;

        page_at(&b, 1);
        add(&b, 1);
        commit(&b, LOST);
        page = open_page(&b, &not_stored);
        assert_true(page.has_lost);
        assert_int_equal(page.n_lost, 0);

        commit(&b, LOST | LOST_STORED);
        cut = malloc(b.len);
        memcpy(cut, b.bytes, b.len);
        assert_int_equal(trace_page_init(&page, cut, b.len, &layout), -EBADMSG);

        put_u64(&b, 77);
        page = open_page(&b, &stored);
        assert_true(page.has_lost);
        assert_int_equal(page.n_lost, 77);
        expect_record(&page, 1, (uint64_t[]) { 1 }, 8);
}

static void test_page_commit_of_four_bytes(void **state _unused_) {
        const TracePageLayout narrow = { .size = PAGE_SIZE, .commit_size = 4 };
        TracePage page;
        Builder b = {};

        put_u64(&b, 5);
        put_u32(&b, 8 | LOST | LOST_STORED);
        put_word(&b, 1, 1);
        put(&b, "wxyz", 4);
        put_u32(&b, 3);
        assert_int_equal(trace_page_init(&page, b.bytes, b.len, &narrow), 0);
        assert_int_equal(page.n_lost, 3);
        expect_record(&page, 6, "wxyz", 4);
}

/* Reads all; the end must come. */
static int read_out(const void *data, size_t size) {
        _cleanup_free_ unsigned char *bytes = malloc(size + (size == 0));
        TraceRecord record;
        TracePage page;
        int r;

        memcpy(bytes, data, size);
        r = trace_page_init(&page, bytes, size, &layout);
        if (r < 0)
                return r;
        for (unsigned n = 0; (r = trace_page_next(&page, &record)) > 0; n++) {
                const unsigned char *first = record.data;

                assert_true(n <= size);
                assert_true(record.size <= size);
                assert_true(first >= bytes && first + record.size <= bytes + size);
        }
        assert_int_equal(trace_page_next(&page, &record), 0);
        return r;
}

static void test_page_garbage(void **state _unused_) {
        static const uint32_t lengths[] = { 0, 1, 3, 5, 0x7fffffff, 0x80000000, 0xfffffff8, 0xfffffffc, UINT32_MAX };
        unsigned char noise[256];
        Builder b;

        for (size_t i = 0; i < HEADER_SIZE; i++)
                assert_int_equal(read_out(noise, i), -EBADMSG);

        /* A commit of more than there is. */
        page_at(&b, 1);
        add(&b, 2);
        commit(&b, 0);
        assert_int_equal(read_out(b.bytes, b.len), 0);
        assert_int_equal(read_out(b.bytes, b.len - 1), -EBADMSG);

        for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
                for (uint32_t type = 0; type < 30; type += 29) {
                        page_at(&b, 1);
                        put_word(&b, type, 1);
                        put_u32(&b, lengths[i]);
                        commit(&b, 0);
                        assert_int_equal(read_out(b.bytes, b.len), -EBADMSG);
                }

        /* Cut within a record's words and data. */
        for (size_t left = 1; left < 12; left++) {
                page_at(&b, 1);
                add(&b, 2);
                b.len = HEADER_SIZE + left;
                commit(&b, 0);
                assert_int_equal(read_out(b.bytes, b.len), -EBADMSG);
        }

        srandom(7);
        for (unsigned round = 0; round < 200000; round++) {
                size_t size = HEADER_SIZE + random() % (sizeof(noise) - HEADER_SIZE);
                uint64_t value = random() % (size - HEADER_SIZE + 2) | (random() % 4 == 0 ? LOST : 0) |
                        (random() % 4 == 0 ? LOST_STORED : 0);

                for (size_t i = 0; i < size; i++)
                        noise[i] = random() % 3 ? random() % 32 : random();
                memcpy(noise + 8, &value, sizeof(value));
                read_out(noise, size);
        }
}

/* --- streams ---------------------------------------------------------------------------------------------------- */

typedef struct Fixture {
        TraceMerge merge;
        Counters counters;
        int writers[8]; /* of the streams */
        uint64_t times[200000];
        size_t n;
        TraceLoss losses[8];
        uint64_t lost_before[8]; /* the number of records before it */
        size_t n_losses;
        char directory[40];
        int per_cpu;
} Fixture;

static Fixture *fixture;

static void on_record(void *userdata _unused_, const TraceRecord *record, TraceStream *stream _unused_) {
        uint64_t own;

        assert_int_equal(record->size, sizeof(own));
        memcpy(&own, record->data, sizeof(own));
        assert_int_equal(own, record->time_ns);
        assert_true(fixture->n < ARRAY_SIZE(fixture->times));
        fixture->times[fixture->n++] = own;
}

static void on_loss(void *userdata _unused_, const TraceLoss *loss, TraceStream *stream _unused_) {
        assert_true(fixture->n_losses < ARRAY_SIZE(fixture->losses));
        fixture->lost_before[fixture->n_losses] = fixture->n;
        fixture->losses[fixture->n_losses++] = *loss;
}

static int set_up(void **state _unused_) {
        fixture = calloc(1, sizeof(Fixture));
        strcpy(fixture->directory, "/tmp/landlockd-test-trace-XXXXXX");
        if (!mkdtemp(fixture->directory))
                return -1;
        fixture->per_cpu = open(fixture->directory, O_RDONLY | O_DIRECTORY);
        trace_merge_init(&fixture->merge, (TraceMergeSink) { .on_record = on_record, .on_loss = on_loss }, &fixture->counters);
        return 0;
}

static int tear_down(void **state _unused_) {
        char command[64];

        for (size_t i = 0; i < fixture->merge.n_streams; i++)
                close(fixture->writers[i]);
        trace_merge_done(&fixture->merge);
        close(fixture->per_cpu);
        snprintf(command, sizeof(command), "rm -r %s", fixture->directory);
        free(fixture);
        return system(command);
}

static TraceStream *add_stream(bool adopted) {
        size_t i = fixture->merge.n_streams;
        const TraceStreamOptions options = {
                .per_cpu = fixture->per_cpu, .cpu = i, .layout = &layout, .counters = &fixture->counters, .adopted = adopted,
        };
        int sockets[2], size = 8 << 20;

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sockets), 0);
        assert_int_equal(setsockopt(sockets[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0 &&
                         setsockopt(sockets[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0, 0);
        fixture->writers[i] = sockets[0];
        assert_int_equal(trace_merge_add(&fixture->merge, sockets[1], &options), 0);
        return &fixture->merge.streams[i];
}

static void set_stats(unsigned cpu, uint64_t overrun) {
        _cleanup_fclose_ FILE *file = NULL;
        char path[80];

        snprintf(path, sizeof(path), "%s/cpu%u", fixture->directory, cpu);
        mkdir(path, 0700);
        strcat(path, "/stats");
        file = fopen(path, "w");
        assert_non_null(file);
        fprintf(file, "entries: 12345\noverrun: %llu\ncommit overrun: 1\nbytes: 99\noldest event ts: 77.1\nnow ts: 78.2\n"
                "dropped events: 0\nread events: 4\n", (unsigned long long) overrun);
}

/* One page with records of these times; 0 ends the list. */
static void write_page(unsigned cpu, uint64_t flags, const uint64_t *times) {
        Builder b;

        page_at(&b, times[0]);
        for (; *times; times++)
                add(&b, *times);
        commit(&b, flags);
        assert_int_equal(write(fixture->writers[cpu], b.bytes, b.len), b.len);
}

#define page(cpu, ...) write_page((cpu), 0, (const uint64_t[]) { __VA_ARGS__, 0 })
#define page_after_loss(cpu, ...) write_page((cpu), LOST, (const uint64_t[]) { __VA_ARGS__, 0 })

static TraceMergeResult run_until(uint64_t horizon) {
        return trace_merge_run(&fixture->merge, horizon, SIZE_MAX);
}

#define expect(...)                                                                                     \
        do {                                                                                            \
                const uint64_t _times[] = { 0, ##__VA_ARGS__ };                                         \
                assert_int_equal(fixture->n, ARRAY_SIZE(_times) - 1);                                   \
                assert_memory_equal(fixture->times, _times + 1, fixture->n * sizeof(fixture->times[0])); \
                fixture->n = 0;                                                                         \
        } while (0)

static void test_order(void **state _unused_) {
        add_stream(false);
        add_stream(false);
        add_stream(false);
        page(0, 10, 40, 70, UINT64_C(1) << 40);
        page(2, 20, 30, 80);
        page(2, 81, 82);
        page(1, 25, 90);
        assert_int_equal(run_until(UINT64_MAX), TRACE_MERGE_EMPTY);
        expect(10, 20, 25, 30, 40, 70, 80, 81, 82, 90, UINT64_C(1) << 40);
        assert_int_equal(fixture->counters.trace_records, 11);
        assert_int_equal(fixture->counters.trace_out_of_order, 0);
}

/* What is younger than the horizon waits for what may still come, or for what others tell. */
static void test_horizon(void **state _unused_) {
        add_stream(false);
        add_stream(false);
        page(0, 10, 20, 30);
        assert_int_equal(run_until(20), TRACE_MERGE_HELD);
        expect(10, 20);
        page(1, 25, 40);
        assert_int_equal(run_until(24), TRACE_MERGE_HELD);
        expect();
        assert_int_equal(run_until(30), TRACE_MERGE_HELD);
        expect(25, 30);
        assert_int_equal(run_until(39), TRACE_MERGE_HELD);
        expect();
        assert_int_equal(run_until(40), TRACE_MERGE_EMPTY);
        expect(40);
        assert_int_equal(fixture->counters.trace_out_of_order, 0);
}

static void test_late(void **state _unused_) {
        add_stream(false);
        add_stream(false);
        page(0, 100);
        assert_int_equal(run_until(100), TRACE_MERGE_EMPTY);
        page(1, 99, 100, 101);
        assert_int_equal(run_until(200), TRACE_MERGE_EMPTY);
        expect(100, 99, 100, 101);
        assert_int_equal(fixture->counters.trace_out_of_order, 1);
}

/* At the limit, nothing goes on that a page not read yet could precede. */
static void test_limit(void **state _unused_) {
        add_stream(false);
        add_stream(false);
        page(0, 10, 20);
        page(0, 21, 30);
        page(0, 31);
        page(1, 15, 25, 40);
        assert_int_equal(trace_merge_run(&fixture->merge, 1000, 0), TRACE_MERGE_MORE);
        expect(10, 15, 20);
        assert_int_equal(trace_merge_run(&fixture->merge, 1000, 0), TRACE_MERGE_MORE);
        expect(21, 25, 30);
        assert_int_equal(trace_merge_run(&fixture->merge, 1000, 7), TRACE_MERGE_EMPTY);
        expect(31, 40);
}

/* A read of nothing is not the end: there may be more behind it. */
static void test_read_of_nothing(void **state _unused_) {
        add_stream(false);
        add_stream(false);
        page(0, 10);
        assert_int_equal(write(fixture->writers[0], "", 0), 0);
        assert_int_equal(write(fixture->writers[0], "", 0), 0);
        page(0, 20);
        page(1, 30);
        assert_int_equal(run_until(100), TRACE_MERGE_EMPTY);
        expect(10, 20, 30);
        assert_int_equal(fixture->counters.trace_malformed, 0);
}

static void test_malformed(void **state _unused_) {
        Builder b;

        add_stream(false);
        page(0, 10);
        assert_int_equal(write(fixture->writers[0], "no page", 7), 7);
        page_at(&b, 20);
        add(&b, 20);
        put_word(&b, 20, 1);
        commit(&b, 0);
        assert_int_equal(write(fixture->writers[0], b.bytes, b.len), b.len);
        page(0, 30);
        assert_int_equal(run_until(100), TRACE_MERGE_EMPTY);
        expect(10, 20, 30);
        assert_int_equal(fixture->counters.trace_malformed, 2);
}

static void test_error(void **state _unused_) {
        const TraceStream *stream;

        add_stream(false);
        add_stream(false);
        stream = &fixture->merge.streams[0];
        page(1, 10);
        assert_int_equal(dup2(fixture->per_cpu, stream->fd), stream->fd);
        assert_int_equal(run_until(100), TRACE_MERGE_EMPTY);
        assert_int_equal(stream->error, -EISDIR);
        expect(10);
}

static void expect_loss(size_t i, uint64_t count, uint64_t lost_before) {
        assert_true(i < fixture->n_losses);
        assert_int_equal(fixture->losses[i].count, count);
        assert_int_equal(fixture->lost_before[i], lost_before);
}

/* The sum is that of the statistics, however many pages tell of it, and whichever of them have a number. */
static void test_loss(void **state _unused_) {
        const TraceStream *stream = add_stream(false);

        set_stats(0, 4); /* and one of another kind */
        page(0, 10);
        page_after_loss(0, 20, 25);
        assert_int_equal(run_until(100), TRACE_MERGE_EMPTY);
        assert_int_equal(fixture->n_losses, 1);
        expect_loss(0, 5, 1);
        assert_int_equal(fixture->losses[0].since_ns, 10);
        assert_true(fixture->losses[0].until_ns > 25);

        page_after_loss(0, 30);
        page(0, 40);
        assert_int_equal(run_until(100), TRACE_MERGE_EMPTY);
        assert_int_equal(fixture->n_losses, 1);

        set_stats(0, 1004);
        page_after_loss(0, 50);
        assert_int_equal(run_until(100), TRACE_MERGE_EMPTY);
        assert_int_equal(fixture->n_losses, 2);
        expect_loss(1, 1000, 5);
        assert_int_equal(fixture->losses[1].since_ns, 40);
        assert_int_equal(stream->n_overrun, 1005);
}

/* Without statistics, it is the page's word, or nobody's. */
static void test_loss_without_statistics(void **state _unused_) {
        Builder b;

        add_stream(false);
        page_after_loss(0, 10);
        page_at(&b, 20);
        add(&b, 20);
        commit(&b, LOST | LOST_STORED);
        put_u64(&b, 12);
        assert_int_equal(write(fixture->writers[0], b.bytes, b.len), b.len);
        assert_int_equal(run_until(100), TRACE_MERGE_EMPTY);
        assert_int_equal(fixture->n_losses, 2);
        expect_loss(0, 0, 0);
        expect_loss(1, 12, 1);
}

/* Of what was lost before, another reader told. */
static void test_loss_adopted(void **state _unused_) {
        set_stats(0, 1000);
        add_stream(true);
        page_after_loss(0, 10);
        assert_int_equal(run_until(100), TRACE_MERGE_EMPTY);
        expect_loss(0, 0, 0);
        assert_int_equal(fixture->losses[0].since_ns, 0);

        set_stats(0, 1007);
        page_after_loss(0, 20);
        assert_int_equal(run_until(100), TRACE_MERGE_EMPTY);
        expect_loss(1, 7, 1);
        assert_int_equal(fixture->losses[1].since_ns, 10);
}

/* However the records are spread and however late each CPU's become readable within the margin: all come, in order. */
static void test_random(void **state _unused_) {
        enum { STREAMS = 7, RECORDS = 100000, MARGIN = 500 };
        uint64_t now = 1000, pending[STREAMS][512] = {};
        size_t n_pending[STREAMS] = {};

        srandom(11);
        for (size_t i = 0; i < STREAMS; i++)
                add_stream(false);
        for (size_t n = 0; n < RECORDS;) {
                unsigned cpu = random() % 4 ? random() % STREAMS : 0;

                now += random() % 20 + 1;
                pending[cpu][n_pending[cpu]++] = now;
                n++;
                for (size_t i = 0; i < STREAMS; i++)
                        if (n_pending[i] > 0 && (random() % 50 == 0 || now - pending[i][0] > MARGIN - 21 || n_pending[i] > 250 ||
                                                 n == RECORDS)) {
                                pending[i][n_pending[i]] = 0;
                                write_page(i, 0, pending[i]);
                                n_pending[i] = 0;
                        }
                if (random() % 100 == 0)
                        trace_merge_run(&fixture->merge, now - MARGIN, random() % 20);
        }
        while (trace_merge_run(&fixture->merge, now, 3) != TRACE_MERGE_EMPTY)
                ;
        assert_int_equal(fixture->n, RECORDS);
        assert_int_equal(fixture->counters.trace_out_of_order, 0);
        for (size_t i = 1; i < fixture->n; i++)
                assert_true(fixture->times[i] > fixture->times[i - 1]);
}

int main(void) {
#define merge_test(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_page),
                cmocka_unit_test(test_page_time_wraps),
                cmocka_unit_test(test_page_lost),
                cmocka_unit_test(test_page_commit_of_four_bytes),
                cmocka_unit_test(test_page_garbage),
                merge_test(test_order),
                merge_test(test_horizon),
                merge_test(test_late),
                merge_test(test_limit),
                merge_test(test_read_of_nothing),
                merge_test(test_malformed),
                merge_test(test_error),
                merge_test(test_loss),
                merge_test(test_loss_without_statistics),
                merge_test(test_loss_adopted),
                merge_test(test_random),
        };

        return cmocka_run_group_tests_name("trace-merge", tests, NULL, NULL);
}
