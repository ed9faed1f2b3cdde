/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the pages that gen-trace wrote, in one of several ways, and writes how many records there were:
 *
 *   facts    as landlockd does: both CPUs merged by time, each record decoded to a Fact
 *   walk     landlockd's page reader alone
 *   kbuffer  libtraceevent's, alone
 *   print    libtraceevent's printing of each record, CPU after CPU, to nowhere */

#include <event-parse.h>
#include <fcntl.h>
#include <inttypes.h>
#include <kbuffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <trace-seq.h>

#include "source/trace-decode.h"
#include "source/trace-merge.h"

#define PAGE_SIZE 4096
#define N_CPUS 2

static const TracePageLayout layout = { .size = PAGE_SIZE, .commit_size = 8 };

typedef struct Bench {
        const char *directory, *formats;
        TraceDecoder *decoder;
        struct tep_handle *tep;
        uint64_t n_records, n_facts, n_bytes;
} Bench;

static void *die(const char *what) {
        fprintf(stderr, "read-trace: %s: %m\n", what);
        exit(EXIT_FAILURE);
}

static int open_cpu(const Bench *bench, unsigned cpu) {
        char path[512];
        int fd;

        snprintf(path, sizeof(path), "%s/cpu%u", bench->directory, cpu);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                die(path);
        return fd;
}

/* Hands each wanted event's format file to `add`. */
static void load_formats(Bench *bench, void (*add)(Bench *bench, const char *group, char *text, size_t size)) {
        static char text[16384];
        char path[512];

        for (size_t i = 0; i < n_trace_event_specs; i++) {
                const TraceEventName *name = &trace_event_specs[i].spellings[0];
                _cleanup_fclose_ FILE *file = NULL;

                if (trace_event_specs[i].stands_in)
                        continue;
                snprintf(path, sizeof(path), "%s/%s.format", bench->formats, name->name);
                file = fopen(path, "re");
                if (!file)
                        die(path);
                add(bench, name->group, text, fread(text, 1, sizeof(text), file));
        }
}

/* --- facts ------------------------------------------------------------------------------------------------------ */

static void on_fact(void *userdata, const Fact *fact _unused_) {
        Bench *bench = userdata;

        bench->n_facts++;
}

static bool follows(void *userdata _unused_, int64_t tid _unused_) {
        return false;
}

static void on_record(void *userdata, const TraceRecord *record, TraceStream *stream _unused_) {
        Bench *bench = userdata;

        trace_decoder_feed(bench->decoder, record->data, record->size, record->time_ns / 1000, record->time_ns / 1000);
}

static void on_loss(void *userdata _unused_, const TraceLoss *loss _unused_, TraceStream *stream _unused_) {
        die("records are lost");
}

static void add_to_decoder(Bench *bench, const char *group, char *text, size_t size) {
        const char *problem;

        if (trace_decoder_add_format(bench->decoder, text_from_string(group), (Text) { text, size }, &problem) < 0)
                die(problem);
}

static void read_facts(Bench *bench) {
        const TraceMergeSink sink = { .on_record = on_record, .on_loss = on_loss, .userdata = bench };
        Counters counters = {};
        TraceMerge merge;

        if (trace_decoder_new(&bench->decoder, (FactSink) { on_fact, follows, bench }, &counters) < 0)
                die("decoder");
        load_formats(bench, add_to_decoder);
        trace_merge_init(&merge, sink, &counters);
        for (unsigned cpu = 0; cpu < N_CPUS; cpu++) {
                const TraceStreamOptions options = { .per_cpu = -1, .cpu = cpu, .layout = &layout, .counters = &counters };

                if (trace_merge_add(&merge, open_cpu(bench, cpu), &options) < 0)
                        die("stream");
        }
        while (trace_merge_run(&merge, UINT64_MAX, 64) != TRACE_MERGE_EMPTY)
                ;
        if (counters.trace_malformed > 0 || counters.trace_out_of_order > 0)
                die("records are malformed or out of order");
        bench->n_records = counters.trace_records;
        trace_merge_done(&merge);
        trace_decoder_free(bench->decoder);
}

/* --- page after page -------------------------------------------------------------------------------------------- */

/* Their bytes are looked at, as any reader would. */
static void see(Bench *bench, const void *data, size_t size) {
        bench->n_records++;
        bench->n_bytes += size + *(const unsigned char *) data;
}

static void walk_page(Bench *bench, unsigned char *bytes, struct kbuffer *kbuffer _unused_, unsigned cpu _unused_) {
        TraceRecord record;
        TracePage page;

        if (trace_page_init(&page, bytes, PAGE_SIZE, &layout) < 0)
                die("page");
        while (trace_page_next(&page, &record) > 0)
                see(bench, record.data, record.size);
}

static void kbuffer_page(Bench *bench, unsigned char *bytes, struct kbuffer *kbuffer, unsigned cpu _unused_) {
        unsigned long long time;

        kbuffer_load_subbuffer(kbuffer, bytes);
        for (void *data = kbuffer_read_event(kbuffer, &time); data; data = kbuffer_next_event(kbuffer, &time))
                see(bench, data, kbuffer_event_size(kbuffer));
}

static void print_page(Bench *bench, unsigned char *bytes, struct kbuffer *kbuffer, unsigned cpu) {
        static struct trace_seq seq;
        unsigned long long time;

        if (!seq.buffer)
                trace_seq_init(&seq);
        kbuffer_load_subbuffer(kbuffer, bytes);
        for (void *data = kbuffer_read_event(kbuffer, &time); data; data = kbuffer_next_event(kbuffer, &time)) {
                struct tep_record record = { .ts = time, .data = data, .size = kbuffer_event_size(kbuffer), .cpu = cpu };

                trace_seq_reset(&seq);
                tep_print_event(bench->tep, &seq, &record, "%16s-%-5d [%03d] %6.1000d: %s: %s\n", TEP_PRINT_COMM, TEP_PRINT_PID,
                                TEP_PRINT_CPU, TEP_PRINT_TIME, TEP_PRINT_NAME, TEP_PRINT_INFO);
                see(bench, seq.buffer, seq.len);
        }
}

static void add_to_tep(Bench *bench, const char *group, char *text, size_t size) {
        if (tep_parse_event(bench->tep, text, size, group) != 0)
                die("format");
}

static void read_pages(Bench *bench, void (*fn)(Bench *bench, unsigned char *bytes, struct kbuffer *kbuffer, unsigned cpu)) {
        struct kbuffer *kbuffer = kbuffer_alloc(KBUFFER_LSIZE_8, KBUFFER_ENDIAN_SAME_AS_HOST);
        static unsigned char bytes[PAGE_SIZE];

        bench->tep = tep_alloc();
        if (!kbuffer || !bench->tep)
                die("libtraceevent");
        load_formats(bench, add_to_tep);
        for (unsigned cpu = 0; cpu < N_CPUS; cpu++) {
                _cleanup_close_ int fd = open_cpu(bench, cpu);

                while (read(fd, bytes, sizeof(bytes)) == sizeof(bytes))
                        fn(bench, bytes, kbuffer, cpu);
        }
        tep_free(bench->tep);
        kbuffer_free(kbuffer);
}

int main(int argc, char *argv[]) {
        Bench bench = {};

        if (argc != 4) {
                fprintf(stderr, "Usage: read-trace facts|walk|kbuffer|print FORMATS DIRECTORY\n");
                return 2;
        }
        bench.formats = argv[2];
        bench.directory = argv[3];
        if (strcmp(argv[1], "facts") == 0)
                read_facts(&bench);
        else if (strcmp(argv[1], "walk") == 0)
                read_pages(&bench, walk_page);
        else if (strcmp(argv[1], "kbuffer") == 0)
                read_pages(&bench, kbuffer_page);
        else if (strcmp(argv[1], "print") == 0)
                read_pages(&bench, print_page);
        else
                return 2;
        printf("{\"records\":%" PRIu64 ",\"facts\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n", bench.n_records, bench.n_facts,
               bench.n_bytes);
        return 0;
}
