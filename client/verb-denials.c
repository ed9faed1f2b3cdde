/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlockctl denials: what was denied lately. */
#include <inttypes.h>

#include "client/denial-table.h"
#include "client/memory.h"
#include "client/output.h"
#include "client/query.h"
#include "client/verb.h"

#define LIMIT_DEFAULT 100

static void reverse_list(json_t *list) {
        for (size_t i = 1; i < json_array_size(list); i++) {
                json_t *value = json_incref(json_array_get(list, i));

                if (json_array_remove(list, i) < 0 || json_array_insert_new(list, 0, value) < 0)
                        out_of_memory();
        }
}

/* With the cursor, so that a script can ask for what comes after. */
static void print_json(json_t *list, uint64_t next, const Options *options) {
        _cleanup_(json_decrefp) json_t *value = check_memory(json_object());

        if (options->reverse)
                reverse_list(list);
        json_put(value, "denials", json_incref(list));
        json_put(value, "next", json_integer((json_int_t) next));
        output_json(value, options->json);
}

static void print_table(const json_t *list, uint64_t next, const Options *options) {
        size_t n = json_array_size(list);

        denial_table_print(list, options, true, options->reverse, 0);
        if (options->legend)
                printf("\n%zu denial%s listed. Later ones: --since=%" PRIu64 "\n", n, n == 1 ? "" : "s", next);
}

ExitCode verb_denials(const Options *options) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(json_decrefp) json_t *list = NULL, *domain = NULL;
        DenialsQuery query = { .limit = options->limit ?: LIMIT_DEFAULT, .since = options->since };
        uint64_t next;
        ExitCode code;

        code = bus_connection_open(options, &bus);
        if (code == EXIT_CODE_OK)
                code = query_domain_option(bus, options, &domain);
        if (code != EXIT_CODE_OK)
                return code;

        query.domain = json_get_text(domain, "domain");
        if (options->has_since && query.since == 0)
                query.since = 1; /* from the first one on, not the newest */
        code = query_denials(bus, &query, &list, &next);
        if (code != EXIT_CODE_OK)
                return code;

        output_begin(options->pager);
        if (options->json > JSON_OFF)
                print_json(list, next, options);
        else
                print_table(list, next, options);
        return EXIT_CODE_OK;
}
