/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trace records built after `format` files, by other code than the decoder's, and a decoder to feed them to. */
#pragma once

#include "test.h"

#include "source/trace-decode.h"
#include "source/trace-recent.h"

#define TRACE_FORMAT_SIZE ((size_t) 64 << 10)
#define TRACE_TIME UINT64_C(1795310036540000)

/* A file of tests/data/trace-formats/GENERATION, NUL-terminated; TEXT_NULL if there is none. */
Text fixture_read(const char *generation, const char *file, char buffer[static TRACE_FORMAT_SIZE]);

/* The same of an event. */
Text fixture_format(const char *generation, const char *event, char buffer[static TRACE_FORMAT_SIZE]);

/* Group of an event. */
Text fixture_group(const char *event);

bool fixture_has_field(const char *format, const char *field);

typedef struct TraceValue {
        const char *field; /* NULL ends them */
        int64_t number;
        Text text; /* known: the field is one */
} TraceValue;

#define NUMBER(field, number) { field, number, {} }
#define TEXT(field, literal) { field, 0, { literal, sizeof(literal) - 1 } }
#define DENIED_IN(thread) \
        NUMBER("common_pid", thread), NUMBER("domain_id", 0x19081e39a), NUMBER("same_exec", 0), NUMBER("logged", 1), \
                NUMBER("log_same_exec", 0), NUMBER("log_new_exec", 1)
#define BLOCKER_BIT(name) (UINT64_C(1) << BLOCKER_##name)

typedef struct TraceRecord {
        char data[1024];
        size_t size;
        size_t text_at; /* where the location of its text stands, 0 if it has none */
} TraceRecord;

/* Fields that have no value are 0. A value whose field the format does not have is left out: generations differ. */
TraceRecord fixture_record(const char *format, const TraceValue *values);

typedef struct TraceFixture {
        TraceDecoder *decoder;
        Counters counters;
        Fact fact; /* the last */
        unsigned n_facts;
        int64_t followed; /* the one thread that is; 230 at first */
} TraceFixture;

int fixture_set_up(void **state);
int fixture_tear_down(void **state);

#define TRACE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

/* Adds the event's format, which must be taken. Returns what it says is missing. */
const char *fixture_add(TraceFixture *fixture, const char *event, Text format);

/* Feeds the first `size` bytes of the record alone, at an odd address; AddressSanitizer sees the next byte read. Facts
 * and counters begin anew. Returns the bytes, which the fact's texts are in; free() them. */
char *fixture_feed(TraceFixture *fixture, const TraceRecord *record, size_t size);
