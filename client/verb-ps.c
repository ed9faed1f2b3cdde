/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlockctl ps: which processes are in which domain. */
#include <inttypes.h>

#include "client/process-list.h"
#include "client/query.h"
#include "client/table.h"
#include "client/verb.h"

static void add_number(Table *table, const json_t *number) {
        char text[32];

        snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(number));
        table_add(table, json_is_integer(number) ? text : NULL, STYLE_NONE);
}

static void add_process(Table *table, const json_t *process) {
        add_number(table, json_object_get(process, "pid"));
        table_add(table, json_get_text(process, "domain"), STYLE_NONE);
        add_number(table, json_object_get(process, "uid"));
        add_number(table, json_object_get(process, "threads"));
        table_add(table, json_get_text(process, "known"), process_list_style(process));
        table_add(table, json_get_text(process, "comm"), STYLE_NONE);
        table_add(table, json_get_text(process, "exe"), STYLE_NONE);
}

static void print_processes(const json_t *list, uint64_t total, const Options *options) {
        static const TableColumn columns[] = {
                { "PID", true }, { "DOMAIN", false }, { "UID", true }, { "THREADS", true },
                { "KNOWN", false }, { "COMM", false }, { "EXE", false },
        };
        _cleanup_(table_freep) Table *table = table_new(columns, ARRAY_SIZE(columns));
        size_t n = json_array_size(list), i;
        json_t *process;

        json_array_foreach((json_t *) list, i, process)
                add_process(table, process);
        table_print(table, options->legend, options->full, 0);
        if (!options->legend)
                return;
        if (total > n)
                printf("\n%zu of %" PRIu64 " processes listed.\n", n, total);
        else
                printf("\n%zu process%s listed.\n", n, n == 1 ? "" : "es");
}

ExitCode verb_ps(const Options *options) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(json_decrefp) json_t *domain = NULL, *list = NULL;
        uint64_t total;
        ExitCode code;

        code = bus_connection_open(options, &bus);
        if (code == EXIT_CODE_OK)
                code = query_domain_option(bus, options, &domain);
        if (code == EXIT_CODE_OK)
                code = query_processes(bus, json_get_text(domain, "domain"), &list, &total);
        if (code != EXIT_CODE_OK)
                return code;

        process_list_sort(list);
        query_say_shortened("processes", total, list);
        output_begin(options->pager);
        if (options->json > JSON_OFF)
                output_json(list, options->json);
        else
                print_processes(list, total, options);
        return EXIT_CODE_OK;
}
