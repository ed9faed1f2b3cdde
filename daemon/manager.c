/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/capability.h"
#include "base/clock.h"
#include "base/log.h"
#include "manager-ask.h"
#include "manager-describe.h"
#include "manager-gap.h"
#include "manager-look.h"
#include "manager-rules.h"
#include "manager-start.h"
#include "manager-survivors.h"
#include "manager-trace.h"
#include "model/domain-table.h"
#include "publish/bus.h"
#include "publish/json-socket.h"
#include "publish/state.h"
#include "source/audit-source.h"
#include "source/bpf-source.h"
#include "source/proc-infer.h"
#include "source/proc-label.h"
#include "source/proc-task.h"
#include "source/trace-source.h"

/* Of what waits in the table for another source's word. */
#define ROUND_USEC (50 * USEC_PER_MSEC)

struct Manager {
        ManagerOptions options;
        struct event_base *base;
        struct event *sigterm, *sigint, *sighup, *watchdog, *round;
        int runtime_dir; /* locked: the sign that a landlockd runs here */
        Status status;
        DomainTable table;
        State *state;
        StateLoad load;
        AuditSource *audit;
        TraceSource *trace;
        BpfSource *bpf;
        ManagerLook *look;
        ManagerRules *rules;
        JsonSocket *json;
        Bus *bus;
};

static void on_fact(void *userdata, const Fact *fact);

static bool follows(void *userdata, int64_t tid) {
        const Manager *manager = userdata;

        return domain_table_follows(&manager->table, tid);
}

static FactSink fact_sink(Manager *manager) {
        return (FactSink) { .fn = on_fact, .follows = follows, .userdata = manager };
}

/* The sources that tell of every logged denial now. */
static unsigned told_by(const Manager *manager) {
        return (audit_source_status(manager->audit)->state == SOURCE_ACTIVE ? ORIGIN_AUDIT : 0) |
               (trace_source_tells_denials(manager->trace) ? ORIGIN_TRACE : 0) |
               (bpf_source_tells_denials(manager->bpf) ? ORIGIN_BPF : 0);
}

static bool domains_are_told(const Manager *manager) {
        return trace_source_tells_domains(manager->trace) || bpf_source_tells_domains(manager->bpf) ||
                trace_source_tells_calls(manager->trace);
}

static ThreadsTold threads_told(const Manager *manager) {
        if (!domains_are_told(manager) || !trace_source_tells_threads(manager->trace))
                return THREADS_NOT_TOLD;
        return trace_source_tells_calls(manager->trace) ? THREADS_ASKED : THREADS_TOLD;
}

static void publish(Manager *manager, const Change *changes, size_t n) {
        Stranger strangers[DOMAIN_TABLE_CHANGES_MAX];
        size_t n_strangers = 0;

        for (size_t i = 0; i < n; i++) {
                json_socket_publish(manager->json, &changes[i]);
                bus_publish(manager->bus, &changes[i]);
                state_changed(manager->state);
                /* Events tell who is in a domain; audit only has the word first. */
                if (!domains_are_told(manager))
                        n_strangers += manager_ask_is_stranger(&changes[i], &strangers[n_strangers]);
        }
        trace_source_set_following(manager->trace, manager->table.processes.n_threads > 0);

        /* Last: what is found are facts again, for which the changes make room. */
        for (size_t i = 0; i < n_strangers; i++)
                if (bpf_source_snapshot(manager->bpf))
                        manager_look_request(manager->look);
                else
                        proc_infer(strangers[i].domain, strangers[i].pid, strangers[i].time_usec, fact_sink(manager));
}

/* Something waits in the table for another source's word, though not for long. */
static void await_round(Manager *manager) {
        const struct timeval delay = { .tv_usec = ROUND_USEC };

        if (domain_table_waits(&manager->table) && !evtimer_pending(manager->round, NULL))
                evtimer_add(manager->round, &delay);
}

/* What audit loses is told by the others, too, if they tell all. */
static bool is_to_be_repaired(const Manager *manager, const Fact *fact) {
        const bool is_audits = fact->origins & ORIGIN_AUDIT;

        return fact->type == FACT_EVENTS_LOST && fact->lost.cause != LOSS_RESTART && bpf_source_snapshot(manager->bpf) &&
                !(is_audits && (told_by(manager) & (ORIGIN_TRACE | ORIGIN_BPF)));
}

static void apply(Manager *manager, const Fact *fact) {
        Change changes[DOMAIN_TABLE_CHANGES_MAX];

        domain_table_expect(&manager->table, told_by(manager), threads_told(manager));
        publish(manager, changes, domain_table_apply(&manager->table, fact, changes));
        if (is_to_be_repaired(manager, fact))
                manager_look_request(manager->look);
        await_round(manager);
}

/* Where the thread that an untimely fact is about is now. Returns whether that is known, whatever the fact says. */
static bool is_overtaken(Manager *manager, const Fact *fact) {
        int64_t tid = bpf_source_snapshot(manager->bpf) ? domain_table_doubts(&manager->table, fact) : 0;

        return tid != 0 && bpf_snapshot_task(bpf_source_snapshot(manager->bpf), tid, fact_sink(manager)) >= 0;
}

/* Which children a thread had before it got into a domain, how who is denied something got there, and who lived in one
 * before its end, is told by trace events of tasks: they come later. */
static bool overtakes_tasks(const Manager *manager, const Fact *fact) {
        if ((fact->origins & ORIGIN_TRACE) || trace_source_tells_domains(manager->trace))
                return false;
        return fact->type == FACT_DOMAIN_CREATED || fact->type == FACT_DOMAIN_FREED ||
                (fact->type == FACT_ACCESS_DENIED && domain_table_lacks_subject(&manager->table, &fact->denied));
}

static void describe_domain(Manager *manager, const Fact *member) {
        Description description;
        const Fact *fact = manager_describe_by_member(&manager->table, member, &description);

        if (fact)
                apply(manager, fact);
}

/* Normally the trace tells that later. */
static void tell_exit(Manager *manager, const Fact *fact) {
        const Fact exited = {
                .type = FACT_TASK_EXITED,
                .origins = fact->origins,
                .time_usec = fact->time_usec,
                .boot_usec = fact->boot_usec,
                .exited.tid = fact->seen.task.tid,
        };

        if (trace_source_has_read(manager->trace, fact->boot_usec) && !is_overtaken(manager, &exited))
                apply(manager, &exited);
}

/* The domain whose rules can be read from now on, if they are missing; 0: none, or there is a look, after which all are. */
static uint64_t brings_domain(const Manager *manager, const Fact *fact) {
        if (fact->type == FACT_DOMAIN_CREATED && fact->created.ruleset == 0)
                return fact->created.domain;
        return fact->type == FACT_DOMAIN_SEEN && !manager->table.looking ? fact->sight.described.domain : 0;
}

/* The one way through: a source's Fact changes the table, and each Change is published. */
static void on_fact(void *userdata, const Fact *fact) {
        Manager *manager = userdata;
        Description description;
        uint64_t brought;

        if (fact->type == FACT_TASK_RESTRICTED) {
                manager_ask_restricted(&manager->table, bpf_source_snapshot(manager->bpf), &fact->restricted, fact_sink(manager));
                return;
        }
        if (overtakes_tasks(manager, fact))
                trace_source_catch_up(manager->trace, fact->boot_usec ?: clock_boottime_usec());
        if (is_overtaken(manager, fact))
                return;
        fact = manager_describe(&manager->table, fact, &description);
        apply(manager, fact);
        describe_domain(manager, fact);
        if (fact->type == FACT_TASK_SEEN && fact->seen.exiting)
                tell_exit(manager, fact);
        brought = brings_domain(manager, fact);
        if (brought && manager->rules)
                manager_rules_want(manager->rules, brought);
}

static void settle(Manager *manager) {
        Change changes[DOMAIN_TABLE_CHANGES_MAX];
        size_t n;

        while ((n = domain_table_settle(&manager->table, changes)) > 0)
                publish(manager, changes, n);
}

static void settle_round(Manager *manager) {
        domain_table_begin_round(&manager->table);
        settle(manager);
}

static void tell_snapshot(Manager *manager, FactType type, bool is_complete) {
        const Fact fact = {
                .type = type,
                .origins = ORIGIN_BPF,
                .time_usec = clock_realtime_usec(),
                .boot_usec = clock_boottime_usec(),
                .snapshot_ended.is_complete = is_complete,
        };

        on_fact(manager, &fact);
}

static void look(void *userdata) {
        Manager *manager = userdata;
        uint64_t cpu_usec = clock_usec(CLOCK_PROCESS_CPUTIME_ID);
        int r;

        /* Whatever is told is no repair. This reports what BPF programs tell, too. */
        trace_source_catch_up(manager->trace, clock_boottime_usec());
        bpf_source_drain(manager->bpf);
        audit_source_catch_up(manager->audit);
        tell_snapshot(manager, FACT_SNAPSHOT_BEGUN, false);
        r = bpf_snapshot_run(bpf_source_snapshot(manager->bpf), fact_sink(manager));
        if (r < 0)
                log_warning("Looking at who lives in which domain failed: %s.", strerror(-r));
        tell_snapshot(manager, FACT_SNAPSHOT_ENDED, r >= 0);
        settle(manager);
        if (manager->rules)
                manager_rules_want_all(manager->rules);
        log_debug("Looking at who lives in which domain took %" PRIu64 " us of CPU time.",
                  clock_usec(CLOCK_PROCESS_CPUTIME_ID) - cpu_usec);
}

static void before_trace(void *userdata) {
        const Manager *manager = userdata;

        if (manager->bpf)
                bpf_source_drain(manager->bpf);
}

static void on_round(evutil_socket_t fd _unused_, short what _unused_, void *userdata) {
        settle_round(userdata);
        await_round(userdata);
}

static void on_signal(evutil_socket_t number _unused_, short what _unused_, void *userdata) {
        Manager *manager = userdata;

        sd_notify(false, "STOPPING=1");
        event_base_loopbreak(manager->base);
}

static void say_ready(const Manager *manager) {
        sd_notifyf(false, "READY=1\nSTATUS=Source audit is %s, source trace is %s, source bpf is %s.",
                   source_state_to_string(audit_source_status(manager->audit)->state),
                   source_state_to_string(trace_source_status(manager->trace)->state),
                   source_state_to_string(bpf_source_status(manager->bpf)->state));
}

static void say_difference(void *userdata _unused_, const char *key) {
        if (strcmp(key, "LogLevel") != 0)
                log_notice("%s= is in force after a restart, which loses nothing: systemctl restart landlockd.", key);
}

/* What cannot change while it runs is named. */
static void on_reload(evutil_socket_t number _unused_, short what _unused_, void *userdata) {
        Manager *manager = userdata;
        char error[512];
        Config config;

        sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_monotonic_usec());
        config_set_defaults(&config);
        if (config_load(&config, manager->options.config_path, error, sizeof(error)) < 0)
                log_error(0, "%s The configuration stays as it was.", error);
        else {
                log_set_max_priority(config.log_priority);
                config_compare(manager->options.config, &config, say_difference, NULL);
        }
        say_ready(manager);
}

static void on_watchdog(evutil_socket_t fd _unused_, short what _unused_, void *userdata) {
        Manager *manager = userdata;

        event_log_touch(state_log(manager->state), clock_realtime_usec());
        sd_notify(false, "WATCHDOG=1");
}

static void add_source(Manager *manager, const SourceStatus *source) {
        manager->status.sources[manager->status.n_sources++] = source;
}

/* What the last landlockd of this boot knew is in the table before a source tells more. */
static ExitCode open_state(Manager *manager) {
        const StateOptions options = {
                .base = manager->base,
                .host = &manager->status.host,
                .table = &manager->table,
                .counters = &manager->status.counters,
                .path = manager->options.state_dir ?: manager->options.runtime_dir,
                .locked_directory = manager->runtime_dir,
                .history_size = manager->options.config->json_history_size,
        };
        int r = state_new(&manager->state, &options, &manager->load);

        if (r < 0) {
                log_error(r, "Cannot take over what the last landlockd knew: %s.", strerror(-r));
                return EXIT_CODE_FAILURE;
        }
        manager->status.counted_since_usec = state_log(manager->state)->header->begun_usec;
        return EXIT_CODE_OK;
}

static ExitCode open_sources(Manager *manager) {
        const AuditSourceOptions audit = {
                .base = manager->base,
                .config = manager->options.config,
                .runtime_dir = manager->runtime_dir,
                .landlock_abi = manager->status.landlock_abi,
                .sink = fact_sink(manager),
                .counters = &manager->status.counters,
        };
        const TraceSourceOptions trace = {
                .base = manager->base,
                .config = manager->options.config,
                .landlock_abi = manager->status.landlock_abi,
                .sink = fact_sink(manager),
                .before = before_trace,
                .counters = &manager->status.counters,
        };
        BpfSourceOptions bpf = {
                .base = manager->base,
                .config = manager->options.config,
                .sink = fact_sink(manager),
                .counters = &manager->status.counters,
                .ftrace_enabled = manager_find_file("ftrace_enabled"),
        };
        int r;

        r = audit_source_new(&manager->audit, &audit);
        if (r < 0)
                return r == -EPERM ? EXIT_CODE_NO_PRIVILEGE : EXIT_CODE_FAILURE;
        add_source(manager, audit_source_status(manager->audit));

        r = trace_source_new(&manager->trace, &trace);
        if (r < 0) {
                log_error(r, "Cannot open the kernel's trace events: %s.", strerror(-r));
                return EXIT_CODE_FAILURE;
        }
        add_source(manager, trace_source_status(manager->trace));

        bpf.trace_tells = trace_source_tells_domains(manager->trace);
        r = bpf_source_new(&manager->bpf, &bpf);
        if (r < 0) {
                log_error(r, "Cannot run BPF programs: %s.", strerror(-r));
                return EXIT_CODE_FAILURE;
        }
        add_source(manager, bpf_source_status(manager->bpf));
        if (bpf_source_snapshot(manager->bpf)) {
                if (!domains_are_told(manager) && trace_source_watch_calls(manager->trace))
                        bpf_source_be_quiet(manager->bpf);
                r = manager_rules_new(&manager->rules, manager->base, &manager->table, bpf_source_snapshot(manager->bpf),
                                      fact_sink(manager));
                if (r < 0)
                        return EXIT_CODE_FAILURE;
        }
        add_source(manager, state_status(manager->state));
        return EXIT_CODE_OK;
}

static int read_domain(void *userdata, int64_t tid, uint64_t *ret_domain) {
        const Manager *manager = userdata;

        return manager_ask_domain(&manager->table, bpf_source_snapshot(manager->bpf), tid, ret_domain);
}

static ExitCode open_publishers(Manager *manager) {
        const Config *config = manager->options.config;
        _cleanup_free_ char *path = NULL;
        int r;

        if (asprintf(&path, "%s/telemetry.sock", manager->options.runtime_dir) < 0)
                return EXIT_CODE_FAILURE;

        const JsonSocketOptions json = { .path = path, .group = "landlockd", .max_clients = config->json_max_clients };
        r = json_socket_new(&manager->json, manager->base, &json, state_log(manager->state), &manager->table, &manager->status,
                            &manager->status.counters);
        if (r == -EADDRINUSE) {
                log_error(r, "The JSON socket %s is in use by another program: stop it, or name another directory with --runtime-dir=.", path);
                return EXIT_CODE_IN_USE;
        }
        if (r < 0) {
                log_error(r, "Cannot listen on %s: %s.", path, strerror(-r));
                return EXIT_CODE_FAILURE;
        }

        const BusOptions bus = {
                .base = manager->base,
                .address = manager->options.bus,
                .table = &manager->table,
                .status = &manager->status,
                .counters = &manager->status.counters,
                .reader = { read_domain, manager },
                .identify = proc_task_identify,
                .unprivileged = config->unprivileged_access,
        };
        r = bus_new(&manager->bus, &bus);
        if (r == -EADDRINUSE) {
                log_error(r, "The D-Bus name io.landlock.Landlockd1 has an owner already: another landlockd is running. "
                          "Stop it (systemctl stop landlockd), or choose another --bus=.");
                return EXIT_CODE_IN_USE;
        }
        if (r == -EACCES) {
                log_error(r, "The policy of the %s bus does not let landlockd have its name: install io.landlock.Landlockd1.conf "
                          "(make install does), or choose another --bus=.", manager->options.bus);
                return EXIT_CODE_FAILURE;
        }
        if (r < 0) {
                log_error(r, "Cannot use the %s bus: %s. --bus=none runs without.", manager->options.bus, strerror(-r));
                return EXIT_CODE_FAILURE;
        }
        return EXIT_CODE_OK;
}

static int watch(Manager *manager) {
        uint64_t interval_usec;

        manager->sigterm = evsignal_new(manager->base, SIGTERM, on_signal, manager);
        manager->sigint = evsignal_new(manager->base, SIGINT, on_signal, manager);
        manager->sighup = evsignal_new(manager->base, SIGHUP, on_reload, manager);
        if (!manager->sigterm || !manager->sigint || !manager->sighup || event_add(manager->sigterm, NULL) < 0 ||
            event_add(manager->sigint, NULL) < 0 || event_add(manager->sighup, NULL) < 0)
                return -ENOMEM;

        if (sd_watchdog_enabled(false, &interval_usec) > 0) {
                const struct timeval half = {
                        .tv_sec = interval_usec / 2 / USEC_PER_SEC,
                        .tv_usec = interval_usec / 2 % USEC_PER_SEC,
                };

                manager->watchdog = event_new(manager->base, -1, EV_PERSIST, on_watchdog, manager);
                if (!manager->watchdog || event_add(manager->watchdog, &half) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int init(Manager *manager) {
        const Config *config = manager->options.config;
        const DomainTableLimits limits = {
                .n_domains = config->max_domains,
                .n_denials = config->max_denials,
                .n_processes = config->max_processes,
                .n_threads = config->max_threads,
                .n_rulesets = config->max_rulesets,
                .n_rules = config->max_rules,
        };

        manager->base = event_base_new();
        if (!manager->base)
                return -ENOMEM;
        manager->round = evtimer_new(manager->base, on_round, manager);
        if (!manager->round || manager_look_new(&manager->look, manager->base, look, manager) < 0)
                return -ENOMEM;
        return domain_table_init(&manager->table, &limits, &manager->status.counters);
}

/* Those that have not told what happened since the last landlockd. */
static unsigned interrupted(const Manager *manager) {
        return (audit_source_status(manager->audit)->state >= SOURCE_DEGRADED ? ORIGIN_AUDIT : 0) |
               (bpf_source_tells_domains(manager->bpf) || trace_source_tells_calls(manager->trace) ? ORIGIN_BPF : 0) |
               (trace_source_tells_domains(manager->trace) && !trace_source_goes_on(manager->trace) ? ORIGIN_TRACE : 0);
}

/* From what the last landlockd knew to what is now: the kernel knows best. */
static void catch_up(Manager *manager) {
        if (manager->load.found)
                manager_gap_tell(&manager->load, interrupted(manager), fact_sink(manager));
        if (bpf_source_snapshot(manager->bpf))
                manager_look_now(manager->look);
        else if (manager->load.found)
                manager_survivors_report(&manager->table, manager->load.last_usec, fact_sink(manager));
}

static ExitCode open_all(Manager *manager) {
        ExitCode code;
        int r;

        r = init(manager);
        if (r < 0) {
                log_error(r, "Cannot start: %s.", strerror(-r));
                return EXIT_CODE_FAILURE;
        }

        code = manager_describe_system(&manager->status);
        if (code == EXIT_CODE_OK)
                code = manager_open_runtime_dir(manager->options.runtime_dir, &manager->runtime_dir);
        if (code == EXIT_CODE_OK)
                code = open_state(manager);
        if (code == EXIT_CODE_OK)
                code = open_sources(manager);
        if (code == EXIT_CODE_OK)
                code = open_publishers(manager);
        if (code == EXIT_CODE_OK)
                catch_up(manager);
        return code;
}

ExitCode manager_new(Manager **ret, const ManagerOptions *options) {
        _cleanup_(manager_freep) Manager *manager = calloc(1, sizeof(Manager));
        ExitCode code;
        int r;

        if (!manager)
                return EXIT_CODE_FAILURE;
        manager->options = *options;
        manager->runtime_dir = -EBADF;

        signal(SIGPIPE, SIG_IGN);
        code = open_all(manager);
        if (code != EXIT_CODE_OK)
                return code;

        /* Only asking for the audit status, restoring the setting, and /proc/PID/exe still need a privilege. */
        r = capability_keep(CAPABILITY(CAP_AUDIT_CONTROL) | CAPABILITY(CAP_SYS_PTRACE));
        if (r >= 0)
                r = watch(manager);
        if (r < 0) {
                log_error(r, "Cannot start: %s.", strerror(-r));
                return EXIT_CODE_FAILURE;
        }
        *ret = TAKE_PTR(manager);
        return EXIT_CODE_OK;
}

Manager *manager_free(Manager *manager) {
        if (!manager)
                return NULL;

        bus_free(manager->bus);
        json_socket_free(manager->json);
        state_free(manager->state);
        bpf_source_free(manager->bpf);
        manager_end_trace(manager->trace, &manager->options);
        audit_source_free(manager->audit);
        FREE_IF_SET(event_free, manager->sigterm);
        FREE_IF_SET(event_free, manager->sigint);
        FREE_IF_SET(event_free, manager->sighup);
        FREE_IF_SET(event_free, manager->watchdog);
        FREE_IF_SET(event_free, manager->round);
        manager_look_free(manager->look);
        manager_rules_free(manager->rules);
        domain_table_done(&manager->table);
        FREE_IF_SET(event_base_free, manager->base);
        closep(&manager->runtime_dir);
        free(manager);
        return NULL;
}

/* What came until now is published, and what waits goes on alone. */
static void drain(Manager *manager) {
        audit_source_drain(manager->audit);
        trace_source_drain(manager->trace);
        bpf_source_drain(manager->bpf);
        for (int i = 0; i < DOMAIN_TABLE_ROUNDS_MAX; i++)
                settle_round(manager);
        state_finish(manager->state);
}

ExitCode manager_run(Manager *manager) {
        int r;

        say_ready(manager);
        r = event_base_dispatch(manager->base);
        if (r < 0) {
                log_error(0, "The event loop failed.");
                return EXIT_CODE_FAILURE;
        }
        drain(manager);
        return EXIT_CODE_OK;
}
