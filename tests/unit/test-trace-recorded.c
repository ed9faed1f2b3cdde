/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages of a real ring buffer, as tests/integration/record-trace-pages has recorded them, and the Facts that they hold;
 * then the same pages damaged in every byte. WRITE_GOLDEN=1 writes down the Facts. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "source/trace-decode.h"
#include "source/trace-merge.h"

#define PAGE_SIZE 4096
#define N_CPUS 2

static const TracePageLayout layout = { .size = PAGE_SIZE, .commit_size = 8 };
static Counters counters;
static TraceDecoder *decoder;

static char *path_of(const char *name) {
        char *path;

        assert_true(asprintf(&path, "%s/tests/data/trace-pages/%s", getenv("SRCDIR") ?: ".", name) > 0);
        return path;
}

static size_t read_whole(const char *name, void *buffer, size_t size) {
        _cleanup_free_ char *path = path_of(name);
        _cleanup_fclose_ FILE *file = fopen(path, "re");

        assert_non_null(file);
        return fread(buffer, 1, size, file);
}

/* --- what they hold ---------------------------------------------------------------------------------------------- */

static void print_text(FILE *out, const char *key, Text text) {
        _cleanup_free_ char *escaped = NULL;

        if (!text_known(text))
                return;
        assert_int_equal(text_escape(text, &escaped), 0);
        fprintf(out, " %s=\"%s\"", key, escaped);
}

static void print_denial(FILE *out, const Denial *d) {
        int64_t tid = 0;

        denial_subject_id(d, SUBJECT_tid, &tid);
        fprintf(out, " domain=%" PRIx64 " blockers=%" PRIx64 " tid=%" PRIi64 " kind=%s same_exec=%d logged=%d", d->domain,
                d->blockers.known, tid, object_kind_to_string(d->object.kind), d->same_exec, d->logged);
        print_text(out, "path", d->object.path);
        print_text(out, "comm", d->object.comm);
        if (d->object.has_ino)
                fprintf(out, " ino=%" PRIu64 " dev=%" PRIu32 ":%" PRIu32, d->object.ino, d->object.dev_major, d->object.dev_minor);
        if (d->object.has_pid)
                fprintf(out, " pid=%" PRIi64, d->object.pid);
        if (d->object.has_domain)
                fprintf(out, " other_domain=%" PRIx64, d->object.domain);
        if (d->object.has_remote_port)
                fprintf(out, " remote_port=%u", d->object.remote_port);
}

static void print_rule(FILE *out, const RuleAddition *added) {
        const Rule *rule = &added->rule;

        fprintf(out, " ruleset=%" PRIx64 " version=%" PRIu64 " access=%" PRIx64 " ino=%" PRIu64 " port=%" PRIu64, added->ruleset,
                rule->version, rule->access, rule->ino, rule->port);
        print_text(out, "path", rule->path);
}

static void on_fact(void *userdata, const Fact *fact) {
        static const char *const names[] = {
                [FACT_RULESET_CREATED] = "ruleset-created", [FACT_RULE_ADDED] = "rule-added",
                [FACT_RULESET_FREED] = "ruleset-freed",     [FACT_DOMAIN_CREATED] = "domain-created",
                [FACT_DOMAIN_ENFORCED] = "domain-enforced", [FACT_DOMAIN_FREED] = "domain-freed",
                [FACT_ACCESS_DENIED] = "denied",            [FACT_TASK_FORKED] = "forked",
                [FACT_TASK_EXECED] = "execed",              [FACT_TASK_EXITED] = "exited",
        };
        FILE *out = userdata;

        if (!out)
                return;
        assert_true((size_t) fact->type < ARRAY_SIZE(names) && names[fact->type]);
        fprintf(out, "%" PRIu64 " %s", fact->boot_usec, names[fact->type]);
        switch (fact->type) {
        case FACT_RULESET_CREATED:
                fprintf(out, " ruleset=%" PRIx64 " tid=%" PRIi64, fact->ruleset_created.ruleset, fact->ruleset_created.tid);
                for (size_t i = 0; i < ARRAY_SIZE(fact->ruleset_created.handled.bits); i++)
                        fprintf(out, " handled=%" PRIx64, fact->ruleset_created.handled.bits[i]);
                break;
        case FACT_RULE_ADDED:
                print_rule(out, &fact->rule_added);
                break;
        case FACT_RULESET_FREED:
                fprintf(out, " ruleset=%" PRIx64, fact->ruleset_freed.ruleset);
                break;
        case FACT_DOMAIN_CREATED:
                fprintf(out, " domain=%" PRIx64 " parent=%" PRIx64 " ruleset=%" PRIx64 " version=%" PRIu64 " tid=%" PRIi64,
                        fact->created.domain, fact->created.parent, fact->created.ruleset, fact->created.ruleset_version,
                        fact->created.creator.tid);
                break;
        case FACT_DOMAIN_ENFORCED:
                fprintf(out, " domain=%" PRIx64 " tid=%" PRIi64 " process_wide=%d no_new_privs=%d", fact->enforced.domain,
                        fact->enforced.task.tid, fact->enforced.process_wide, fact->enforced.no_new_privs);
                break;
        case FACT_DOMAIN_FREED:
                fprintf(out, " domain=%" PRIx64 " denials=%" PRIu64, fact->freed.domain, fact->freed.n_denials);
                break;
        case FACT_ACCESS_DENIED:
                print_denial(out, &fact->denied);
                break;
        case FACT_TASK_FORKED:
                fprintf(out, " parent=%" PRIi64 " tid=%" PRIi64 " thread=%d", fact->forked.parent_tid, fact->forked.tid,
                        fact->forked.is_thread);
                break;
        case FACT_TASK_EXECED:
                fprintf(out, " tid=%" PRIi64 " before=%" PRIi64, fact->execed.task.tid, fact->execed.old_tid);
                print_text(out, "comm", fact->execed.task.comm);
                print_text(out, "exe", fact->execed.task.exe);
                break;
        case FACT_TASK_EXITED:
                fprintf(out, " tid=%" PRIi64, fact->exited.tid);
                break;
        default:
                fail_msg("no fact of a trace event: %d", fact->type);
        }
        fputc('\n', out);
}

/* All tasks of the recording are of the program's. */
static bool follows(void *userdata _unused_, int64_t tid _unused_) {
        return true;
}

static void set_up_decoder(FILE *out) {
        const char *problem;

        assert_int_equal(trace_decoder_new(&decoder, (FactSink) { on_fact, follows, out }, &counters), 0);
        for (size_t i = 0; i < n_trace_event_specs; i++) {
                const TraceEventName *name = &trace_event_specs[i].spellings[0];
                char file[128], format[8192];

                /* They were not needed there. */
                if (trace_event_specs[i].stands_in)
                        continue;
                snprintf(file, sizeof(file), "formats/%s.format", name->name);
                assert_int_equal(trace_decoder_add_format(decoder, text_from_string(name->group),
                                                          (Text) { format, read_whole(file, format, sizeof(format)) }, &problem), 0);
        }
}

static void on_record(void *userdata _unused_, const TraceRecord *record, TraceStream *stream _unused_) {
        trace_decoder_feed(decoder, record->data, record->size, record->time_ns / 1000, record->time_ns / 1000);
}

static void on_loss(void *userdata _unused_, const TraceLoss *loss _unused_, TraceStream *stream _unused_) {
        fail_msg("nothing was lost");
}

static void decode_all(FILE *out) {
        const TraceMergeSink sink = { .on_record = on_record, .on_loss = on_loss };
        TraceMerge merge;

        counters = (Counters) {};
        set_up_decoder(out);
        trace_merge_init(&merge, sink, &counters);
        for (unsigned cpu = 0; cpu < N_CPUS; cpu++) {
                const TraceStreamOptions options = { .per_cpu = -1, .cpu = cpu, .layout = &layout, .counters = &counters };
                _cleanup_free_ char *path = path_of(cpu == 0 ? "cpu0" : "cpu1");

                assert_int_equal(trace_merge_add(&merge, open(path, O_RDONLY | O_CLOEXEC), &options), 0);
        }
        while (trace_merge_run(&merge, UINT64_MAX, 64) != TRACE_MERGE_EMPTY)
                ;
        trace_merge_done(&merge);
        decoder = trace_decoder_free(decoder);
}

static void test_facts(void **state _unused_) {
        static char expected[64 << 10];
        _cleanup_free_ char *got = NULL, *path = path_of("facts.txt");
        size_t n_got, n_expected;
        FILE *out;

        out = open_memstream(&got, &n_got);
        decode_all(out);
        assert_int_equal(fclose(out), 0);
        assert_int_equal(counters.trace_malformed, 0);
        assert_int_equal(counters.trace_out_of_order, 0);

        if (getenv("WRITE_GOLDEN")) {
                _cleanup_fclose_ FILE *golden = fopen(path, "we");

                assert_non_null(golden);
                assert_int_equal(fwrite(got, 1, n_got, golden), n_got);
                return;
        }
        n_expected = read_whole("facts.txt", expected, sizeof(expected) - 1);
        expected[n_expected] = '\0';
        assert_string_equal(got, expected);
}

/* --- damaged ----------------------------------------------------------------------------------------------------- */

/* Whatever is in it, it is read to its end, and no record lies outside. */
static void walk(const unsigned char *bytes, size_t n) {
        TraceRecord record;
        TracePage page;

        if (trace_page_init(&page, bytes, n, &layout) < 0)
                return;
        for (size_t i = 0; trace_page_next(&page, &record) > 0; i++) {
                const unsigned char *data = record.data;

                assert_true(i < PAGE_SIZE && data >= bytes && record.size <= n && data + record.size <= bytes + n);
                trace_decoder_feed(decoder, record.data, record.size, 0, 0);
        }
}

static void test_damaged(void **state _unused_) {
        counters = (Counters) {};
        set_up_decoder(NULL);
        for (unsigned cpu = 0; cpu < N_CPUS; cpu++) {
                static unsigned char page[PAGE_SIZE];
                /* A block of its own: the byte behind it is another's. */
                unsigned char *copy = malloc(PAGE_SIZE);

                assert_non_null(copy);
                assert_int_equal(read_whole(cpu == 0 ? "cpu0" : "cpu1", page, PAGE_SIZE), PAGE_SIZE);
                for (size_t i = 0; i < PAGE_SIZE; i++)
                        for (unsigned bit = 0; bit < 8; bit += 7) {
                                memcpy(copy, page, PAGE_SIZE);
                                copy[i] ^= 1U << bit;
                                walk(copy, PAGE_SIZE);
                        }
                free(copy);
        }
        decoder = trace_decoder_free(decoder);
        assert_true(counters.trace_malformed > 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_facts),
                cmocka_unit_test(test_damaged),
        };

        return cmocka_run_group_tests_name("trace-recorded", tests, NULL, NULL);
}
