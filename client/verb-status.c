/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlockctl status: what landlockd can see, what it cannot, and whether anything was lost. */
#include <string.h>

#include "client/event-text.h"
#include "client/memory.h"
#include "client/query.h"
#include "client/table.h"
#include "client/verb.h"
#include "model/counters.h"

/* A landlockd of another version may have counters without a meaning here; they are shown all the same. */
static const char *counter_meaning(const char *counter) {
        static const struct {
                const char *name, *meaning;
        } counters[] = {
#define X(name, meaning) { #name, meaning },
                COUNTERS(X)
#undef X
        };

        for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
                if (strcmp(counters[i].name, counter) == 0)
                        return counters[i].meaning;
        return NULL;
}

/* Each says that something which happened was not seen, not understood, not kept or not passed on. What is left
 * out of the history at its cap is none of them: it was told while it was new. */
static const char *const loss_counters[] = {
        "audit_overflows",       "audit_events_missing",  "audit_kernel_lost",        "audit_malformed",
        "audit_oversized",       "trace_events_missing",  "trace_malformed",          "bpf_switched_off",
        "facts_dropped",         "domains_evicted_live",  "json_events_oversized",    "json_client_events_lost",
};

static void print_field(const char *name, const char *text, Style style) {
        _cleanup_free_ char *clean = output_clean(text);

        printf("%11s%s %s%s%s\n", name, *name ? ":" : " ", output_style(style), clean, output_style_end(style));
}

static void print_landlock(const json_t *status) {
        const json_t *landlock = json_object_get(status, "landlock"), *abi = json_object_get(landlock, "abi");
        _cleanup_free_ char *text = NULL;

        if (json_is_integer(abi))
                text = format_text("ABI %" JSON_INTEGER_FORMAT ", errata fixed: 0x%llx",
                                   json_integer_value(abi),
                                   (unsigned long long) json_get_number(landlock, "errata"));
        print_field("Landlock", text ?: "unknown", text ? STYLE_NONE : STYLE_BAD);
}

static Style source_style(const char *state) {
        if (strcmp(state, "active") == 0)
                return STYLE_GOOD;
        return strcmp(state, "off") == 0 ? STYLE_DIM : STYLE_WARNING;
}

static void print_sources(const json_t *sources) {
        json_t *source;
        size_t i;

        json_array_foreach((json_t *) sources, i, source) {
                const char *state = json_get_text(source, "state") ?: "?", *reason = json_get_text(source, "reason");
                _cleanup_free_ char *name = output_clean(json_get_text(source, "name"));
                _cleanup_free_ char *clean = output_clean(state), *clean_reason = output_clean(reason ?: "");
                Style style = source_style(state);

                printf("%12s %s %s%s%s%s%s\n", i == 0 ? "Sources:" : "", name, output_style(style), clean,
                       output_style_end(style), reason ? ": " : "", clean_reason);
        }
}

static json_int_t counter(const json_t *status, const char *name) {
        return json_integer_value(json_object_get(json_object_get(status, "counters"), name));
}

static void print_totals(const json_t *status) {
        const json_t *tables = json_object_get(status, "tables");
        json_int_t unseen = counter(status, "denials_unseen");
        _cleanup_free_ char *domains = format_text(
                        "%" JSON_INTEGER_FORMAT " live, %" JSON_INTEGER_FORMAT " freed and still known",
                        json_get_number(tables, "domains_live"),
                        json_get_number(tables, "domains_freed"));
        _cleanup_free_ char *denials = format_text("%" JSON_INTEGER_FORMAT " seen", counter(status, "denials"));
        _cleanup_free_ char *missing = format_text(
                        "%s, %" JSON_INTEGER_FORMAT " more counted by the kernel: not logged, or lost", denials,
                        unseen);

        print_field("Domains", domains, STYLE_NONE);
        print_field("Denials", unseen > 0 ? missing : denials, unseen > 0 ? STYLE_WARNING : STYLE_NONE);
}

static void print_losses(const json_t *status) {
        bool any = false;

        for (size_t i = 0; i < ARRAY_SIZE(loss_counters); i++) {
                json_int_t n = counter(status, loss_counters[i]);
                _cleanup_free_ char *text = NULL;

                if (n == 0)
                        continue;
                text = format_text("%" JSON_INTEGER_FORMAT " %s", n, counter_meaning(loss_counters[i]));
                print_field(any ? "" : "LOST", text, STYLE_BAD);
                any = true;
        }
        if (!any)
                print_field("Lost", "nothing that landlockd knows of", STYLE_GOOD);
}

static void print_counters(const json_t *counters, const Options *options) {
        static const TableColumn columns[] = { { "COUNTER", false }, { "VALUE", true }, { "MEANING", false } };
        _cleanup_(table_freep) Table *table = table_new(columns, ARRAY_SIZE(columns));
        const char *name;
        json_t *value;

        json_object_foreach((json_t *) counters, name, value) {
                table_add(table, name, STYLE_NONE);
                table_take(table, format_text("%" JSON_INTEGER_FORMAT, json_integer_value(value)), STYLE_NONE);
                table_add(table, counter_meaning(name), STYLE_DIM);
        }
        putchar('\n');
        table_print(table, options->legend, options->full, 0);
}

static void print_status(const json_t *status, const Options *options) {
        _cleanup_free_ char *started = event_text_time(json_object_get(status, "started"));
        const char *machine = json_get_text(status, "machine_id");

        print_field("landlockd", json_get_text(status, "version"), STYLE_BOLD);
        print_field("Started", started, STYLE_NONE);
        print_field("Boot ID", json_get_text(status, "boot_id"), STYLE_NONE);
        if (machine)
                print_field("Machine ID", machine, STYLE_NONE);
        print_landlock(status);
        print_sources(json_object_get(status, "sources"));
        print_totals(status);
        print_losses(status);
        if (options->verbose)
                print_counters(json_object_get(status, "counters"), options);
}

ExitCode verb_status(const Options *options) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(json_decrefp) json_t *status = NULL;
        ExitCode code;

        code = bus_connection_open(options, &bus);
        if (code == EXIT_CODE_OK)
                code = query_status(bus, &status);
        if (code != EXIT_CODE_OK)
                return code;

        output_begin(options->pager);
        if (options->json > JSON_OFF)
                output_json(status, options->json);
        else
                print_status(status, options);
        return EXIT_CODE_OK;
}
