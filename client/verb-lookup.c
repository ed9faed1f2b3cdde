/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlockctl lookup: in which domain a process is. */
#include <string.h>

#include "client/event-text.h"
#include "client/field.h"
#include "client/memory.h"
#include "client/query.h"
#include "client/table.h"
#include "client/verb.h"

static char *domain_text(const json_t *lookup, Style *ret_style) {
        const char *domain = json_get_text(lookup, "domain");

        *ret_style = domain ? STYLE_BOLD : STYLE_DIM;
        if (domain)
                return field_copy(domain);
        return field_copy(json_is_true(json_object_get(lookup, "outside")) ? "none" : "not known, or not yours to know");
}

static void print_threads(const json_t *threads, const Options *options) {
        static const TableColumn columns[] = { { "THREAD", true }, { "DOMAIN", false } };
        _cleanup_(table_freep) Table *table = table_new(columns, ARRAY_SIZE(columns));
        json_t *thread;
        size_t i;

        if (json_array_size(threads) == 0)
                return;
        json_array_foreach((json_t *) threads, i, thread) {
                table_take(table, format_text("%" JSON_INTEGER_FORMAT, json_get_number(thread, "tid")), STYLE_NONE);
                table_add(table, json_get_text(thread, "domain"), STYLE_NONE);
        }
        putchar('\n');
        table_print(table, options->legend, true, 8);
}

static void print_lookup(const json_t *lookup, const Options *options) {
        const char *nested = json_get_text(lookup, "nested_domain"), *domain = json_get_text(lookup, "domain");
        Style style;
        char *text = domain_text(lookup, &style);

        field_print("Process", format_text("%" JSON_INTEGER_FORMAT, json_get_number(lookup, "pid")), STYLE_NONE);
        field_print("Started", event_text_time_exact(json_object_get(lookup, "started")), STYLE_NONE);
        field_print("Domain", text, style);
        field_print("UUID", field_copy(json_get_text(lookup, "domain_uuid")), STYLE_NONE);
        if (domain)
                field_print("Known from", field_copy(json_get_text(lookup, "known")), STYLE_NONE);
        /* Of several around each other; from within a domain, the first one in that. */
        if (nested && (!domain || strcmp(nested, domain) != 0))
                field_print("Outermost", field_copy(nested), STYLE_NONE);
        print_threads(json_object_get(lookup, "threads"), options);
}

static ExitCode query_pid(sd_bus *bus, const char *arg, json_t **ret) {
        uint64_t pid;

        if (text_parse_u64(text_from_string(arg), 10, &pid) < 0 || pid < 1 || pid > INT32_MAX) {
                output_error("'%s' is no process ID.", arg);
                return EXIT_CODE_USAGE;
        }
        return query_lookup_pid(bus, pid, ret);
}

static ExitCode query_one(sd_bus *bus, const Options *options, const char *arg, json_t **ret) {
        if (options->self)
                return query_lookup_self(bus, ret);
        if (options->pidfd >= 0)
                return query_lookup_pidfd(bus, options->pidfd, ret);
        return query_pid(bus, arg, ret);
}

/* One that is not found keeps none of the others from being shown. */
static ExitCode collect(sd_bus *bus, const Options *options, json_t *list) {
        ExitCode code = EXIT_CODE_OK, last;
        size_t n = MAX(options->n_args, (size_t) 1);

        for (size_t i = 0; i < n; i++) {
                json_t *lookup = NULL;

                last = query_one(bus, options, options->args[i], &lookup);
                if (last == EXIT_CODE_OK)
                        json_add(list, lookup);
                else
                        code = last;
                if (last != EXIT_CODE_OK && last != EXIT_CODE_NOT_FOUND)
                        break;
        }
        return code;
}

ExitCode verb_lookup(const Options *options) {
        _cleanup_(json_decrefp) json_t *list = check_memory(json_array());
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        json_t *lookup;
        ExitCode code;
        size_t i;

        if ((options->n_args > 0) + (options->pidfd >= 0) + options->self != 1) {
                output_error("'lookup' needs process IDs, or --pidfd=FD, or --self.");
                return EXIT_CODE_USAGE;
        }
        code = bus_connection_open(options, &bus);
        if (code != EXIT_CODE_OK)
                return code;
        code = collect(bus, options, list);

        output_begin(options->pager);
        if (options->json > JSON_OFF)
                output_json(list, options->json);
        else
                json_array_foreach(list, i, lookup) {
                        if (i > 0)
                                putchar('\n');
                        print_lookup(lookup, options);
                }
        return code;
}
