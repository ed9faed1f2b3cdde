/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlockctl list: which domains there are. */
#include <string.h>

#include "client/event-text.h"
#include "client/query.h"
#include "client/table.h"
#include "client/verb.h"

static void add_domain(Table *table, const json_t *domain) {
        const json_t *creator = json_object_get(domain, "creator"), *uid = json_object_get(creator, "uid");
        const char *state = json_get_text(domain, "state");
        bool live = state && strcmp(state, "allocated") == 0;
        Style style = live ? STYLE_NONE : STYLE_DIM, denials_style;
        char *denials = event_text_denials(domain, &denials_style), number[32] = "-";

        if (json_is_integer(uid))
                snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(uid));

        table_add(table, json_get_text(domain, "domain"), style);
        table_add(table, state, live ? STYLE_GOOD : STYLE_DIM);
        table_take(table, event_text_process(creator), style);
        table_add(table, number, style);
        table_take(table, denials, denials_style);
        table_take(table, event_text_time(json_object_get(domain, "last_seen")), style);
        table_add(table, json_get_text(domain, "label"), style);
        table_add(table, json_get_text(creator, "exe"), style);
}

/* How many there are of those asked for, -1 if that is not known. */
static json_int_t count_all(const json_t *status, const char *state) {
        const json_t *tables = json_object_get(status, "tables");
        const json_t *live = json_object_get(tables, "domains_live"), *freed = json_object_get(tables, "domains_freed");

        if (!json_is_integer(live) || !json_is_integer(freed))
                return -1;
        return (strcmp(state, "deallocated") != 0 ? json_integer_value(live) : 0) +
               (strcmp(state, "allocated") != 0 ? json_integer_value(freed) : 0);
}

static void print_domains(const json_t *list, const json_t *status, const Options *options) {
        static const TableColumn columns[] = {
                { "DOMAIN", false }, { "STATE", false }, { "CREATOR", false }, { "UID", true },
                { "DENIALS", true }, { "LAST SEEN", false }, { "LABEL", false }, { "EXE", false },
        };
        _cleanup_(table_freep) Table *table = table_new(columns, ARRAY_SIZE(columns));
        size_t n = json_array_size(list), i;
        json_int_t all = count_all(status, options->state);
        json_t *domain;

        json_array_foreach(list, i, domain)
                add_domain(table, domain);
        table_print(table, options->legend, options->full, 0);
        if (!options->legend)
                return;

        if (all > (json_int_t) n)
                printf("\n%zu of %" JSON_INTEGER_FORMAT " domains listed.\n", n, all);
        else
                printf("\n%zu domain%s listed.\n", n, n == 1 ? "" : "s");
        if (strcmp(options->state, "allocated") == 0 && count_all(status, "deallocated") > 0)
                printf("Freed ones are listed with --all.\n");
}

ExitCode verb_list(const Options *options) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(json_decrefp) json_t *list = NULL, *status = NULL;
        ExitCode code;

        code = bus_connection_open(options, &bus);
        if (code == EXIT_CODE_OK)
                code = query_domains(bus, options->state, options->limit, &list);
        if (code == EXIT_CODE_OK)
                code = query_status(bus, &status);
        if (code != EXIT_CODE_OK)
                return code;

        output_begin(options->pager);
        if (options->json > JSON_OFF)
                output_json(list, options->json);
        else
                print_domains(list, status, options);
        return EXIT_CODE_OK;
}
