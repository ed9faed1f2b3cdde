/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/notify-agent.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "client/bus-connection.h"
#include "client/memory.h"
#include "client/notify-config.h"
#include "client/notify-landlockd.h"
#include "client/notify-rate.h"
#include "client/notify-server.h"

/* Nothing is offered under it: who has it is the session's one landlock-notify, however it was started. */
#define OWN_NAME "io.landlock.Notify1"

/* More domains than these at once are told of together. */
#define DUE_MAX 3

typedef enum Sending {
        SENDING_NOTHING,
        SENDING_DOMAIN,
        SENDING_DETAILS,
        SENDING_SEVERAL,
} Sending;

typedef struct Several {
        uint64_t n_domains, n_denials;
} Several;

typedef struct Agent {
        sd_event *event;
        sd_bus *session_bus, *system_bus;
        sd_event_source *timer;
        NotifyServer *server;
        NotifyLandlockd *landlockd;
        NotifyConfig config;
        NotifyRules session_rules; /* until restart */
        NotifyTable table;
        NotifyRate rate;
        Sending sending;
        uint32_t several;       /* the notification that tells of several domains; 0: none */
        Several told, telling;  /* by it; by it when what is being sent is shown */
} Agent;

static void agent_clear(Agent *agent) {
        notify_server_free(agent->server);
        notify_landlockd_free(agent->landlockd);
        sd_event_source_disable_unref(agent->timer);
        sd_bus_close_unref(agent->session_bus);
        sd_bus_close_unref(agent->system_bus);
        sd_event_unref(agent->event);
        notify_config_clear(&agent->config);
        notify_rules_clear(&agent->session_rules);
        notify_table_clear(&agent->table);
}

/* Nothing is on its way any more. */
static void end_sending(Agent *agent) {
        for (size_t i = 0; i < agent->table.n_domains; i++)
                agent->table.domains[i]->sending = false;
        agent->sending = SENDING_NOTHING;
}

/* Takes the message. What cannot be sent at all is lost, but not silently. */
static void send_message(Agent *agent, NotifyMessage *message, Sending what) {
        int r = notify_server_send(agent->server, message);

        if (r < 0) {
                log_error(r, "Cannot send a notification: %m.");
                end_sending(agent);
        } else
                agent->sending = what;
        notify_message_clear(message);
}

static void send_domain(Agent *agent, NotifyDomain *domain, uint64_t now) {
        NotifyMessage message;

        notify_message_init_domain(&message, domain);
        notify_domain_begin(domain, now);
        notify_rate_count(&agent->rate, now);
        send_message(agent, &message, SENDING_DOMAIN);
}

static void send_details(Agent *agent, NotifyDomain *domain) {
        NotifyMessage message;

        notify_message_init_details(&message, domain);
        json_decref(domain->description);
        domain->description = NULL;
        domain->answer = NOTIFY_ANSWER_NONE;
        domain->sending = true;
        send_message(agent, &message, SENDING_DETAILS);
}

/* None of these domains gets a notification of its own until it is denied more. */
static void send_several(Agent *agent, uint64_t now) {
        NotifyMessage message;

        agent->told.n_domains += agent->table.n_untold_domains;
        agent->told.n_denials += agent->table.n_untold_denials;
        agent->table.n_untold_domains = agent->table.n_untold_denials = 0;
        agent->telling = agent->told;
        for (size_t i = 0; i < agent->table.n_domains; i++)
                if (notify_domain_due(agent->table.domains[i], now)) {
                        agent->telling.n_domains++;
                        agent->telling.n_denials += notify_domain_count(agent->table.domains[i]);
                }
        notify_message_init_several(&message, &agent->table, now, agent->telling.n_domains, agent->telling.n_denials);
        message.replaces = agent->several;
        for (size_t i = 0; i < agent->table.n_domains; i++)
                if (notify_domain_due(agent->table.domains[i], now))
                        notify_domain_begin(agent->table.domains[i], now);
        notify_rate_count(&agent->rate, now);
        send_message(agent, &message, SENDING_SEVERAL);
}

static void agent_work(Agent *agent);

static int on_timer(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        agent_work(userdata);
        return 0;
}

static void set_timer(Agent *agent, uint64_t usec) {
        int r;

        r = sd_event_source_set_time(agent->timer, usec);
        if (r >= 0)
                r = sd_event_source_set_enabled(agent->timer, SD_EVENT_ONESHOT);
        if (r < 0)
                log_error(r, "Cannot set a timer: %m.");
}

/* Sends what may be sent now, which is one message, or sees to it that this is called again when something may be. */
static void agent_work(Agent *agent) {
        uint64_t now = clock_monotonic_usec(), turn, allowed;
        NotifyDomain *details = notify_table_find_answer(&agent->table), *next;
        size_t n_due;

        next = notify_table_next(&agent->table, now, &n_due, &turn);
        allowed = notify_rate_next(&agent->rate, agent->config.max_per_minute);
        if (!details && (turn > now || allowed > now)) {
                if (turn != UINT64_MAX)
                        set_timer(agent, MAX(turn, allowed));
                return;
        }
        if (!notify_server_can_send(agent->server))
                return;
        if (details)
                send_details(agent, details);
        else if (n_due > DUE_MAX)
                send_several(agent, now);
        else
                send_domain(agent, next, now);
}

static void on_ready(void *userdata) {
        agent_work(userdata);
}

static void on_shown(void *userdata, uint32_t id) {
        Agent *agent = userdata;

        for (size_t i = 0; i < agent->table.n_domains; i++) {
                NotifyDomain *domain = agent->table.domains[i];

                if (domain->sending && agent->sending == SENDING_DOMAIN)
                        domain->notification = id;
                else if (domain->sending && agent->sending == SENDING_DETAILS)
                        domain->details = id;
                else if (domain->sending)
                        domain->over = !domain->waiting;
        }
        if (agent->sending == SENDING_SEVERAL) {
                agent->several = id;
                agent->told = agent->telling;
        }
        end_sending(agent);
}

/* What was to be told has its turn again; details are asked for again by whoever wants them. */
static void on_failed(void *userdata) {
        Agent *agent = userdata;

        for (size_t i = 0; i < agent->table.n_domains; i++) {
                NotifyDomain *domain = agent->table.domains[i];

                if (domain->sending && agent->sending != SENDING_DETAILS && domain->n_denials > 0)
                        domain->waiting = true;
        }
        end_sending(agent);
}

static void forget_several(Agent *agent) {
        agent->several = 0;
        agent->told = (Several) {};
}

static void on_closed(void *userdata, uint32_t id) {
        Agent *agent = userdata;
        NotifyDomain *domain = notify_table_find_notification(&agent->table, id);

        if (id == agent->several)
                forget_several(agent);
        else if (domain && domain->notification == id)
                notify_domain_close(domain);
        else if (domain)
                domain->details = 0;
}

static void on_lost(void *userdata) {
        Agent *agent = userdata;

        notify_table_forget_notifications(&agent->table);
        forget_several(agent);
}

static void on_details(void *userdata, uint64_t id, const json_t *description) {
        Agent *agent = userdata;
        NotifyDomain *domain = notify_table_find(&agent->table, id);

        if (!domain)
                return;
        json_decref(domain->description);
        domain->description = json_incref((json_t *) description);
        domain->answer = NOTIFY_ANSWER_READY;
        agent_work(agent);
}

static void ask_details(Agent *agent, NotifyDomain *domain) {
        if (domain->answer != NOTIFY_ANSWER_NONE)
                return;
        domain->answer = NOTIFY_ANSWER_ASKED;
        if (notify_landlockd_describe(agent->landlockd, domain->id, on_details, agent) < 0)
                on_details(agent, domain->id, NULL);
}

static void ignore_for_session(Agent *agent, NotifyRule *rule) {
        if (!notify_rules_add(&agent->session_rules, rule))
                log_warning("More than %u things are ignored until restart: this one is not.", NOTIFY_RULES_MAX);
}

static void ignore_for_good(Agent *agent, NotifyRule *rule) {
        int r = notify_config_add(&agent->config, rule, 1);

        if (r < 0) {
                log_error(r, "Cannot write %s: %m. It is ignored until restart only.", agent->config.path);
                ignore_for_session(agent, rule);
        }
}

static void ignore(Agent *agent, NotifyDomain *domain, void (*how)(Agent *agent, NotifyRule *rule)) {
        uint32_t ids[] = { domain->notification, domain->details };

        for (size_t i = 0; i < domain->n_denials; i++) {
                NotifyRule rule;

                if (!domain->denials[i].named)
                        continue;
                notify_rule_init(&rule, &domain->denials[i]);
                how(agent, &rule);
                notify_rule_clear(&rule);
        }
        notify_domain_drop_named(domain);
        for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
                if (ids[i] != 0)
                        notify_server_close(agent->server, ids[i]);
}

static void on_invoked(void *userdata, uint32_t id, const char *action) {
        Agent *agent = userdata;
        NotifyDomain *domain = notify_table_find_notification(&agent->table, id);

        if (!domain)
                return;
        if (strcmp(action, NOTIFY_ACTION_DETAILS) == 0)
                ask_details(agent, domain);
        else if (strcmp(action, NOTIFY_ACTION_IGNORE) == 0)
                ignore(agent, domain, ignore_for_good);
        else if (strcmp(action, NOTIFY_ACTION_IGNORE_SESSION) == 0)
                ignore(agent, domain, ignore_for_session);
}

static void on_creator(void *userdata, uint64_t id, const json_t *description) {
        Agent *agent = userdata;
        NotifyDomain *domain = notify_table_find(&agent->table, id);
        const json_t *creator = json_object_get(description, "creator");

        if (!domain)
                return;
        domain->asking = false;
        free(domain->creator);
        domain->creator = notify_denial_app(json_get_text(creator, "exe"), NULL);
        agent_work(agent);
}

/* Where a denial does not tell which program it was, that which made the domain is the next best name. */
static void ask_creator(Agent *agent, NotifyDomain *domain) {
        if (domain->creator || domain->asking || *domain->denials[0].exe)
                return;
        domain->asking = notify_landlockd_describe(agent->landlockd, domain->id, on_creator, agent) >= 0;
}

static void on_denial(void *userdata, const json_t *event, uint64_t count) {
        _cleanup_(notify_denial_clear) NotifyDenial denial = {};
        Agent *agent = userdata;

        if (notify_denial_init(&denial, event, count) < 0) {
                log_warning("landlockd told of a denial in no domain.");
                return;
        }
        notify_config_refresh(&agent->config);
        if (notify_rules_match(&agent->config.ignore, &denial) || notify_rules_match(&agent->session_rules, &denial))
                return;
        ask_creator(agent, notify_table_add(&agent->table, &denial, clock_monotonic_usec()));
        agent_work(agent);
}

static int on_session_end(_unused_ sd_bus_message *m, void *userdata, _unused_ sd_bus_error *ret_error) {
        Agent *agent = userdata;

        log_info("The session bus is gone, and the session with it.");
        return sd_event_exit(agent->event, EXIT_CODE_OK);
}

static int on_system_bus_end(_unused_ sd_bus_message *m, void *userdata, _unused_ sd_bus_error *ret_error) {
        Agent *agent = userdata;

        log_error(0, "The bus that landlockd is on is gone.");
        return sd_event_exit(agent->event, EXIT_CODE_FAILURE);
}

static int attach(Agent *agent, sd_bus *bus, sd_bus_message_handler_t on_end) {
        int r;

        r = sd_bus_attach_event(bus, agent->event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sd_bus_match_signal_async(bus, NULL, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
                                              "org.freedesktop.DBus.Local", "Disconnected", on_end, NULL, agent);
        return r;
}

static int start_loop(Agent *agent) {
        static const int signals[] = { SIGTERM, SIGINT };
        sigset_t mask;
        int r;

        sigemptyset(&mask);
        r = sd_event_new(&agent->event);
        for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
                sigaddset(&mask, signals[i]);
        if (r >= 0 && sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                r = -errno;
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(signals); i++)
                r = sd_event_add_signal(agent->event, NULL, signals[i], NULL, NULL);
        if (r >= 0)
                r = sd_event_add_time(agent->event, &agent->timer, CLOCK_MONOTONIC, 0, 0, on_timer, agent);
        return r < 0 ? r : sd_event_source_set_enabled(agent->timer, SD_EVENT_OFF);
}

static ExitCode exit_code_of(int error) {
        return error == -EACCES || error == -EPERM ? EXIT_CODE_NOT_PERMITTED : EXIT_CODE_FAILURE;
}

/* Returns EXIT_CODE_OK with ret_alone false if the session has one already. */
static ExitCode connect_session(Agent *agent, bool *ret_alone) {
        int r;

        r = bus_connection_connect("session", &agent->session_bus);
        if (r >= 0)
                r = sd_bus_request_name(agent->session_bus, OWN_NAME, 0);
        if (r == -EEXIST) {
                log_info("Another landlock-notify runs in this session already.");
                *ret_alone = false;
                return EXIT_CODE_OK;
        }
        if (r == -ENOMEDIUM) {
                log_error(0, "There is no session bus: landlock-notify is for a login session with a desktop.");
                return EXIT_CODE_FAILURE;
        }
        if (r < 0) {
                log_error(r, "Cannot connect to the session bus: %m.");
                return exit_code_of(r);
        }
        *ret_alone = true;
        return EXIT_CODE_OK;
}

static ExitCode connect_landlockd(Agent *agent, const NotifyOptions *options) {
        int r = bus_connection_connect(options->bus, &agent->system_bus);

        if (r == -EINVAL) {
                log_error(0, "'%s' is no bus: write --bus=system, --bus=session or a D-Bus address.", options->bus);
                return EXIT_CODE_USAGE;
        }
        if (r < 0) {
                log_error(r, "Cannot connect to the bus '%s': %m. Is D-Bus running?", options->bus);
                return exit_code_of(r);
        }
        return EXIT_CODE_OK;
}

static int watch(Agent *agent, const NotifyOptions *options) {
        static const NotifyServerEvents events = {
                .ready = on_ready, .shown = on_shown, .failed = on_failed,
                .closed = on_closed, .invoked = on_invoked, .lost = on_lost,
        };
        int r;

        r = attach(agent, agent->session_bus, on_session_end);
        if (r >= 0)
                r = attach(agent, agent->system_bus, on_system_bus_end);
        if (r >= 0)
                r = notify_server_new(agent->session_bus, &events, agent, &agent->server);
        if (r >= 0)
                r = notify_landlockd_new(agent->system_bus, options->all, on_denial, agent, &agent->landlockd);
        return r < 0 ? r : sd_event_loop(agent->event);
}

ExitCode notify_agent_run(const NotifyOptions *options) {
        _cleanup_(agent_clear) Agent agent = {};
        bool alone = true;
        ExitCode code;
        int r;

        if (notify_config_init(&agent.config, NULL) < 0)
                return EXIT_CODE_FAILURE;
        r = start_loop(&agent);
        if (r < 0) {
                log_error(r, "Cannot make an event loop: %m.");
                return EXIT_CODE_FAILURE;
        }
        code = connect_session(&agent, &alone);
        if (code != EXIT_CODE_OK || !alone)
                return code;
        code = connect_landlockd(&agent, options);
        if (code != EXIT_CODE_OK)
                return code;
        r = watch(&agent, options);
        if (r < 0)
                log_error(r, "The event loop failed: %m.");
        return r < 0 ? EXIT_CODE_FAILURE : r;
}
