/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/query.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "client/memory.h"
#include "client/output.h"
#include "client/verb.h"

/* Calls with these arguments, as sd_bus_message_append() takes them. */
static ExitCode call(sd_bus *bus, const char *interface, const char *method, sd_bus_message **ret_reply, const char *types, ...) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        ExitCode code;
        va_list args;
        int r;

        code = bus_connection_new_call(bus, interface, method, &m);
        if (code != EXIT_CODE_OK)
                return code;
        va_start(args, types);
        r = sd_bus_message_appendv(m, types, args);
        va_end(args);
        return r < 0 ? bus_connection_bad_reply(r) : bus_connection_call(bus, m, ret_reply);
}

/* The dictionary that is the answer, or what is left of it. */
static ExitCode read_properties(sd_bus_message *reply, json_t **ret) {
        int r = bus_json_read(reply, ret);

        return r <= 0 ? bus_connection_bad_reply(r ?: -EBADMSG) : EXIT_CODE_OK;
}

/* What GetAll() leaves out, for its length. */
static ExitCode query_counters(sd_bus *bus, json_t *properties) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        json_t *counters;
        ExitCode code;
        int r;

        code = call(bus, "org.freedesktop.DBus.Properties", "Get", &reply, "ss", BUS_CONNECTION_MANAGER, "Counters");
        if (code != EXIT_CODE_OK)
                return code;
        r = sd_bus_message_enter_container(reply, 'v', "a{st}");
        if (r <= 0)
                return bus_connection_bad_reply(r ?: -EBADMSG);
        code = read_properties(reply, &counters);
        if (code == EXIT_CODE_OK)
                json_put(properties, "Counters", counters);
        return code;
}

static ExitCode query_manager(sd_bus *bus, json_t **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        ExitCode code;

        code = call(bus, "org.freedesktop.DBus.Properties", "GetAll", &reply, "s", BUS_CONNECTION_MANAGER);
        return code == EXIT_CODE_OK ? read_properties(reply, ret) : code;
}

ExitCode query_greeting(sd_bus *bus, json_t **ret) {
        _cleanup_(json_decrefp) json_t *properties = NULL;
        ExitCode code;

        code = query_manager(bus, &properties);
        if (code != EXIT_CODE_OK)
                return code;
        json_object_del(properties, "LiveDomains");
        json_object_del(properties, "FreedDomains");
        *ret = bus_json_status(properties);
        return EXIT_CODE_OK;
}

ExitCode query_status(sd_bus *bus, json_t **ret) {
        _cleanup_(json_decrefp) json_t *properties = NULL;
        ExitCode code;

        code = query_manager(bus, &properties);
        if (code == EXIT_CODE_OK)
                code = query_counters(bus, properties);
        if (code == EXIT_CODE_OK)
                *ret = bus_json_status(properties);
        return code;
}

/* a(toa{sv}) t */
static int read_domains(sd_bus_message *m, json_t *list, uint64_t *ret_next) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(toa{sv})");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'r', "toa{sv}")) > 0) {
                _cleanup_(json_decrefp) json_t *properties = NULL;

                r = sd_bus_message_skip(m, "to");
                if (r >= 0)
                        r = bus_json_read(m, &properties);
                if (r > 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
                json_add(list, bus_json_domain(properties));
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r >= 0)
                r = sd_bus_message_read_basic(m, 't', ret_next);
        return r;
}

static int append_option(sd_bus_message *m, const char *name, uint64_t value) {
        return value == 0 ? 0 : sd_bus_message_append(m, "{sv}", name, "t", value);
}

static int append_domain_options(sd_bus_message *m, const char *state, uint32_t limit, uint64_t after) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "state", "s", state);
        if (r >= 0 && limit > 0)
                r = sd_bus_message_append(m, "{sv}", "limit", "u", limit);
        if (r >= 0)
                r = append_option(m, "after", after);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r;
}

static ExitCode query_domain_page(sd_bus *bus, const char *state, uint32_t limit, json_t *list, uint64_t *cursor) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        ExitCode code;
        int r;

        code = bus_connection_new_call(bus, BUS_CONNECTION_MANAGER, "ListDomains", &m);
        if (code != EXIT_CODE_OK)
                return code;
        r = append_domain_options(m, state, limit, *cursor);
        if (r < 0)
                return bus_connection_bad_reply(r);
        code = bus_connection_call(bus, m, &reply);
        if (code != EXIT_CODE_OK)
                return code;
        r = read_domains(reply, list, cursor);
        return r < 0 ? bus_connection_bad_reply(r) : EXIT_CODE_OK;
}

ExitCode query_domains(sd_bus *bus, const char *state, unsigned limit, json_t **ret_list) {
        _cleanup_(json_decrefp) json_t *list = check_memory(json_array());
        uint64_t cursor = 0;
        ExitCode code;

        do {
                code = query_domain_page(bus, state, limit > 0 ? limit - json_array_size(list) : 0, list, &cursor);
                if (code != EXIT_CODE_OK)
                        return code;
        } while (cursor != 0 && (limit == 0 || json_array_size(list) < limit));

        *ret_list = TAKE_PTR(list);
        return EXIT_CODE_OK;
}

static ExitCode read_lookup(ExitCode code, sd_bus_message *reply, json_t **ret) {
        _cleanup_(json_decrefp) json_t *properties = NULL;

        if (code == EXIT_CODE_OK)
                code = read_properties(reply, &properties);
        if (code == EXIT_CODE_OK)
                *ret = bus_json_lookup(properties);
        return code;
}

ExitCode query_lookup_pid(sd_bus *bus, uint32_t pid, json_t **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        ExitCode code = call(bus, BUS_CONNECTION_MANAGER, "LookupPID", &reply, "ua{sv}", pid, 0);

        return read_lookup(code, reply, ret);
}

ExitCode query_lookup_pidfd(sd_bus *bus, int pidfd, json_t **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        ExitCode code = call(bus, BUS_CONNECTION_MANAGER, "LookupPIDFD", &reply, "ha{sv}", pidfd, 0);

        return read_lookup(code, reply, ret);
}

ExitCode query_lookup_self(sd_bus *bus, json_t **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        ExitCode code = call(bus, BUS_CONNECTION_MANAGER, "LookupCaller", &reply, "a{sv}", 0);

        return read_lookup(code, reply, ret);
}

static ExitCode query_domain_by_id(sd_bus *bus, uint64_t id, json_t **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(json_decrefp) json_t *properties = NULL;
        ExitCode code;

        code = call(bus, BUS_CONNECTION_MANAGER, "DescribeDomain", &reply, "t", id);
        if (code == EXIT_CODE_OK)
                code = read_properties(reply, &properties);
        if (code == EXIT_CODE_OK)
                *ret = bus_json_domain(properties);
        return code;
}

/* A UUID cannot be turned back into an ID, and landlockd looks up live domains only by it. */
static ExitCode query_domain_by_uuid(sd_bus *bus, const char *uuid, json_t **ret) {
        _cleanup_(json_decrefp) json_t *list = NULL;
        json_t *domain;
        ExitCode code;
        size_t i;

        code = query_domains(bus, "any", 0, &list);
        if (code != EXIT_CODE_OK)
                return code;
        json_array_foreach(list, i, domain) {
                const char *text = json_get_text(domain, "domain_uuid");

                if (text && strcmp(text, uuid) == 0) {
                        *ret = json_incref(domain);
                        return EXIT_CODE_OK;
                }
        }
        output_error("None of the %zu domains that landlockd lists has the UUID %s. Is it of this boot?",
                     json_array_size(list), uuid);
        return EXIT_CODE_NOT_FOUND;
}

ExitCode query_domain(sd_bus *bus, const DomainName *name, json_t **ret) {
        return name->is_uuid ? query_domain_by_uuid(bus, name->uuid, ret) : query_domain_by_id(bus, name->id, ret);
}

ExitCode query_domain_kept(sd_bus *bus, uint64_t id, json_t **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_decrefp) json_t *properties = NULL;
        ExitCode code;
        int r;

        code = bus_connection_new_call(bus, BUS_CONNECTION_MANAGER, "DescribeDomain", &m);
        if (code != EXIT_CODE_OK)
                return code;
        r = sd_bus_message_append(m, "t", id);
        /* What a landlockd that is being stopped has told last must not start it again. */
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        if (r < 0)
                return bus_connection_bad_reply(r);
        r = sd_bus_call(bus, m, 0, &error, &reply);
        if (r < 0 && !bus_connection_no_such_domain(&error))
                return bus_connection_say_error(&error, r);
        if (r >= 0)
                code = read_properties(reply, &properties);
        if (code == EXIT_CODE_OK)
                *ret = properties ? bus_json_domain(properties) : NULL;
        return code;
}

ExitCode query_domain_option(sd_bus *bus, const Options *options, json_t **ret) {
        if (options->n_domains == 0)
                return EXIT_CODE_OK;
        if (options->n_domains > 1) {
                output_error("'%s' takes one --domain= only.", options->verb->name);
                return EXIT_CODE_USAGE;
        }
        return query_domain(bus, &options->domains[0], ret);
}

/* aa{sv} t */
static int read_processes(sd_bus_message *m, json_t *list, uint64_t *ret_total) {
        json_t *properties;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "a{sv}");
        if (r < 0)
                return r;
        while ((r = bus_json_read(m, &properties)) > 0) {
                json_add(list, bus_json_process(properties));
                json_decref(properties);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r >= 0)
                r = sd_bus_message_read_basic(m, 't', ret_total);
        return r;
}

static uint64_t parse_domain(const char *hex) {
        uint64_t id = 0;

        if (hex)
                (void) text_parse_u64(text_from_string(hex), 16, &id);
        return id;
}

ExitCode query_processes(sd_bus *bus, const char *domain, json_t **ret_list, uint64_t *ret_total) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(json_decrefp) json_t *list = check_memory(json_array());
        ExitCode code;
        int r;

        if (domain)
                code = call(bus, BUS_CONNECTION_MANAGER, "ListProcesses", &reply, "a{sv}", 1, "domain", "t", parse_domain(domain));
        else
                code = call(bus, BUS_CONNECTION_MANAGER, "ListProcesses", &reply, "a{sv}", 0);
        if (code != EXIT_CODE_OK)
                return code;

        r = read_processes(reply, list, ret_total);
        if (r < 0)
                return bus_connection_bad_reply(r);
        *ret_list = TAKE_PTR(list);
        return EXIT_CODE_OK;
}

/* a(ta{sv}) t */
static int read_denials(sd_bus_message *m, json_t *list, uint64_t *ret_next) {
        uint64_t cursor;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(ta{sv})");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'r', "ta{sv}")) > 0) {
                _cleanup_(json_decrefp) json_t *properties = NULL;

                r = sd_bus_message_read_basic(m, 't', &cursor);
                if (r >= 0)
                        r = bus_json_read(m, &properties);
                if (r > 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
                json_add(list, bus_json_denial(cursor, properties));
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r >= 0)
                r = sd_bus_message_read_basic(m, 't', ret_next);
        return r;
}

static int append_options(sd_bus_message *m, const DenialsQuery *query) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = append_option(m, "since", query->since);
        if (r >= 0)
                r = append_option(m, "domain", parse_domain(query->domain));
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "limit", "u", query->limit);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r;
}

/* One answer, which may hold fewer than asked for: its size is limited too. */
static ExitCode query_page(sd_bus *bus, const DenialsQuery *query, json_t *list, uint64_t *ret_next) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        ExitCode code;
        int r;

        code = bus_connection_new_call(bus, BUS_CONNECTION_MANAGER, "ListDenials", &m);
        if (code != EXIT_CODE_OK)
                return code;
        r = append_options(m, query);
        if (r < 0)
                return bus_connection_bad_reply(r);
        code = bus_connection_call(bus, m, &reply);
        if (code != EXIT_CODE_OK)
                return code;
        r = read_denials(reply, list, ret_next);
        return r < 0 ? bus_connection_bad_reply(r) : EXIT_CODE_OK;
}

ExitCode query_denials(sd_bus *bus, const DenialsQuery *query, json_t **ret_list, uint64_t *ret_next) {
        _cleanup_(json_decrefp) json_t *list = check_memory(json_array());
        DenialsQuery page = *query;
        size_t before;
        ExitCode code;

        do {
                before = json_array_size(list);
                page.limit = query->limit - before;
                code = query_page(bus, &page, list, &page.since);
                if (code != EXIT_CODE_OK)
                        return code;
        } while (json_array_size(list) > before && json_array_size(list) < query->limit);

        *ret_list = TAKE_PTR(list);
        *ret_next = page.since;
        return EXIT_CODE_OK;
}

ExitCode query_denials_end(sd_bus *bus, uint64_t *ret) {
        _cleanup_(json_decrefp) json_t *newest = NULL;

        return query_denials(bus, &(DenialsQuery) { .limit = 1 }, &newest, ret);
}

void query_say_shortened(const char *what, uint64_t n_known, const json_t *list) {
        if (n_known > json_array_size(list))
                output_error("There are %" PRIu64 " %s; landlockd lists the latest %zu at once.", n_known, what,
                             json_array_size(list));
}
