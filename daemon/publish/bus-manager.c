/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-manager.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "publish/bus-domain.h"
#include "publish/bus-error.h"
#include "publish/bus-list.h"
#include "publish/bus-lookup.h"
#include "publish/bus-ruleset.h"

/* The getters of properties: sd_bus_property_get_t. */

static int get_version(
                _unused_ sd_bus *bus, _unused_ const char *path, _unused_ const char *interface,
                _unused_ const char *property, sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        const BusModel *model = userdata;

        return sd_bus_message_append(reply, "s", model->status->version);
}

static int get_boot_id(
                _unused_ sd_bus *bus, _unused_ const char *path, _unused_ const char *interface,
                _unused_ const char *property, sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        const Host *host = &((const BusModel *) userdata)->status->host;

        return sd_bus_message_append(reply, "s", host->has_boot_id ? host->boot_id : "");
}

static int get_machine_id(
                _unused_ sd_bus *bus, _unused_ const char *path, _unused_ const char *interface,
                _unused_ const char *property, sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        const Host *host = &((const BusModel *) userdata)->status->host;

        return sd_bus_message_append(reply, "s", host->has_machine_id ? host->machine_id : "");
}

static int get_landlock_abi(
                _unused_ sd_bus *bus, _unused_ const char *path, _unused_ const char *interface,
                _unused_ const char *property, sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        const BusModel *model = userdata;

        return sd_bus_message_append(reply, "i", MAX(model->status->landlock_abi, 0));
}

static int get_landlock_errata(
                _unused_ sd_bus *bus, _unused_ const char *path, _unused_ const char *interface,
                _unused_ const char *property, sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        const BusModel *model = userdata;

        return sd_bus_message_append(reply, "u", (uint32_t) MAX(model->status->landlock_errata, 0));
}

static int get_started(
                _unused_ sd_bus *bus, _unused_ const char *path, _unused_ const char *interface,
                _unused_ const char *property, sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        const BusModel *model = userdata;

        return sd_bus_message_append(reply, "t", model->status->started_usec);
}

/* Others than who sees all learn what landlockd can see, not how the machine is set up. */
static int get_sources(
                sd_bus *bus, _unused_ const char *path, _unused_ const char *interface,
                _unused_ const char *property, sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        const BusView view = bus_view(userdata, sd_bus_get_current_message(bus));
        const Status *status = view.status;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(sss)");
        for (size_t i = 0; r >= 0 && i < status->n_sources; i++) {
                const SourceStatus *source = status->sources[i];

                r = sd_bus_message_append(
                                reply, "(sss)", source->name, source_state_to_string(source->state),
                                bus_caller_sees_all(view.caller) ? source->reason : "");
        }
        if (r < 0)
                return r;
        return sd_bus_message_close_container(reply);
}

/* Nothing of them is about the caller's own. */
static int get_counters(
                sd_bus *bus, _unused_ const char *path, _unused_ const char *interface,
                _unused_ const char *property, sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        const BusView view = bus_view(userdata, sd_bus_get_current_message(bus));
        const Counters *counters = &view.status->counters;
        const struct {
                const char *name;
                uint64_t value;
        } list[] = {
#define X(name, meaning) { #name, counters->name },
                COUNTERS(X)
#undef X
        };
        int r;

        r = sd_bus_message_open_container(reply, 'a', "{st}");
        for (size_t i = 0; r >= 0 && bus_caller_sees_all(view.caller) && i < ARRAY_SIZE(list); i++)
                r = sd_bus_message_append(reply, "{st}", list[i].name, list[i].value);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(reply);
}

static uint64_t count(const BusView *view, const DomainList *list) {
        const Domain *domain;
        uint64_t n = 0;

        TAILQ_FOREACH(domain, list, entry)
                n += bus_caller_sees_domain(view->caller, domain);
        return n;
}

static int get_live_domains(
                sd_bus *bus, _unused_ const char *path, _unused_ const char *interface,
                _unused_ const char *property, sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        const BusView view = bus_view(userdata, sd_bus_get_current_message(bus));

        return sd_bus_message_append(reply, "t", count(&view, &view.table->live));
}

static int get_freed_domains(
                sd_bus *bus, _unused_ const char *path, _unused_ const char *interface,
                _unused_ const char *property, sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        const BusView view = bus_view(userdata, sd_bus_get_current_message(bus));

        return sd_bus_message_append(reply, "t", count(&view, &view.table->freed));
}

/* Answers with the object of the domain, if it is a live one. */
static int reply_path(sd_bus_message *m, const BusView *view, uint64_t id, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Domain *domain = bus_view_domain(view, id);
        char hex[DOMAIN_ID_TEXT_SIZE];
        int r;

        if (!domain)
                return bus_error_no_domain(error, id);
        if (domain->state != DOMAIN_ALLOCATED) {
                host_format_domain(id, hex);
                return sd_bus_error_setf(error, BUS_ERROR_DOMAIN_FREED, hex);
        }

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = bus_append_domain_path(reply, domain);
        if (r < 0)
                return r;
        return sd_bus_message_send(reply);
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool text_is_uuid(const char *text) {
        static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

        if (strlen(text) != strlen(form))
                return false;
        for (size_t i = 0; form[i]; i++)
                if (form[i] == '-' ? text[i] != '-' : !isxdigit((unsigned char) text[i]))
                        return false;
        return true;
}

static bool find_uuid_in(const BusView *view, const DomainList *list, const char *wanted, uint64_t *ret_id) {
        char uuid[UUID_TEXT_SIZE];
        const Domain *domain;

        TAILQ_FOREACH(domain, list, entry)
                if (bus_caller_sees_domain(view->caller, domain) &&
                    host_domain_uuid(&view->status->host, domain->id, uuid) && strcasecmp(uuid, wanted) == 0) {
                        *ret_id = domain->id;
                        return true;
                }
        return false;
}

/* A domain ID from what a person may have copied: hexadecimal or a UUID. */
static int parse_domain(const BusView *view, const char *text, uint64_t *ret_id, sd_bus_error *error) {
        _cleanup_free_ char *escaped = NULL;
        int r;

        if (text_parse_u64(text_from_string(text), 16, ret_id) >= 0)
                return 0;

        if (text_is_uuid(text)) {
                if (find_uuid_in(view, &view->table->live, text, ret_id) ||
                    find_uuid_in(view, &view->table->freed, text, ret_id))
                        return 0;
                return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_UUID, text);
        }

        r = text_escape(text_from_string(text), &escaped);
        if (r < 0)
                return r;
        return sd_bus_error_setf(error, BUS_ERROR_DOMAIN_TEXT, escaped);
}

static int method_get_domain(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const BusView view = bus_view(userdata, m);
        const char *text;
        uint64_t id;
        int r;

        r = sd_bus_message_read(m, "s", &text);
        if (r < 0)
                return r;
        r = parse_domain(&view, text, &id, error);
        if (r < 0)
                return r;
        return reply_path(m, &view, id, error);
}

static int method_get_domain_by_id(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const BusView view = bus_view(userdata, m);
        uint64_t id;
        int r;

        r = sd_bus_message_read(m, "t", &id);
        if (r < 0)
                return r;
        return reply_path(m, &view, id, error);
}

static int method_describe_domain(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const BusView view = bus_view(userdata, m);
        const Domain *domain;
        uint64_t id;
        int r;

        r = sd_bus_message_read(m, "t", &id);
        if (r < 0)
                return r;
        domain = bus_view_domain(&view, id);
        if (!domain)
                return bus_error_no_domain(error, id);

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = bus_append_domain_with_rules(reply, &view, domain);
        if (r < 0)
                return r;
        return sd_bus_message_send(reply);
}

static int parse_ruleset(const char *text, uint64_t *ret_id, sd_bus_error *error) {
        _cleanup_free_ char *escaped = NULL;
        int r;

        if (text_parse_u64(text_from_string(text), 16, ret_id) >= 0)
                return 0;
        r = text_escape(text_from_string(text), &escaped);
        if (r < 0)
                return r;
        return sd_bus_error_setf(error, BUS_ERROR_RULESET_TEXT, escaped);
}

static int method_describe_ruleset(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const BusView view = bus_view(userdata, m);
        char hex[DOMAIN_ID_TEXT_SIZE];
        const Ruleset *ruleset;
        const char *text;
        uint64_t id;
        int r;

        r = sd_bus_message_read(m, "s", &text);
        if (r < 0)
                return r;
        r = parse_ruleset(text, &id, error);
        if (r < 0)
                return r;
        ruleset = ruleset_table_get(&view.table->rulesets, id);
        if (!ruleset || !bus_caller_sees_ruleset(view.caller, view.table, ruleset)) {
                host_format_domain(id, hex);
                return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_RULESET, hex);
        }

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = bus_append_ruleset(reply, &view, ruleset);
        if (r < 0)
                return r;
        return sd_bus_message_send(reply);
}

/* UNPRIVILEGED is about sd-bus's own check, which would ask the bus who is calling and wait for the answer.
 * Nothing gets here that bus-access.c did not let through. */
static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("BootID", "s", get_boot_id, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("MachineID", "s", get_machine_id, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("LandlockABI", "i", get_landlock_abi, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("LandlockErrata", "u", get_landlock_errata, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Started", "t", get_started, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Sources", "a(sss)", get_sources, 0, 0),
        SD_BUS_PROPERTY("Counters", "a{st}", get_counters, 0, SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_PROPERTY("LiveDomains", "t", get_live_domains, 0, 0),
        SD_BUS_PROPERTY("FreedDomains", "t", get_freed_domains, 0, 0),
        SD_BUS_METHOD_WITH_ARGS(
                        "ListDomains", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a(toa{sv})", domains, "t", next),
                        bus_list_domains, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                        "GetDomain", SD_BUS_ARGS("s", domain), SD_BUS_RESULT("o", path),
                        method_get_domain, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                        "GetDomainByID", SD_BUS_ARGS("t", id), SD_BUS_RESULT("o", path),
                        method_get_domain_by_id, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                        "DescribeDomain", SD_BUS_ARGS("t", id), SD_BUS_RESULT("a{sv}", properties),
                        method_describe_domain, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                        "ListProcesses", SD_BUS_ARGS("a{sv}", options),
                        SD_BUS_RESULT("aa{sv}", processes, "t", total),
                        bus_list_processes, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                        "DescribeRuleset", SD_BUS_ARGS("s", ruleset), SD_BUS_RESULT("a{sv}", properties),
                        method_describe_ruleset, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                        "LookupPID", SD_BUS_ARGS("u", pid, "a{sv}", options), SD_BUS_RESULT("a{sv}", properties),
                        bus_lookup_pid, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                        "LookupPIDFD", SD_BUS_ARGS("h", pidfd, "a{sv}", options), SD_BUS_RESULT("a{sv}", properties),
                        bus_lookup_pidfd, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                        "LookupCaller", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a{sv}", properties),
                        bus_lookup_caller, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                        "IsSameSandbox", SD_BUS_ARGS("h", pidfd_a, "h", pidfd_b), SD_BUS_RESULT("b", same),
                        bus_lookup_same_sandbox, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                        "ListDenials", SD_BUS_ARGS("a{sv}", options),
                        SD_BUS_RESULT("a(ta{sv})", denials, "t", next),
                        bus_list_denials, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int bus_manager_attach(sd_bus *bus, const BusModel *model) {
        int r;

        r = sd_bus_add_object_vtable(bus, NULL, BUS_PATH, BUS_MANAGER_INTERFACE, vtable, (void *) model);
        if (r < 0)
                return r;
        return sd_bus_add_object_manager(bus, NULL, BUS_PATH);
}
