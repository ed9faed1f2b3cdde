/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/rule-table.h"

#include "client/event-text.h"
#include "client/memory.h"
#include "client/table.h"

static void print_rules(const json_t *rules, const Options *options, size_t indent) {
        static const TableColumn columns[] = { { "RULE", true }, { "ON", false }, { "ALLOWED", false } };
        _cleanup_(table_freep) Table *table = table_new(columns, ARRAY_SIZE(columns));
        json_t *rule;
        size_t i;

        if (json_array_size(rules) == 0)
                return;
        json_array_foreach((json_t *) rules, i, rule) {
                char *object = event_text_rule(rule), *access = event_text_names(json_object_get(rule, "access"));

                table_take(table, format_text("%" JSON_INTEGER_FORMAT, json_get_number(rule, "version")), STYLE_NONE);
                table_take(table, object, STYLE_NONE);
                table_take(table, access, STYLE_GOOD);
        }
        putchar('\n');
        table_print(table, options->legend, options->full, indent);
}

void rule_table_print(const json_t *domain, const Options *options, size_t indent) {
        const json_t *rules = json_object_get(domain, "rules"), *ruleset = json_object_get(domain, "ruleset");
        json_int_t unlisted = json_get_number(ruleset, "rules") - (json_int_t) json_array_size(rules);
        json_int_t unknown = json_get_number(ruleset, "rules_unknown");

        print_rules(rules, options, indent);
        if (unlisted > 0)
                printf("%*s%" JSON_INTEGER_FORMAT " more are told by the JSON socket only: too many for D-Bus.\n",
                       (int) indent, "", unlisted);
        if (unknown > 0)
                printf("%*s%s%" JSON_INTEGER_FORMAT " more rule%s not known.%s\n", (int) indent, "",
                       output_style(STYLE_WARNING), unknown, unknown == 1 ? " is" : "s are",
                       output_style_end(STYLE_WARNING));
}
