/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-manager.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "publish/bus-denial.h"
#include "publish/bus-domain.h"
#include "publish/bus-error.h"
#include "publish/bus-options.h"
#include "publish/bus-process.h"
#include "publish/bus-ruleset.h"

#define INTERFACE BUS_NAME ".Manager"

#define DENIALS_DEFAULT 100
#define DENIALS_MAX 1000

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

static int get_sources(
                _unused_ sd_bus *bus, _unused_ const char *path, _unused_ const char *interface,
                _unused_ const char *property, sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        const Status *status = ((const BusModel *) userdata)->status;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(sss)");
        for (size_t i = 0; r >= 0 && i < status->n_sources; i++) {
                const SourceStatus *source = status->sources[i];

                r = sd_bus_message_append(
                                reply, "(sss)", source->name, source_state_to_string(source->state), source->reason);
        }
        if (r < 0)
                return r;
        return sd_bus_message_close_container(reply);
}

static int get_counters(
                _unused_ sd_bus *bus, _unused_ const char *path, _unused_ const char *interface,
                _unused_ const char *property, sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        const Counters *counters = &((const BusModel *) userdata)->status->counters;
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
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(list); i++)
                r = sd_bus_message_append(reply, "{st}", list[i].name, list[i].value);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(reply);
}

static int get_live_domains(
                _unused_ sd_bus *bus, _unused_ const char *path, _unused_ const char *interface,
                _unused_ const char *property, sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        const BusModel *model = userdata;

        return sd_bus_message_append(reply, "t", (uint64_t) model->table->n_live);
}

static int get_freed_domains(
                _unused_ sd_bus *bus, _unused_ const char *path, _unused_ const char *interface,
                _unused_ const char *property, sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        const BusModel *model = userdata;

        return sd_bus_message_append(reply, "t", (uint64_t) model->table->n_freed);
}

/* Appends those at the head of the list that there is room for. */
static int append_domain_list(sd_bus_message *m, const BusView *view, const DomainList *list, BusRoom *room) {
        const Domain *domain;
        int r;

        TAILQ_FOREACH(domain, list, entry) {
                if (!bus_caller_sees_domain(view->caller, view->table, domain))
                        continue;
                if (!bus_room_take(room, bus_domain_bytes(domain)))
                        break;
                r = sd_bus_message_open_container(m, 'r', "toa{sv}");
                if (r < 0)
                        return r;
                r = sd_bus_message_append(m, "t", domain->id);
                if (r < 0)
                        return r;
                r = bus_append_domain_path(m, domain);
                if (r < 0)
                        return r;
                r = bus_append_domain(m, view, domain);
                if (r < 0)
                        return r;
                r = sd_bus_message_close_container(m);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int refuse_state(const char *state, sd_bus_error *error) {
        _cleanup_free_ char *escaped = NULL;
        int r;

        r = text_escape(text_from_string(state), &escaped);
        if (r < 0)
                return r;
        return sd_bus_error_setf(error, BUS_ERROR_OPTION_STATE, escaped);
}

static int method_list_domains(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *state = "allocated";
        uint32_t limit = BUS_DOMAINS_MAX;
        const BusOption options[] = { { "state", "s", &state }, { "limit", "u", &limit } };
        const BusView view = bus_view(userdata, m);
        bool any, live, freed;
        BusRoom room;
        int r;

        r = bus_options_read(m, options, ARRAY_SIZE(options), error);
        if (r < 0)
                return r;
        if (limit < 1 || limit > BUS_DOMAINS_MAX)
                return sd_bus_error_setf(error, BUS_ERROR_OPTION_LIMIT, BUS_DOMAINS_MAX);
        any = strcmp(state, "any") == 0;
        live = any || strcmp(state, domain_state_to_string(DOMAIN_ALLOCATED)) == 0;
        freed = any || strcmp(state, domain_state_to_string(DOMAIN_DEALLOCATED)) == 0;
        if (!live && !freed)
                return refuse_state(state, error);

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(reply, 'a', "(toa{sv})");
        room = (BusRoom) { limit, BUS_ANSWER_BYTES_MAX };
        if (r >= 0 && live)
                r = append_domain_list(reply, &view, &view.table->live, &room);
        if (r >= 0 && freed)
                r = append_domain_list(reply, &view, &view.table->freed, &room);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;
        return sd_bus_message_send(reply);
}

static int error_about_domain(sd_bus_error *error, uint64_t id, const Domain *domain) {
        char hex[DOMAIN_ID_TEXT_SIZE];

        host_format_domain(id, hex);
        if (domain)
                return sd_bus_error_setf(error, BUS_ERROR_DOMAIN_FREED, hex);
        return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_DOMAIN, hex);
}

/* Answers with the object of the domain, if it is a live one. */
static int reply_path(sd_bus_message *m, const BusView *view, uint64_t id, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Domain *domain = bus_view_domain(view, id);
        int r;

        if (!domain || domain->state != DOMAIN_ALLOCATED)
                return error_about_domain(error, id, domain);

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
                if (bus_caller_sees_domain(view->caller, view->table, domain) &&
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
                return error_about_domain(error, id, NULL);

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = bus_append_domain_with_rules(reply, &view, domain);
        if (r < 0)
                return r;
        return sd_bus_message_send(reply);
}

static int method_list_processes(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        uint32_t limit = BUS_PROCESSES_MAX;
        uint64_t id = 0, n;
        const BusOption options[] = { { "domain", "t", &id }, { "limit", "u", &limit } };
        const BusView view = bus_view(userdata, m);
        const Domain *domain = NULL;
        int r;

        r = bus_options_read(m, options, ARRAY_SIZE(options), error);
        if (r < 0)
                return r;
        if (limit < 1 || limit > BUS_PROCESSES_MAX)
                return sd_bus_error_setf(error, BUS_ERROR_OPTION_LIMIT, BUS_PROCESSES_MAX);
        if (id != 0) {
                domain = bus_view_domain(&view, id);
                if (!domain)
                        return error_about_domain(error, id, NULL);
        }

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = bus_append_processes(reply, &view, domain, limit, &n);
        if (r < 0)
                return r;
        r = sd_bus_message_append(reply, "t", n);
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
        r = bus_append_ruleset(reply, ruleset);
        if (r < 0)
                return r;
        return sd_bus_message_send(reply);
}

/* Which denials are asked for. */
typedef struct DenialQuery {
        uint64_t since;  /* 0: the newest page */
        uint64_t domain; /* 0: of any; no domain has the ID 0 */
        uint32_t limit;
} DenialQuery;

static bool denial_wanted(const BusView *view, const Denial *denial, const DenialQuery *query) {
        return (query->domain == 0 || denial->domain == query->domain) &&
               bus_caller_sees_denial(view->caller, view->table, denial);
}

/* Where the newest page begins: as far back as `limit` denials reach. */
static uint64_t newest_page(const BusView *view, const DenialQuery *query) {
        const DenialLog *log = &view->table->denials;
        uint64_t oldest = denial_log_oldest(log), seq = log->next_seq;

        for (uint32_t n = 0; seq > oldest && n < query->limit; seq--) {
                const Denial *denial = denial_log_get(log, seq - 1);

                n += denial && denial_wanted(view, denial, query);
        }
        return seq;
}

/* Appends the array; the cursor is what the next call continues with. */
static int append_denials(
                sd_bus_message *m, const BusView *view, const DenialQuery *query, uint64_t *ret_cursor) {
        const DenialLog *log = &view->table->denials;
        uint64_t cursor = query->since > 0 ? query->since : newest_page(view, query);
        BusRoom room = { query->limit, BUS_ANSWER_BYTES_MAX };
        const Denial *denial;
        int r;

        r = sd_bus_message_open_container(m, 'a', "(ta{sv})");
        if (r < 0)
                return r;

        for (; (denial = denial_log_from(log, cursor)); cursor = denial->seq + 1) {
                if (!denial_wanted(view, denial, query))
                        continue;
                if (!bus_room_take(&room, bus_denial_bytes(denial)))
                        break;
                r = sd_bus_message_open_container(m, 'r', "ta{sv}");
                if (r >= 0)
                        r = sd_bus_message_append(m, "t", denial->seq);
                if (r >= 0)
                        r = bus_append_denial(m, view, denial);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
                if (r < 0)
                        return r;
        }

        *ret_cursor = denial ? denial->seq : log->next_seq;
        return sd_bus_message_close_container(m);
}

static int method_list_denials(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        DenialQuery query = { .limit = DENIALS_DEFAULT };
        const BusOption options[] = {
                { "since", "t", &query.since },
                { "domain", "t", &query.domain },
                { "limit", "u", &query.limit },
        };
        const BusView view = bus_view(userdata, m);
        uint64_t next;
        int r;

        r = bus_options_read(m, options, ARRAY_SIZE(options), error);
        if (r < 0)
                return r;
        if (query.limit < 1 || query.limit > DENIALS_MAX)
                return sd_bus_error_setf(error, BUS_ERROR_OPTION_LIMIT, DENIALS_MAX);

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = append_denials(reply, &view, &query, &next);
        if (r < 0)
                return r;
        r = sd_bus_message_append(reply, "t", next);
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
        SD_BUS_PROPERTY("Counters", "a{st}", get_counters, 0, 0),
        SD_BUS_PROPERTY("LiveDomains", "t", get_live_domains, 0, 0),
        SD_BUS_PROPERTY("FreedDomains", "t", get_freed_domains, 0, 0),
        SD_BUS_METHOD_WITH_ARGS(
                        "ListDomains", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("a(toa{sv})", domains),
                        method_list_domains, SD_BUS_VTABLE_UNPRIVILEGED),
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
                        method_list_processes, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                        "DescribeRuleset", SD_BUS_ARGS("s", ruleset), SD_BUS_RESULT("a{sv}", properties),
                        method_describe_ruleset, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                        "ListDenials", SD_BUS_ARGS("a{sv}", options),
                        SD_BUS_RESULT("a(ta{sv})", denials, "t", next),
                        method_list_denials, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int bus_manager_attach(sd_bus *bus, const BusModel *model) {
        int r;

        r = sd_bus_add_object_vtable(bus, NULL, BUS_PATH, INTERFACE, vtable, (void *) model);
        if (r < 0)
                return r;
        return sd_bus_add_object_manager(bus, NULL, BUS_PATH);
}
