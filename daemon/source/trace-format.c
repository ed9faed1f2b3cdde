/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/trace-format.h"

#include <traceevent/event-parse.h>

/* Those of the kernel have a few KiB, of which most is the print format. */
#define FORMAT_MAX ((size_t) 64 << 10)

struct TraceFormat {
        struct tep_handle *tep;
        struct tep_event *event; /* owned by tep */
};

int trace_field_text(const TraceField *field, const void *record, size_t size, Text *ret) {
        const char *p = (const char *) record + field->offset;
        uint32_t location;
        size_t offset, len;

        if (field->kind == TRACE_FIELD_FIXED_TEXT) {
                *ret = (Text) { p, strnlen(p, field->size) };
                return 0;
        }

        memcpy(&location, p, sizeof(location));
        offset = (location & UINT16_MAX) + (field->kind == TRACE_FIELD_RELATIVE_TEXT ? trace_field_end(field) : 0);
        len = location >> 16;
        if (len == 0) {
                *ret = TEXT_NULL;
                return 0;
        }
        if (offset > size || len > size - offset)
                return -EBADMSG;

        p = (const char *) record + offset;
        *ret = (Text) { p, len - (p[len - 1] == '\0') };
        return 0;
}

/* Length of the line at the start of the text if it has this shape, with its end; 0 if not. */
static size_t line_of(const char *text, const char *shape) {
        int end = 0;

        (void) sscanf(text, shape, &end);
        return end > 0 && text[end] == '\n' ? (size_t) end + 1 : 0;
}

/* A type, a name, and where it is: "char comm[16]", "__data_loc char[] comm". */
static size_t line_of_field(const char *text) {
#define WORDS "\tfield:%*[A-Za-z0-9_]%*[ ]%*[A-Za-z0-9_ *]"
#define PLACE "%n;\toffset:%*5[0-9];\tsize:%*5[0-9];\tsigned:%*1[01];%n"
        static const char *const shapes[] = {
                WORDS PLACE,
                WORDS "[%*[A-Za-z0-9_]]" PLACE,
                WORDS "[] %*[A-Za-z0-9_]" PLACE,
        };
#undef WORDS
#undef PLACE

        for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
                int end_of_name = 0, end = 0;

                (void) sscanf(text, shapes[i], &end_of_name, &end);
                if (end > 0 && text[end] == '\n')
                        return strchr(" *", text[end_of_name - 1]) ? 0 : (size_t) end + 1;
        }
        return 0;
}

/* Length of what stands before the print format; 0 if that is not just as the kernel writes it: of anything else,
 * libtraceevent leaks memory and dereferences NULL. */
static size_t length_of_fields(const char *text) {
        static const char *const head[] = { "name: %*[A-Za-z0-9_]%n", "ID: %*5[0-9]%n", "format:%n" };
        const char *p = text;

        for (size_t i = 0; i < ARRAY_SIZE(head); i++) {
                size_t len = line_of(p, head[i]);

                if (len == 0)
                        return 0;
                p += len;
        }
        for (size_t len = 1; len > 0; p += len)
                len = *p == '\n' ? 1 : line_of_field(p);
        return *p == '\0' || strncmp(p, "print fmt:", strlen("print fmt:")) == 0 ? (size_t) (p - text) : 0;
}

/* A copy for libtraceevent. The print format is C, which it parses at length and does not always understand; nothing
 * here prints. */
static int copy_without_print_format(Text text, char **ret) {
        static const char none[] = "\nprint fmt: \"\"\n";
        _cleanup_free_ char *copy = NULL;
        size_t len;

        if (text.len == 0 || text.len > FORMAT_MAX || memchr(text.data, '\0', text.len))
                return -EINVAL;
        copy = malloc(text.len + sizeof(none));
        if (!copy)
                return -ENOMEM;
        memcpy(copy, text.data, text.len);
        copy[text.len] = '\0';

        len = length_of_fields(copy);
        if (len == 0)
                return -EINVAL;
        memcpy(copy + len, none, sizeof(none));
        *ret = TAKE_PTR(copy);
        return 0;
}

/* All that is read from records relies on this one field. */
static bool begins_with_id(const TraceFormat *format) {
        TraceField field;

        return trace_format_find(format, "common_type", false, &field) == 0 && field.offset == 0 &&
               field.size == sizeof(uint16_t);
}

int trace_format_parse(TraceFormat **ret, Text text) {
        _cleanup_(trace_format_freep) TraceFormat *format = calloc(1, sizeof(TraceFormat));
        _cleanup_free_ char *copy = NULL;
        int r;

        r = copy_without_print_format(text, &copy);
        if (r < 0)
                return r;
        if (!format)
                return -ENOMEM;

        /* What is wrong with the text is the caller's to report. */
        tep_set_loglevel(TEP_LOG_NONE);
        format->tep = tep_alloc();
        if (!format->tep)
                return -ENOMEM;
        if (tep_parse_format(format->tep, &format->event, copy, strlen(copy), "") != TEP_ERRNO__SUCCESS)
                return -EINVAL;
        if (!format->event->name || format->event->id <= 0 || format->event->id > UINT16_MAX || !begins_with_id(format))
                return -EINVAL;

        *ret = TAKE_PTR(format);
        return 0;
}

TraceFormat *trace_format_free(TraceFormat *format) {
        if (!format)
                return NULL;
        tep_free(format->tep);
        free(format);
        return NULL;
}

const char *trace_format_name(const TraceFormat *format) {
        return format->event->name;
}

uint16_t trace_format_id(const TraceFormat *format) {
        return format->event->id;
}

static TraceFieldKind kind_of(const struct tep_format_field *field) {
        bool power_of_two = field->size > 0 && (field->size & (field->size - 1)) == 0;

        if (!(field->flags & TEP_FIELD_IS_ARRAY))
                return power_of_two && field->size <= (int) sizeof(uint64_t) ? TRACE_FIELD_NUMBER : TRACE_FIELD_ABSENT;
        if (!(field->flags & TEP_FIELD_IS_STRING))
                return TRACE_FIELD_ABSENT;
        if (!(field->flags & TEP_FIELD_IS_DYNAMIC))
                return TRACE_FIELD_FIXED_TEXT;
        if (field->size != sizeof(uint32_t))
                return TRACE_FIELD_ABSENT;
        return field->flags & TEP_FIELD_IS_RELATIVE ? TRACE_FIELD_RELATIVE_TEXT : TRACE_FIELD_LOCATED_TEXT;
}

int trace_format_find(const TraceFormat *format, const char *name, bool text, TraceField *ret) {
        const struct tep_format_field *field = tep_find_any_field(format->event, name);
        TraceFieldKind kind;

        if (!field)
                return -ENOENT;
        kind = kind_of(field);
        if (kind == TRACE_FIELD_ABSENT || text != (kind != TRACE_FIELD_NUMBER))
                return -EBADMSG;
        if (field->offset < 0 || field->size <= 0 || field->offset > UINT16_MAX || field->size > UINT16_MAX)
                return -EBADMSG;

        *ret = (TraceField) {
                .offset = field->offset,
                .size = field->size,
                .kind = kind,
                .is_signed = field->flags & TEP_FIELD_IS_SIGNED,
        };
        return 0;
}
