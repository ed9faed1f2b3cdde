/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/bpf-source.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "source/bpf-denial.h"
#include "source/bpf-events.h"
#include "source/bpf-fact.h"
#include "source/bpf-switch.h"

/* Records handed over in one turn, so that a flood does not starve clients. */
#define RECORDS_PER_TURN 1024

/* A flood is not waited for when all is to be reported. */
#define RECORDS_PER_DRAIN (64 * RECORDS_PER_TURN)

struct BpfSource {
        BpfSourceOptions options;
        BpfSnapshot *snapshot;
        BpfEvents *events; /* NULL: others tell them, or nobody */
        BpfEventsWay way;
        BpfSwitch *functions;          /* whether programs on them are run; NULL: there are none */
        uint64_t switched_off_usec;    /* realtime; 0: they are run */
        struct event *readable;
        uint64_t realtime_offset_usec; /* of the time of day to the boot clock, in this turn */
        uint64_t read_usec;            /* realtime, of the turn before */
        bool reading;
        BpfDenialTexts texts;
        SourceStatus status;
};

/* --- what came ------------------------------------------------------------------------------------------------- */

static void publish(const BpfSource *source, Fact fact) {
        fact.boot_usec = fact.time_usec - source->realtime_offset_usec;
        source->options.sink.fn(source->options.sink.userdata, &fact);
}

static uint64_t to_realtime(const BpfSource *source, uint64_t boottime_ns) {
        return boottime_ns / 1000 + source->realtime_offset_usec;
}

/* Its ruleset is not known, but what the domain handles is. */
static void on_restricted(BpfSource *source, const BpfRestrictionRecord *record) {
        uint64_t time_usec = to_realtime(source, record->time_ns);

        publish(source, bpf_fact_domain_created(record, time_usec));
        publish(source, bpf_fact_domain_seen(&record->domain, time_usec));
        publish(source, bpf_fact_domain_enforced(record, time_usec));
        /* The others do not make the system call. */
        if (source->way == BPF_EVENTS_SYSTEM_CALL && record->process_wide && record->n_threads > 1)
                bpf_snapshot_process(source->snapshot, record->thread.pid, source->options.sink);
}

static void on_inside(const BpfSource *source, const BpfRestrictionRecord *record) {
        uint64_t time_usec = to_realtime(source, record->time_ns);

        publish(source, bpf_fact_domain_seen(&record->domain, time_usec));
        publish(source, bpf_fact_task_seen(&record->thread, time_usec));
}

static void on_exiting(const BpfSource *source, const BpfExitRecord *record) {
        Fact fact = bpf_fact_task_seen(&record->thread, to_realtime(source, record->time_ns));

        fact.seen.exiting = true;
        publish(source, fact);
}

static void on_denied(BpfSource *source, const BpfDenialRecord *record) {
        uint64_t time_usec = to_realtime(source, record->time_ns);

        publish(source, (Fact) {
                .type = FACT_ACCESS_DENIED,
                .origins = ORIGIN_BPF,
                .time_usec = time_usec,
                .denied = bpf_denial_decode(record, time_usec, &source->texts),
        });
}

static void on_counted(const BpfSource *source, const BpfCountRecord *record) {
        if (record->counted)
                publish(source, bpf_fact_domain_counted(record, to_realtime(source, record->time_ns)));
}

static void on_freed(const BpfSource *source, const BpfCountRecord *record) {
        publish(source, bpf_fact_domain_freed(record, to_realtime(source, record->time_ns)));
}

static void on_record(void *userdata, const BpfRecord *record) {
        BpfSource *source = userdata;

        switch ((BpfRecordType) record->type) {
        case BPF_RECORD_RESTRICTED:
                on_restricted(source, (const BpfRestrictionRecord *) record);
                break;
        case BPF_RECORD_INSIDE:
                on_inside(source, (const BpfRestrictionRecord *) record);
                break;
        case BPF_RECORD_EXITING:
                on_exiting(source, (const BpfExitRecord *) record);
                break;
        case BPF_RECORD_DENIED:
                on_denied(source, (const BpfDenialRecord *) record);
                break;
        case BPF_RECORD_COUNTED:
                on_counted(source, (const BpfCountRecord *) record);
                break;
        case BPF_RECORD_FREED:
                on_freed(source, (const BpfCountRecord *) record);
                break;
        case BPF_RECORD_DOMAIN:
        case BPF_RECORD_THREAD:
        case BPF_RECORD_CREDENTIAL:
        case BPF_RECORD_MEMBER:
        case BPF_RECORD_RULES:
                break; /* these are no events */
        }
}

static void report_loss(BpfSource *source, uint64_t now_usec) {
        uint64_t n_lost = bpf_events_take_lost(source->events);

        if (n_lost == 0)
                return;
        source->options.counters->trace_events_missing += n_lost;
        publish(source, (Fact) {
                .type = FACT_EVENTS_LOST,
                .origins = ORIGIN_BPF,
                .time_usec = now_usec,
                .lost = { LOSS_TRACE_OVERRUN, n_lost, source->read_usec, now_usec },
        });
}

static void read_events(BpfSource *source, size_t n_max) {
        uint64_t now_usec = clock_realtime_usec();

        source->reading = true;
        source->realtime_offset_usec = now_usec - clock_boottime_usec();
        bpf_events_read(source->events, n_max);
        report_loss(source, now_usec);
        source->read_usec = now_usec;
        source->reading = false;
}

static void on_readable(evutil_socket_t fd _unused_, short what _unused_, void *userdata) {
        read_events(userdata, RECORDS_PER_TURN);
}

void bpf_source_be_quiet(BpfSource *source) {
        if (source->events && source->way == BPF_EVENTS_EXITS)
                bpf_events_be_quiet(source->events);
}

void bpf_source_drain(BpfSource *source) {
        /* Whoever gets a fact may ask for all before it, which he has got. */
        if (source->events && !source->reading)
                read_events(source, RECORDS_PER_DRAIN);
}

/* --- start and end --------------------------------------------------------------------------------------------- */

static int open_events(BpfSource *source, BpfEventsWay way) {
        const BpfEventsOptions options = {
                .way = way,
                .credential_offset = bpf_snapshot_credential_offset(source->snapshot),
                .buffer_size = source->options.config->trace_buffer_size,
                .handler = on_record,
                .userdata = source,
        };

        source->way = way;
        return bpf_events_new(&source->events, &options);
}

static void tell_switched_off(BpfSource *source, uint64_t until_usec) {
        source->realtime_offset_usec = until_usec - clock_boottime_usec();
        publish(source, (Fact) {
                .type = FACT_EVENTS_LOST,
                .origins = ORIGIN_BPF,
                .time_usec = until_usec,
                .lost = { LOSS_TRACING_OFF, 0, source->switched_off_usec, until_usec },
        });
}

static void set_functions_status(BpfSource *source) {
        if (source->switched_off_usec != 0)
                source_status_set(&source->status, SOURCE_DEGRADED,
                                  "somebody has set kernel.ftrace_enabled to 0, so that the kernel does not run BPF programs "
                                  "on functions: domains are found by looking alone until it is 1 again");
        else if (bpf_events_tell_denials(source->events))
                source_status_set(&source->status, SOURCE_ACTIVE, "%s", "");
        else
                source_status_set(&source->status, SOURCE_DEGRADED,
                                  "this kernel gives denials to functions in an unknown form: those that "
                                  "are not logged are missed; Linux 7.3 has trace events for them");
}

/* What happens from now on, or has happened until now, is not told. */
static void on_switched(void *userdata, bool on) {
        BpfSource *source = userdata;
        uint64_t now_usec = clock_realtime_usec();

        bpf_source_drain(source);
        if (!on) {
                source->options.counters->bpf_switched_off++;
                source->switched_off_usec = now_usec;
        }
        tell_switched_off(source, now_usec);
        if (on)
                source->switched_off_usec = 0;
        set_functions_status(source);
        source_status_log(&source->status);
}

/* -ECANCELED: the kernel takes programs on functions, but does not run them. */
static int open_functions(BpfSource *source) {
        int r;

        r = bpf_switch_new(&source->functions, source->options.base, source->options.ftrace_enabled, on_switched, source);
        if (r >= 0)
                r = bpf_switch_is_on(source->functions) ? open_events(source, BPF_EVENTS_FUNCTIONS) : -ECANCELED;
        if (r < 0)
                source->functions = bpf_switch_free(source->functions);
        return r;
}

static const char *explain_functions(int error) {
        return error == -ECANCELED ? "kernel.ftrace_enabled is 0" : strerror(-error);
}

/* Debian and Ubuntu have levels of it that take CAP_SYS_ADMIN, which the service does not have. */
#define PERF_HINT ", and kernels of Debian and Ubuntu allow the call after: sysctl kernel.perf_event_paranoid=2"

#define ONLY_COUNTED                                                                       \
        "denials that are not logged are only counted, when a thread of the domain ends; " \
        "a domain that logged none ends with its last thread"

/* Of what the kernel allows, that which tells most. */
static void open_best_events(BpfSource *source) {
        int refused, call_refused, r;

        refused = open_functions(source);
        if (refused >= 0) {
                set_functions_status(source);
                return;
        }

        r = open_events(source, BPF_EVENTS_SYSTEM_CALL);
        if (r >= 0) {
                source_status_set(&source->status, SOURCE_DEGRADED,
                                  "attaching to Landlock's functions is refused (%s), as by a kernel that is "
                                  "locked down: " ONLY_COUNTED, explain_functions(refused));
                return;
        }
        call_refused = r;

        r = open_events(source, BPF_EVENTS_EXITS);
        source_status_set(&source->status, SOURCE_DEGRADED,
                          "attaching to Landlock's functions and system call is refused (%s, %s): %s%s", explain_functions(refused),
                          strerror(-call_refused), r < 0 ? "domains are found by looking alone" :
                          "a domain is read when the trace says that one was made, or when a thread in it ends; " ONLY_COUNTED,
                          call_refused == -EACCES ? PERF_HINT : "");
}

static int watch_events(BpfSource *source) {
        source->read_usec = clock_realtime_usec();
        source->readable = event_new(source->options.base, bpf_events_fd(source->events), EV_READ | EV_PERSIST, on_readable,
                                     source);
        return source->readable && event_add(source->readable, NULL) >= 0 ? 0 : -ENOMEM;
}

int bpf_source_new(BpfSource **ret, const BpfSourceOptions *options) {
        _cleanup_(bpf_source_freep) BpfSource *source = calloc(1, sizeof(BpfSource));
        int r;

        if (!source)
                return -ENOMEM;
        source->options = *options;
        source->status = (SourceStatus) { .name = "bpf", .state = SOURCE_ACTIVE };

        if (!options->config->bpf)
                source_status_set(&source->status, SOURCE_OFF, "Bpf=no in landlockd.conf");
        else if (bpf_snapshot_new(&source->snapshot, source->status.reason, sizeof(source->status.reason)) < 0)
                source->status.state = SOURCE_UNAVAILABLE;
        else if (!options->trace_tells)
                open_best_events(source);
        /* To load programs takes 20 MiB for what the kernel says of its structures, which malloc() would keep. */
        malloc_trim(0);
        source_status_log(&source->status);

        if (source->events) {
                r = watch_events(source);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(source);
        return 0;
}

BpfSource *bpf_source_free(BpfSource *source) {
        if (!source)
                return NULL;

        FREE_IF_SET(event_free, source->readable);
        bpf_switch_free(source->functions);
        bpf_events_free(source->events);
        bpf_snapshot_free(source->snapshot);
        free(source);
        return NULL;
}

BpfSnapshot *bpf_source_snapshot(BpfSource *source) {
        return source->snapshot;
}

const SourceStatus *bpf_source_status(const BpfSource *source) {
        return &source->status;
}

bool bpf_source_tells_domains(const BpfSource *source) {
        return source->events && source->way != BPF_EVENTS_EXITS && source->switched_off_usec == 0;
}

bool bpf_source_tells_denials(const BpfSource *source) {
        return source->events && source->way == BPF_EVENTS_FUNCTIONS && bpf_events_tell_denials(source->events) &&
                source->switched_off_usec == 0;
}
