/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One record of a ring buffer, in each generation of formats: whatever is in it, a Fact's texts lie in it or are the
 * decoder's, and can be escaped. The first byte of the input says which generation. */
#include <assert.h>
#include <dirent.h>
#include <string.h>

#include "base/macros.h"
#include "fuzz.h"
#include "source/trace-decode.h"

static const char *const generations[] = { "7.3.4", "2026-08", "2026-04", "moved", "wider", "fewer" };

static Counters counters;
static unsigned n_facts;

static void check_text(Text text) {
        _cleanup_free_ char *escaped = NULL;

        if (text_known(text))
                assert(text_escape(text, &escaped) == 0 && strlen(escaped) >= text.len);
}

static void check_denial(const Denial *denial) {
        assert(denial->domain > 0 && !blocker_set_empty(&denial->blockers) && denial->object.kind != OBJECT_UNKNOWN);
        check_text(denial->blockers.other);
        check_text(denial->object.path);
        check_text(denial->object.comm);
}

static void on_fact(void *userdata _unused_, const Fact *fact) {
        n_facts++;
        if (fact->type == FACT_ACCESS_DENIED)
                check_denial(&fact->denied);
        else if (fact->type == FACT_RULE_ADDED)
                check_text(fact->rule_added.rule.path);
}

/* Half of all threads. */
static bool on_follows(void *userdata _unused_, int64_t tid) {
        return tid & 1;
}

static void add_format(TraceDecoder *decoder, const char *directory, const char *file) {
        static char text[64 << 10];
        _cleanup_free_ char *path = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        const char *group = file[0] == 'l' ? "landlock" : file[0] == 's' ? "sched" : "task", *problem;

        if (asprintf(&path, "%s/%s", directory, file) < 0 || !(f = fopen(path, "re")))
                abort();
        trace_decoder_add_format(decoder, text_from_string(group), (Text) { text, fread(text, 1, sizeof(text), f) },
                                 &problem);
}

static TraceDecoder *decoder_of(const char *generation) {
        _cleanup_free_ char *path = NULL;
        TraceDecoder *decoder;
        struct dirent *entry;
        DIR *dir;

        if (asprintf(&path, "%s/tests/data/trace-formats/%s", getenv("SRCDIR") ?: ".", generation) < 0 ||
            trace_decoder_new(&decoder, (FactSink) { on_fact, on_follows, NULL }, &counters) < 0 ||
            !(dir = opendir(path)))
                abort();
        while ((entry = readdir(dir)))
                if (entry->d_name[0] != '.')
                        add_format(decoder, path, entry->d_name);
        closedir(dir);
        return decoder;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static TraceDecoder *decoders[ARRAY_SIZE(generations)];
        _cleanup_free_ void *record = NULL;
        size_t generation;

        if (size == 0)
                return 0;
        generation = data[0] % ARRAY_SIZE(generations);
        if (!decoders[generation])
                decoders[generation] = decoder_of(generations[generation]);

        /* A block of its own: the byte after it is another's. */
        record = malloc(size - 1);
        assert(record);
        memcpy(record, data + 1, size - 1);
        counters = (Counters) {};
        n_facts = 0;
        trace_decoder_feed(decoders[generation], record, size - 1, 0, 0);
        assert(n_facts + counters.trace_malformed <= 1);
        return 0;
}
