/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlockctl tree: the live domains as they are nested, each with the processes in it. */
#include <inttypes.h>

#include "client/event-text.h"
#include "client/memory.h"
#include "client/process-list.h"
#include "client/query.h"
#include "client/verb.h"

/* What lists of domains tell in other words. */
static const char *const replaced[] = { "children", "processes" };

static int compare_domains(const json_t *a, const json_t *b) {
        return json_compare_hex(a, b, "domain");
}

/* By ID; borrowed from the list. */
static json_t *index_domains(const json_t *list) {
        json_t *by_id = check_memory(json_object()), *domain;
        size_t i;

        json_array_foreach((json_t *) list, i, domain) {
                const char *id = json_get_text(domain, "domain");

                if (id)
                        json_put(by_id, id, json_incref(domain));
        }
        return by_id;
}

static void add_processes(const json_t *by_id, const json_t *processes) {
        json_t *process;
        size_t i;

        json_array_foreach((json_t *) processes, i, process) {
                json_t *domain = json_object_get(by_id, json_get_text(process, "domain") ?: "");

                /* One that was freed in between has none any more. */
                if (domain)
                        json_add(json_object_get(domain, "processes"), json_incref(process));
        }
}

/* Nests the domains, and returns a list of those that are in none of the others. */
static json_t *make_tree(json_t *list, const json_t *processes) {
        _cleanup_(json_decrefp) json_t *by_id = NULL;
        json_t *roots = check_memory(json_array()), *domain;
        size_t i;

        json_sort(list, compare_domains);
        json_array_foreach(list, i, domain) {
                for (size_t r = 0; r < ARRAY_SIZE(replaced); r++)
                        json_object_del(domain, replaced[r]);
                json_put(domain, "processes", json_array());
                json_put(domain, "nested", json_array());
        }

        by_id = index_domains(list);
        add_processes(by_id, processes);
        json_array_foreach(list, i, domain) {
                json_t *parent = json_object_get(by_id, json_get_text(domain, "parent") ?: "");

                /* The kernel gives IDs in ascending order: whatever was answered, no domain is nested in itself. */
                if (parent && compare_domains(parent, domain) < 0)
                        json_add(json_object_get(parent, "nested"), json_incref(domain));
                else
                        json_add(roots, json_incref(domain));
        }
        return roots;
}

static void print_domain_line(const json_t *domain, bool root) {
        const json_t *creator = json_object_get(domain, "creator"), *uid = json_object_get(creator, "uid");
        _cleanup_free_ char *id = output_clean(json_get_text(domain, "domain"));
        _cleanup_free_ char *comm = output_clean(json_get_text(creator, "comm"));
        _cleanup_free_ char *label = json_get_text(domain, "label") ? output_clean(json_get_text(domain, "label")) : NULL;
        _cleanup_free_ char *parent = output_clean(json_get_text(domain, "parent"));
        json_int_t denials = json_get_number(json_object_get(domain, "denials"), "seen");

        printf("%s%s%s", output_style(STYLE_BOLD), id, output_style_end(STYLE_BOLD));
        printf("  %s", label ?: comm);
        if (json_is_integer(uid))
                printf("  uid %" JSON_INTEGER_FORMAT, json_integer_value(uid));
        if (denials > 0)
                printf("  %s%" JSON_INTEGER_FORMAT " denial%s%s", output_style(STYLE_WARNING), denials,
                       denials == 1 ? "" : "s", output_style_end(STYLE_WARNING));
        if (root && json_get_text(domain, "parent"))
                printf("  in %s, which is not listed", parent);
        putchar('\n');
}

static void print_process_line(const json_t *process) {
        _cleanup_free_ char *comm = output_clean(json_get_text(process, "comm"));
        json_int_t threads = json_get_number(process, "threads");
        Style style = process_list_style(process);

        printf("%s%" JSON_INTEGER_FORMAT " %s", output_style(style), json_get_number(process, "pid"), comm);
        if (threads > 1)
                printf(" (%" JSON_INTEGER_FORMAT " threads)", threads);
        if (style == STYLE_DIM)
                printf(" (inferred)");
        printf("%s\n", output_style_end(style));
}

/* What is in a domain; its lines begin with `prefix`. */
static void print_contents(const json_t *domain, const char *prefix) {
        const json_t *processes = json_object_get(domain, "processes"), *nested = json_object_get(domain, "nested");
        size_t n_processes = json_array_size(processes), n = n_processes + json_array_size(nested);

        for (size_t i = 0; i < n; i++) {
                bool last = i + 1 == n;
                _cleanup_free_ char *below = format_text(
                                "%s%s", prefix, output_tree_glyph(last ? TREE_SPACE : TREE_VERTICAL));

                printf("%s%s", prefix, output_tree_glyph(last ? TREE_LAST : TREE_BRANCH));
                if (i < n_processes)
                        print_process_line(json_array_get(processes, i));
                else {
                        const json_t *inner = json_array_get(nested, i - n_processes);

                        print_domain_line(inner, false);
                        print_contents(inner, below);
                }
        }
}

static void print_tree(const json_t *roots, size_t n_domains, size_t n_processes, const Options *options) {
        json_t *domain;
        size_t i;

        json_array_foreach((json_t *) roots, i, domain) {
                print_domain_line(domain, true);
                print_contents(domain, "");
        }
        if (options->legend)
                printf("%s%zu domain%s, %zu process%s.\n", n_domains > 0 ? "\n" : "", n_domains,
                       n_domains == 1 ? "" : "s", n_processes, n_processes == 1 ? "" : "es");
}

ExitCode verb_tree(const Options *options) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(json_decrefp) json_t *processes = NULL, *list = NULL, *roots = NULL;
        uint64_t total;
        ExitCode code;

        /* In this order: a domain that a process came into in between is in the list. */
        code = bus_connection_open(options, &bus);
        if (code == EXIT_CODE_OK)
                code = query_processes(bus, NULL, &processes, &total);
        if (code == EXIT_CODE_OK)
                code = query_domains(bus, "allocated", 0, &list);
        if (code != EXIT_CODE_OK)
                return code;

        query_say_shortened("processes", total, processes);
        process_list_sort(processes);
        roots = make_tree(list, processes);
        output_begin(options->pager);
        if (options->json > JSON_OFF)
                output_json(roots, options->json);
        else
                print_tree(roots, json_array_size(list), json_array_size(processes), options);
        return EXIT_CODE_OK;
}
