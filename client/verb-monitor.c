/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlockctl monitor: denials and domains as landlockd tells whoever subscribes over D-Bus. */
#include <string.h>

#include "base/clock.h"
#include "client/event-text.h"
#include "client/memory.h"
#include "client/monitor-overlap.h"
#include "client/monitor-socket.h"
#include "client/monitor-wait.h"
#include "client/output.h"
#include "client/query.h"
#include "client/subscription.h"
#include "client/verb.h"
#include "model/blocker.h"

/* As many as landlockd lists at once. */
#define PAGE_MAX 1000

typedef struct Monitor {
        const Options *options;
        sd_bus *bus;
        Subscription *subscription;
        uint64_t domain;        /* if landlockd can filter by it; 0: it cannot, or there is no filter */
        uint64_t newest;        /* cursor of the denials before the subscription */
        MonitorOverlap overlap; /* of what --since= lists */
        json_t *listed;         /* IDs of domains that --snapshot has shown */
        ExitCode code;
        bool done;
} Monitor;

static void finish(Monitor *monitor, ExitCode code) {
        monitor->code = code;
        monitor->done = true;
}

/* ---- events ---- */

static json_t *now_to_json(void) {
        char text[CLOCK_FORMAT_SIZE];

        clock_format_rfc3339(clock_realtime_usec(), text);
        return check_memory(json_string(text));
}

/* An event begins with when and what; `time` is borrowed, NULL if that is not known. */
static json_t *event_new(const char *type, json_t *time) {
        json_t *event = check_memory(json_object());

        if (time)
                json_put(event, "time", json_incref(time));
        json_put(event, "type", json_string(type));
        return event;
}

static void add_members(json_t *event, const json_t *members) {
        if (json_object_update_missing(event, (json_t *) members) < 0)
                out_of_memory();
}

static void print_event(const Monitor *monitor, const json_t *event) {
        if (monitor->options->json <= JSON_OFF)
                event_text_print(event);
        else
                output_json(event, monitor->options->json);
}

/* An event has what a line of the JSON socket has; lists that may be long are for those who ask. */
static void print_domain(const Monitor *monitor, const char *change, json_t *time, const json_t *domain) {
        static const char *const lists[] = { "rules", "children", "processes", "threads_count" };
        _cleanup_(json_decrefp) json_t *event = event_new("domain", time);

        if (change)
                json_put(event, "change", json_string(change));
        else
                json_put(event, "snapshot", json_true());
        add_members(event, domain);
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                json_object_del(event, lists[i]);
        if (json_object_size(json_object_get(event, "blockers")) == 0)
                json_object_del(event, "blockers");
        print_event(monitor, event);
}

/* `count` of those that the denial tells of; fewer if the first ones were listed. */
static void print_denial(const Monitor *monitor, const json_t *denial, uint64_t count) {
        bool whole = count >= (uint64_t) json_get_number(denial, "count");
        _cleanup_(json_decrefp) json_t *event =
                event_new("denial", json_object_get(denial, whole ? "time" : "last"));

        if (whole)
                json_put(event, "denial", json_incref(json_object_get(denial, "denial")));
        json_put(event, "count", json_integer((json_int_t) count));
        add_members(event, denial);
        if (!whole)
                json_object_del(event, "denial");
        if (count == 1)
                json_object_del(event, "last");
        print_event(monitor, event);
}

static bool wants(const Monitor *monitor, const json_t *event) {
        return options_want_domain(monitor->options, json_get_text(event, "domain"), json_get_text(event, "domain_uuid"));
}

/* As landlockd does it for a subscription: "other" are those that have no name there. */
static bool wants_blocker(const NameList *names, const char *name) {
        Blocker blocker;
        bool other = blocker_from_name(text_from_string(name), &blocker) < 0;

        for (size_t i = 0; i < names->n; i++)
                if (strcmp(other ? "other" : name, names->names[i]) == 0)
                        return true;
        return names->n == 0;
}

static bool wants_blockers(const Monitor *monitor, const json_t *denial) {
        json_t *blocker;
        size_t i;

        json_array_foreach(json_object_get(denial, "blockers"), i, blocker)
                if (wants_blocker(&monitor->options->blockers, json_string_value(blocker) ?: ""))
                        return true;
        return false;
}

/* ---- what is told ---- */

static void on_denial(void *userdata, const json_t *denial) {
        Monitor *monitor = userdata;
        uint64_t count = MAX(json_get_number(denial, "count"), 1), n_listed;

        n_listed = monitor_overlap_take(&monitor->overlap, denial);
        if (count > n_listed && wants(monitor, denial))
                print_denial(monitor, denial, count - n_listed);
}

/* *ret is what landlockd keeps of it, if it is wanted; else NULL. */
static void describe(Monitor *monitor, uint64_t id, const char *hex, json_t **ret) {
        _cleanup_(json_decrefp) json_t *domain = NULL;
        ExitCode code;

        *ret = NULL;
        if (monitor->done)
                return;
        code = query_domain_kept(monitor->bus, id, &domain);
        if (code != EXIT_CODE_OK) {
                finish(monitor, code);
                return;
        }
        if (!domain) {
                domain = check_memory(json_object());
                json_put(domain, "domain", json_string(hex));
        }
        if (wants(monitor, domain))
                *ret = TAKE_PTR(domain);
}

static void on_domain_added(void *userdata, uint64_t id) {
        _cleanup_(json_decrefp) json_t *domain = NULL;
        char hex[DOMAIN_ID_TEXT_SIZE];
        Monitor *monitor = userdata;

        host_format_domain(id, hex);
        if (json_object_get(monitor->listed, hex))
                return;
        describe(monitor, id, hex, &domain);
        if (domain)
                print_domain(monitor, "added", json_object_get(domain, "first_seen"), domain);
}

static void on_domain_removed(void *userdata, uint64_t id) {
        _cleanup_(json_decrefp) json_t *domain = NULL, *now = NULL;
        char hex[DOMAIN_ID_TEXT_SIZE];
        Monitor *monitor = userdata;
        json_t *freed;

        host_format_domain(id, hex);
        json_object_del(monitor->listed, hex);
        describe(monitor, id, hex, &domain);
        if (!domain)
                return;
        freed = json_object_get(domain, "freed");
        now = now_to_json();
        print_domain(monitor, freed ? "freed" : "evicted", freed ?: now, domain);
}

static void on_missed(void *userdata, uint64_t n) {
        _cleanup_(json_decrefp) json_t *now = now_to_json(), *event = event_new("lost", now);

        json_put(event, "source", json_string("client"));
        json_put(event, "cause", json_string("missed"));
        json_put(event, "unit", json_string("events"));
        json_put(event, "count", json_integer((json_int_t) n));
        print_event(userdata, event);
}

/* ---- what is known already ---- */

static ExitCode greet(Monitor *monitor) {
        _cleanup_(json_decrefp) json_t *now = now_to_json(), *event = event_new("hello", now), *greeting = NULL;
        ExitCode code;

        if (!monitor->options->legend && monitor->options->json <= JSON_OFF)
                return EXIT_CODE_OK;
        code = query_greeting(monitor->bus, &greeting);
        if (code != EXIT_CODE_OK)
                return code;
        add_members(event, greeting);
        print_event(monitor, event);
        return EXIT_CODE_OK;
}

/* The oldest first. */
static ExitCode show_domains(Monitor *monitor) {
        _cleanup_(json_decrefp) json_t *list = NULL, *now = NULL;
        size_t n_shown = 0;
        ExitCode code;

        if (options_want_type(monitor->options, "domain")) {
                code = query_domains(monitor->bus, "allocated", 0, &list);
                if (code != EXIT_CODE_OK)
                        return code;
        }
        now = now_to_json();
        for (size_t i = json_array_size(list); i > 0; i--) {
                json_t *domain = json_array_get(list, i - 1);

                if (!wants(monitor, domain))
                        continue;
                print_domain(monitor, NULL, now, domain);
                json_put(monitor->listed, json_get_text(domain, "domain") ?: "", json_true());
                n_shown++;
        }
        if (monitor->options->legend && monitor->options->json <= JSON_OFF)
                printf("%sEnd of the snapshot (domains: %zu); what follows happens now.%s\n", output_style(STYLE_DIM),
                       n_shown, output_style_end(STYLE_DIM));
        return EXIT_CODE_OK;
}

/* Those numbered below `end`, which is after the subscription: later ones are told. */
static ExitCode list_denials(Monitor *monitor, uint64_t end) {
        char hex[DOMAIN_ID_TEXT_SIZE];
        DenialsQuery query = { .limit = PAGE_MAX, .since = MAX(monitor->options->since, UINT64_C(1)) };
        size_t n = 1;

        host_format_domain(monitor->domain, hex);
        query.domain = monitor->domain != 0 ? hex : NULL;
        while (n > 0 && query.since < end) {
                _cleanup_(json_decrefp) json_t *list = NULL;
                json_t *denial;
                ExitCode code;
                size_t i;

                code = query_denials(monitor->bus, &query, &list, &query.since);
                if (code != EXIT_CODE_OK)
                        return code;
                json_array_foreach(list, i, denial) {
                        if ((uint64_t) json_get_number(denial, "denial") >= end)
                                break;
                        monitor_overlap_add(&monitor->overlap, denial);
                        if (wants(monitor, denial) && wants_blockers(monitor, denial))
                                print_denial(monitor, denial, 1);
                }
                n = json_array_size(list);
        }
        return EXIT_CODE_OK;
}

static ExitCode show_denials(Monitor *monitor) {
        uint64_t end;
        ExitCode code;

        code = query_denials_end(monitor->bus, &end);
        if (code != EXIT_CODE_OK)
                return code;
        monitor_overlap_init(&monitor->overlap, monitor->newest, end);
        return list_denials(monitor, end);
}

/* ---- the subscription ---- */

static bool wants_history(const Options *options) {
        return options->has_since && options_want_type(options, "denial");
}

/* Signals that come meanwhile wait. */
static void on_begun(void *userdata) {
        Monitor *monitor = userdata;
        ExitCode code;

        code = greet(monitor);
        if (code == EXIT_CODE_OK && monitor->options->snapshot)
                code = show_domains(monitor);
        if (code == EXIT_CODE_OK && wants_history(monitor->options))
                code = show_denials(monitor);
        if (code != EXIT_CODE_OK)
                finish(monitor, code);
}

static void on_refused(void *userdata, const sd_bus_error *error) {
        finish(userdata, bus_connection_say_error(error, -sd_bus_error_get_errno(error)));
}

static void on_ended(void *userdata) {
        output_error("landlockd has ended: it was stopped or restarted.");
        finish(userdata, EXIT_CODE_NOT_RUNNING);
}

static void on_malformed(void *userdata, int error) {
        finish(userdata, bus_connection_bad_reply(error));
}

static ExitCode check_types(const Options *options) {
        static const char *const types[] = { "denial", "domain", "lost" };

        for (size_t i = 0; i < options->types.n; i++) {
                bool known = false;

                for (size_t n = 0; n < ARRAY_SIZE(types); n++)
                        known = known || strcmp(options->types.names[i], types[n]) == 0;
                if (!known) {
                        output_error("Over D-Bus there are events of the types denial, domain and lost; '%s' is none of "
                                     "them. With --socket there are more.", options->types.names[i]);
                        return EXIT_CODE_USAGE;
                }
        }
        return EXIT_CODE_OK;
}

static ExitCode subscribe(Monitor *monitor) {
        static const SubscriptionEvents events = {
                .begun = on_begun, .refused = on_refused, .ended = on_ended, .malformed = on_malformed,
                .denial = on_denial, .domain_added = on_domain_added, .domain_removed = on_domain_removed,
                .missed = on_missed,
        };
        const Options *options = monitor->options;
        const SubscriptionFilter filter = {
                .denials = options_want_type(options, "denial"), .domains = options_want_type(options, "domain"),
                .domain = monitor->domain, .blockers = options->blockers.names, .n_blockers = options->blockers.n,
                .start = true,
        };
        int r = subscription_new(monitor->bus, &filter, &events, monitor, &monitor->subscription);

        return r < 0 ? bus_connection_say_error(&SD_BUS_ERROR_NULL, r) : EXIT_CODE_OK;
}

/* Returns whether there may be more to process. Between two messages it is seen whether it is over. */
static bool process(Monitor *monitor) {
        int r = sd_bus_process(monitor->bus, NULL);

        if (r < 0)
                finish(monitor, bus_connection_say_error(&SD_BUS_ERROR_NULL, r));
        if (r > 0 || monitor->done)
                return true;
        r = monitor_flush();
        if (r < 0)
                finish(monitor, output_failed(-r));
        return false;
}

/* Returns as monitor_wait(). */
static int wait_for_more(const Monitor *monitor, bool at_once) {
        uint64_t until = 0;
        int events = sd_bus_get_events(monitor->bus), r;

        r = at_once ? 0 : sd_bus_get_timeout(monitor->bus, &until);
        if (events < 0 || r < 0)
                return events < 0 ? events : r;
        return monitor_wait(sd_bus_get_fd(monitor->bus), (short) events, until);
}

static ExitCode run(Monitor *monitor) {
        int r = 1;

        while (r > 0 && !monitor->done) {
                bool more = process(monitor);

                if (!monitor->done)
                        r = wait_for_more(monitor, more);
        }
        return r < 0 ? bus_connection_say_error(&SD_BUS_ERROR_NULL, r) : monitor->code;
}

static void monitor_clear(Monitor *monitor) {
        subscription_free(monitor->subscription);
        monitor_overlap_done(&monitor->overlap);
        json_decref(monitor->listed);
        sd_bus_flush_close_unref(monitor->bus);
}

static ExitCode monitor_bus(const Options *options) {
        _cleanup_(monitor_clear) Monitor monitor = { .options = options, .listed = check_memory(json_object()) };
        ExitCode code;

        if (options->n_domains == 1 && !options->domains[0].is_uuid)
                monitor.domain = options->domains[0].id;
        code = check_types(options);
        if (code == EXIT_CODE_OK)
                code = bus_connection_open(options, &monitor.bus);
        if (code == EXIT_CODE_OK && wants_history(options))
                code = query_denials_end(monitor.bus, &monitor.newest);
        if (code == EXIT_CODE_OK)
                code = subscribe(&monitor);
        if (code != EXIT_CODE_OK)
                return code;
        monitor_wait_begin();
        return run(&monitor);
}

ExitCode verb_monitor(const Options *options) {
        return options->socket ? monitor_socket(options) : monitor_bus(options);
}
