/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-trace-fixture.h"

Text fixture_read(const char *generation, const char *file, char buffer[static TRACE_FORMAT_SIZE]) {
        _cleanup_free_ char *path = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        size_t len;

        assert_true(
                asprintf(&path, "%s/tests/data/trace-formats/%s/%s", getenv("SRCDIR") ?: ".", generation, file) > 0);
        f = fopen(path, "re");
        if (!f)
                return TEXT_NULL;
        len = fread(buffer, 1, TRACE_FORMAT_SIZE - 1, f);
        buffer[len] = '\0';
        return (Text) { buffer, len };
}

Text fixture_format(const char *generation, const char *event, char buffer[static TRACE_FORMAT_SIZE]) {
        _cleanup_free_ char *file = NULL;

        assert_true(asprintf(&file, "%s.format", event) > 0);
        return fixture_read(generation, file, buffer);
}

Text fixture_group(const char *event) {
        if (strncmp(event, "landlock_", strlen("landlock_")) == 0)
                return TEXT_LITERAL("landlock");
        if (strncmp(event, "sys_", strlen("sys_")) == 0)
                return TEXT_LITERAL("syscalls");
        return strncmp(event, "task_", strlen("task_")) == 0 ? TEXT_LITERAL("task") : TEXT_LITERAL("sched");
}

static bool place_of(const char *format, const char *field, size_t *ret_offset, size_t *ret_size) {
        char needle[64];
        const char *p;

        snprintf(needle, sizeof(needle), " %s;\toffset:", field);
        p = strstr(format, needle);
        if (!p)
                return false;
        assert_int_equal(sscanf(p + strlen(needle), "%zu;\tsize:%zu;", ret_offset, ret_size), 2);
        return true;
}

bool fixture_has_field(const char *format, const char *field) {
        size_t offset, size;

        return place_of(format, field, &offset, &size);
}

/* Bytes after which texts may stand. */
static size_t end_of_fields(const char *format) {
        size_t end = 0, offset, size;

        for (const char *p = format; (p = strstr(p, ";\toffset:")); p++) {
                assert_int_equal(sscanf(p, ";\toffset:%zu;\tsize:%zu;", &offset, &size), 2);
                end = MAX(end, offset + size);
        }
        return end;
}

static void put(TraceRecord *record, size_t offset, size_t size, int64_t number) {
        /* Little end first, as this machine's; a cut number is a mistake of the test. */
        assert_true(size == 8 || (number >> (8 * size)) == 0 || (number >> (8 * size)) == -1);
        memcpy(record->data + offset, &number, size);
}

static void put_text(TraceRecord *record, const char *format, size_t offset, Text text) {
        bool relative = strstr(format, "__rel_loc");
        uint32_t at = record->size - (relative ? offset + sizeof(at) : 0);

        memcpy(record->data + record->size, text.data, text.len);
        record->size += text.len;
        put(record, offset, sizeof(at), at | text.len << 16);
        record->text_at = offset;
}

TraceRecord fixture_record(const char *format, const TraceValue *values) {
        TraceRecord record = { .size = end_of_fields(format) };
        size_t offset, size;
        uint16_t id;

        assert_int_equal(sscanf(strstr(format, "\nID: "), "\nID: %hu", &id), 1);
        put(&record, 0, sizeof(id), id);
        for (const TraceValue *v = values; v->field; v++) {
                if (!place_of(format, v->field, &offset, &size))
                        continue;
                if (text_known(v->text))
                        put_text(&record, format, offset, v->text);
                else
                        put(&record, offset, size, v->number);
        }
        return record;
}

static void on_fact(void *userdata, const Fact *fact) {
        TraceFixture *fixture = userdata;

        fixture->fact = *fact;
        fixture->n_facts++;
}

static bool on_follows(void *userdata, int64_t tid) {
        TraceFixture *fixture = userdata;

        return fixture->followed == tid;
}

int fixture_set_up(void **state) {
        TraceFixture *fixture = calloc(1, sizeof(TraceFixture));

        assert_non_null(fixture);
        fixture->followed = 230;
        assert_int_equal(trace_decoder_new(&fixture->decoder, (FactSink) { on_fact, on_follows, fixture },
                                           &fixture->counters), 0);
        *state = fixture;
        return 0;
}

int fixture_tear_down(void **state) {
        TraceFixture *fixture = *state;

        assert_null(trace_decoder_free(fixture->decoder));
        free(fixture);
        return 0;
}

const char *fixture_add(TraceFixture *fixture, const char *event, Text format) {
        const char *problem = NULL;

        assert_int_equal(trace_decoder_add_format(fixture->decoder, fixture_group(event), format, &problem), 0);
        assert_non_null(problem);
        return problem;
}

char *fixture_feed(TraceFixture *fixture, const TraceRecord *record, size_t size) {
        char *copy = malloc(size + 1);

        assert_non_null(copy);
        memcpy(copy + 1, record->data, size);
        fixture->n_facts = 0;
        fixture->counters = (Counters) {};
        trace_decoder_feed(fixture->decoder, copy + 1, size, TRACE_TIME, TRACE_TIME);
        return copy;
}
