/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/denial-table.h"

#include "client/event-text.h"
#include "client/table.h"

static void add_denial(Table *table, const json_t *denial, bool with_domain) {
        table_take(table, event_text_time(json_object_get(denial, "time")), STYLE_NONE);
        if (with_domain)
                table_add(table, json_get_text(denial, "domain"), STYLE_NONE);
        table_take(table, event_text_process(json_object_get(denial, "subject")), STYLE_NONE);
        table_take(table, event_text_names(json_object_get(denial, "blockers")), STYLE_WARNING);
        table_take(table, event_text_object(json_object_get(denial, "object")), STYLE_NONE);
}

void denial_table_print(const json_t *denials, const Options *options, bool with_domain, bool reverse, size_t indent) {
        static const TableColumn all[] = {
                { "TIME", false }, { "DOMAIN", false }, { "PROCESS", false }, { "BLOCKED", false }, { "OBJECT", false },
        };
        static const TableColumn without_domain[] = {
                { "TIME", false }, { "PROCESS", false }, { "BLOCKED", false }, { "OBJECT", false },
        };
        _cleanup_(table_freep) Table *table =
                with_domain ? table_new(all, ARRAY_SIZE(all)) : table_new(without_domain, ARRAY_SIZE(without_domain));
        size_t n = json_array_size(denials);

        for (size_t i = 0; i < n; i++)
                add_denial(table, json_array_get(denials, reverse ? n - 1 - i : i), with_domain);
        table_print(table, options->legend, options->full, indent);
}
