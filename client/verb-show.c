/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlockctl show: all that is known of a domain, with what it denied last. */
#include <string.h>

#include "client/denial-table.h"
#include "client/event-text.h"
#include "client/field.h"
#include "client/memory.h"
#include "client/query.h"
#include "client/rule-table.h"
#include "client/table.h"
#include "client/verb.h"

#define LIMIT_DEFAULT 10
#define INDENT 8

static char *creator_text(const json_t *creator) {
        _cleanup_free_ char *process = event_text_process(creator);
        const json_t *uid = json_object_get(creator, "uid"), *tid = json_object_get(creator, "tid");
        _cleanup_free_ char *user = json_is_integer(uid)
                ? format_text(", uid %" JSON_INTEGER_FORMAT, json_integer_value(uid)) : NULL;
        _cleanup_free_ char *thread = json_is_integer(tid) && !json_equal(tid, json_object_get(creator, "pid"))
                ? format_text(", thread %" JSON_INTEGER_FORMAT, json_integer_value(tid)) : NULL;

        if (!process && !user && !thread)
                return NULL;
        return format_text("%s%s%s", process ?: "?", thread ?: "", user ?: "");
}

static char *parent_text(const json_t *domain) {
        if (json_is_true(json_object_get(domain, "outermost")))
                return field_copy("none, it is an outermost domain");
        return field_copy(json_get_text(domain, "parent"));
}

static char *ruleset_text(const json_t *ruleset) {
        const char *id = json_get_text(ruleset, "id");

        return id ? format_text("%s, version %" JSON_INTEGER_FORMAT, id, json_get_number(ruleset, "version")) : NULL;
}

static char *enforcement_text(const json_t *enforcement) {
        const json_t *wide = json_object_get(enforcement, "process_wide");
        const json_t *no_new_privs = json_object_get(enforcement, "no_new_privs");

        if (!wide || !no_new_privs)
                return NULL;
        return format_text("%s, %s no_new_privs", json_is_true(wide) ? "on whole processes" : "on single threads",
                           json_is_true(no_new_privs) ? "with" : "without");
}

static char *denials_text(const json_t *domain, Style *ret_style) {
        _cleanup_free_ char *counts = event_text_denials(domain, ret_style);
        const json_t *unseen = json_object_get(json_object_get(domain, "denials"), "unseen");

        if (!counts || json_integer_value(unseen) == 0)
                return TAKE_PTR(counts);
        return format_text("%s, %" JSON_INTEGER_FORMAT " that the kernel counted were not seen: not logged, or lost",
                           counts, json_integer_value(unseen));
}

static void print_blockers(const json_t *blockers, const Options *options) {
        static const TableColumn columns[] = { { "BLOCKED", false }, { "TIMES", true } };
        _cleanup_(table_freep) Table *table = table_new(columns, ARRAY_SIZE(columns));
        const char *name;
        json_t *count;

        if (json_object_size(blockers) == 0)
                return;
        json_object_foreach((json_t *) blockers, name, count) {
                table_add(table, name, STYLE_WARNING);
                table_take(table, format_text("%" JSON_INTEGER_FORMAT, json_integer_value(count)), STYLE_NONE);
        }
        putchar('\n');
        table_print(table, options->legend, true, INDENT);
}

static void print_processes(const json_t *processes, const Options *options) {
        static const TableColumn columns[] = { { "PROCESS", false }, { "KNOWN FROM", false }, { "LAST SEEN", false } };
        _cleanup_(table_freep) Table *table = table_new(columns, ARRAY_SIZE(columns));
        json_t *process;
        size_t i;

        if (json_array_size(processes) == 0)
                return;
        json_array_foreach((json_t *) processes, i, process) {
                table_take(table, event_text_process(process), STYLE_NONE);
                table_add(table, json_get_text(process, "known"), STYLE_NONE);
                table_take(table, event_text_time(json_object_get(process, "last_seen")), STYLE_NONE);
        }
        putchar('\n');
        table_print(table, options->legend, true, INDENT);
}

static void print_head(const json_t *domain) {
        _cleanup_free_ char *id = output_clean(json_get_text(domain, "domain"));
        _cleanup_free_ char *state = output_clean(json_get_text(domain, "state"));
        Style style = strcmp(state, "allocated") == 0 ? STYLE_GOOD : STYLE_DIM;

        printf("%sDomain %s%s: %s%s%s\n", output_style(STYLE_BOLD), id, output_style_end(STYLE_BOLD),
               output_style(style), state, output_style_end(style));
}

static void print_domain(const json_t *domain, const Options *options) {
        const json_t *creator = json_object_get(domain, "creator");
        const json_t *denials = json_object_get(domain, "recent_denials");
        Style style;
        char *text = denials_text(domain, &style);

        print_head(domain);
        field_print("Label", field_copy(json_get_text(domain, "label")), STYLE_NONE);
        field_print("UUID", field_copy(json_get_text(domain, "domain_uuid")), STYLE_NONE);
        field_print("Mode", field_copy(json_get_text(domain, "mode")), STYLE_NONE);
        field_print("Parent", parent_text(domain), STYLE_NONE);
        field_print("Nested", event_text_names(json_object_get(domain, "children")), STYLE_NONE);
        field_print("Creator", creator_text(creator), STYLE_NONE);
        field_print("Executable", field_copy(json_get_text(creator, "exe")), STYLE_NONE);
        field_print("Enforced", enforcement_text(json_object_get(domain, "enforcement")), STYLE_NONE);
        field_print("Created", event_text_time_exact(json_object_get(domain, "created")), STYLE_NONE);
        field_print("First seen", event_text_time_exact(json_object_get(domain, "first_seen")), STYLE_NONE);
        field_print("Last seen", event_text_time_exact(json_object_get(domain, "last_seen")), STYLE_NONE);
        field_print("Freed", event_text_time_exact(json_object_get(domain, "freed")), STYLE_NONE);
        field_print("Denials", text, style);
        field_print("Ruleset", ruleset_text(json_object_get(domain, "ruleset")), STYLE_NONE);
        field_print("Handles", event_text_handled(json_object_get(domain, "handled")), STYLE_NONE);
        field_print("Known from", event_text_names(json_object_get(domain, "origin")), STYLE_NONE);
        rule_table_print(domain, options, INDENT);
        print_blockers(json_object_get(domain, "blockers"), options);
        print_processes(json_object_get(domain, "processes"), options);
        if (json_array_size(denials) > 0) {
                putchar('\n');
                denial_table_print(denials, options, false, false, INDENT);
        }
}

static ExitCode add_domain(sd_bus *bus, const char *arg, const Options *options, json_t *list) {
        _cleanup_(json_decrefp) json_t *domain = NULL, *denials = NULL;
        DenialsQuery query = { .limit = options->limit ?: LIMIT_DEFAULT };
        DomainName name;
        uint64_t next;
        ExitCode code;

        if (domain_name_parse(arg, &name) < 0) {
                output_error("'%s' is no domain: neither an ID in hex nor a UUID.", arg);
                return EXIT_CODE_USAGE;
        }
        code = query_domain(bus, &name, &domain);
        if (code != EXIT_CODE_OK)
                return code;
        query.domain = json_get_text(domain, "domain");
        code = query_denials(bus, &query, &denials, &next);
        if (code != EXIT_CODE_OK)
                return code;
        json_put(domain, "recent_denials", TAKE_PTR(denials));
        json_add(list, TAKE_PTR(domain));
        return EXIT_CODE_OK;
}

ExitCode verb_show(const Options *options) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(json_decrefp) json_t *list = check_memory(json_array());
        ExitCode result, code;
        json_t *domain;
        size_t i;

        result = bus_connection_open(options, &bus);
        if (result != EXIT_CODE_OK)
                return result;
        for (char **arg = options->args; *arg; arg++) {
                code = add_domain(bus, *arg, options, list);
                if (code != EXIT_CODE_OK)
                        result = code;
                if (code != EXIT_CODE_OK && code != EXIT_CODE_NOT_FOUND)
                        return code;
        }
        if (json_array_size(list) == 0)
                return result;

        output_begin(options->pager);
        if (options->json > JSON_OFF) {
                output_json(list, options->json);
                return result;
        }
        json_array_foreach(list, i, domain) {
                if (i > 0)
                        putchar('\n');
                print_domain(domain, options);
        }
        return result;
}
