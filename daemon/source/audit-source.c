/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/audit-source.h"

#include <errno.h>
#include <linux/audit.h>

#include "base/clock.h"
#include "base/log.h"
#include "source/audit-assembler.h"
#include "source/audit-control.h"
#include "source/audit-decode.h"
#include "source/audit-serials.h"
#include "source/audit-socket.h"

/* The first Landlock ABI that logs denials: kernel 6.15. */
#define LANDLOCK_ABI_AUDIT 7

/* How long an event waits for its last record, a serial for its turn, a dropped record for being noticed. One timer
 * serves all three; it runs only while there is something to wait for. */
#define SETTLE_USEC (1 * USEC_PER_SEC)

/* Batches read in one go, so that a flood of denials does not starve clients. */
#define BATCHES_PER_TURN 16

struct AuditSource {
        AuditSourceOptions options;
        AuditSocket *socket;
        AuditControl control;
        AuditKernelStatus kernel;
        AuditSerials serials;
        AuditAssembler assembler;
        AuditDecoder decoder;
        struct event *readable, *answer, *settle;
        bool settle_pending;
        uint64_t now_usec;          /* monotonic, of the current batch */
        uint64_t last_message_usec; /* realtime */
        uint64_t last_lost_usec;    /* realtime, of the last look at the kernel's lost counter */
        SourceStatus status;
};

static void wait_to_settle(AuditSource *source) {
        const struct timeval delay = { .tv_sec = SETTLE_USEC / USEC_PER_SEC };

        if (!source->settle_pending)
                source->settle_pending = event_add(source->settle, &delay) >= 0;
}

static void report_loss(AuditSource *source, LossCause cause, uint64_t count, uint64_t since_usec) {
        const Fact fact = {
                .type = FACT_EVENTS_LOST,
                .origins = ORIGIN_AUDIT,
                .time_usec = clock_realtime_usec(),
                .lost = { cause, count, since_usec, clock_realtime_usec() },
        };

        source->options.sink.fn(source->options.sink.userdata, &fact);
}

static void report_missing(AuditSource *source, uint64_t missing) {
        if (missing == 0)
                return;
        source->options.counters->audit_events_missing += missing;
        report_loss(source, LOSS_SERIAL_GAP, missing, source->last_lost_usec);
}

static void on_event(void *userdata, const AuditEvent *event) {
        AuditSource *source = userdata;

        audit_decoder_feed(&source->decoder, event);
}

static void on_message(void *userdata, unsigned type, Text text) {
        AuditSource *source = userdata;
        AuditRecord record = { .type = type };

        if (audit_record_parse(text, &record) < 0) {
                source->options.counters->audit_malformed++;
                return;
        }

        report_missing(source, audit_serials_see(&source->serials, record.serial));
        audit_assembler_feed(&source->assembler, &record, source->now_usec);
        /* Somebody may have switched audit off: settling asks. */
        if (type == AUDIT_CONFIG_CHANGE)
                wait_to_settle(source);
}

/* Reads one batch. Returns false when there is nothing left. */
static bool read_batch(AuditSource *source) {
        int n;

        source->now_usec = clock_monotonic_usec();
        n = audit_socket_read(source->socket, on_message, source);
        if (n == -ENOBUFS) {
                source->options.counters->audit_overflows++;
                report_loss(source, LOSS_SOCKET_OVERFLOW, 0, source->last_message_usec);
        } else if (n < 0) {
                source_status_set(&source->status, SOURCE_UNAVAILABLE, "reading from the kernel failed: %s", strerror(-n));
                source_status_log(&source->status);
                event_del(source->readable);
        } else if (n > 0)
                source->last_message_usec = clock_realtime_usec();
        return n > 0 || n == -ENOBUFS;
}

static void read_batches(AuditSource *source, int n_max) {
        for (int i = 0; i < n_max && read_batch(source); i++)
                ;
        /* Records may have been dropped before they reached the socket, which nothing but asking shows. */
        wait_to_settle(source);
}

static void on_readable(evutil_socket_t fd _unused_, short what _unused_, void *userdata) {
        read_batches(userdata, BATCHES_PER_TURN);
}

static void on_settle(evutil_socket_t fd _unused_, short what _unused_, void *userdata) {
        AuditSource *source = userdata;

        source->settle_pending = false;
        audit_assembler_expire(&source->assembler, clock_monotonic_usec());
        report_missing(source, audit_serials_settle(&source->serials));
        if (audit_control_request(&source->control) < 0)
                log_debug("The kernel did not take the question for its audit status.");
        if (!audit_assembler_idle(&source->assembler) || audit_serials_awaited(&source->serials))
                wait_to_settle(source);
}

/* What the kernel's audit setting means for what can be seen. */
static void judge_setting(AuditSource *source) {
        if (source->kernel.enabled != 0)
                source_status_set(&source->status, SOURCE_ACTIVE, "%s", "");
        else if (source->options.config->audit == AUDIT_NO)
                source_status_set(&source->status, SOURCE_DEGRADED,
                                  "the kernel's audit is off and Audit=no keeps landlockd from enabling it: no denial is logged. "
                                  "Set Audit=auto in landlockd.conf, or run: auditctl -e 1");
        else
                source_status_set(&source->status, SOURCE_DEGRADED,
                                  "the kernel's audit is off, and an audit daemon (pid %u) decides about it: no denial is logged. "
                                  "Run: auditctl -e 1", source->kernel.pid);
}

static void on_answer(evutil_socket_t fd _unused_, short what _unused_, void *userdata) {
        AuditSource *source = userdata;
        AuditKernelStatus now;
        uint32_t lost;

        if (audit_control_read(&source->control, &now) <= 0)
                return;

        lost = now.lost - source->kernel.lost;
        if (lost > 0) {
                source->options.counters->audit_kernel_lost += lost;
                report_loss(source, LOSS_KERNEL_BACKLOG, lost, source->last_lost_usec);
        }
        source->last_lost_usec = clock_realtime_usec();

        if (now.enabled != source->kernel.enabled) {
                source->kernel = now;
                judge_setting(source);
                source_status_log(&source->status);
        }
        source->kernel = now;
}

static int enable_audit(AuditSource *source) {
        const Config *config = source->options.config;
        int r;

        if (source->kernel.enabled != 0 || config->audit == AUDIT_NO)
                return 0;
        if (config->audit == AUDIT_AUTO && source->kernel.pid != 0)
                return 0;

        r = audit_control_enable(&source->control, &source->kernel, config->audit_backlog_limit);
        if (r < 0)
                return log_error(r, "Cannot enable the kernel's audit: %s. Set Audit=no in landlockd.conf to do without.",
                                 strerror(-r));
        log_info("Enabled the kernel's audit; it will be switched off again at exit.");
        return audit_control_get(&source->control, &source->kernel);
}

/* 0, or 1 for what is no failure but leaves nothing to read; the status says why. */
static int open_kernel(AuditSource *source) {
        int r;

        r = audit_socket_new(&source->socket, source->options.config->audit_receive_buffer, source->options.counters);
        if (r >= 0)
                r = audit_control_open(&source->control, source->options.runtime_dir);
        if (r >= 0)
                r = audit_control_get(&source->control, &source->kernel);

        if (r == -EPROTONOSUPPORT || r == -ECONNREFUSED) {
                source_status_set(&source->status, SOURCE_UNAVAILABLE, "%s",
                                  r == -EPROTONOSUPPORT
                                          ? "this kernel is built without audit (CONFIG_AUDIT): denials cannot be seen"
                                          : "the kernel's audit cannot be reached from this container or namespace");
                if (source->options.config->audit == AUDIT_YES)
                        return log_error(r, "Audit=yes, but %s.", source->status.reason);
                return 1;
        }
        if (r == -EPERM || r == -EACCES)
                return log_error(-EPERM, "Reading the kernel's audit needs CAP_AUDIT_READ and CAP_AUDIT_CONTROL: "
                                 "run landlockd as root in the initial user namespace, best as landlockd.service.");
        if (r < 0)
                return log_error(r, "Cannot open the kernel's audit: %s.", strerror(-r));
        return 0;
}

static int watch(AuditSource *source) {
        struct event_base *base = source->options.base;

        source->readable = event_new(base, audit_socket_fd(source->socket), EV_READ | EV_PERSIST, on_readable, source);
        source->answer = event_new(base, source->control.fd, EV_READ | EV_PERSIST, on_answer, source);
        source->settle = evtimer_new(base, on_settle, source);
        if (!source->readable || !source->answer || !source->settle)
                return -ENOMEM;
        return event_add(source->readable, NULL) < 0 || event_add(source->answer, NULL) < 0 ? -EIO : 0;
}

static int start(AuditSource *source) {
        size_t wanted = source->options.config->audit_receive_buffer, granted;
        int r;

        if (source->options.landlock_abi < LANDLOCK_ABI_AUDIT) {
                source_status_set(&source->status, SOURCE_UNAVAILABLE,
                                  "this kernel's Landlock (ABI %d) does not log denials: that needs Linux 6.15 (ABI %d)",
                                  source->options.landlock_abi, LANDLOCK_ABI_AUDIT);
                return 0;
        }

        r = open_kernel(source);
        if (r != 0)
                return MIN(r, 0);
        granted = audit_socket_receive_buffer(source->socket);
        if (granted < wanted)
                log_notice("The kernel grants a receive buffer of %zu bytes instead of %zu: bursts may be lost. "
                           "It takes CAP_NET_ADMIN, or a larger net.core.rmem_max.", granted, wanted);

        audit_control_adopt(&source->control);
        r = enable_audit(source);
        if (r < 0)
                return r;
        source->last_message_usec = source->last_lost_usec = clock_realtime_usec();
        judge_setting(source);
        return watch(source);
}

int audit_source_new(AuditSource **ret, const AuditSourceOptions *options) {
        _cleanup_(audit_source_freep) AuditSource *source = calloc(1, sizeof(AuditSource));
        int r;

        if (!source)
                return -ENOMEM;

        source->options = *options;
        source->control.fd = -EBADF;
        source->status.name = "audit";
        audit_assembler_init(&source->assembler, SETTLE_USEC, on_event, source, options->counters);
        audit_decoder_init(&source->decoder, options->sink, options->counters);

        r = start(source);
        if (r < 0)
                return r;
        source_status_log(&source->status);
        *ret = TAKE_PTR(source);
        return 0;
}

void audit_source_catch_up(AuditSource *source) {
        /* A flood that goes on is not waited for. */
        if (source->readable)
                read_batches(source, 64 * BATCHES_PER_TURN);
}

void audit_source_drain(AuditSource *source) {
        if (!source->readable)
                return;

        event_del(source->readable);
        audit_source_catch_up(source);
        audit_assembler_expire(&source->assembler, UINT64_MAX);
}

AuditSource *audit_source_free(AuditSource *source) {
        int r;

        if (!source)
                return NULL;

        r = audit_control_restore(&source->control);
        if (r < 0)
                log_error(r, "Could not put the kernel's audit setting back: %s. Run: auditctl -e 0", strerror(-r));

        FREE_IF_SET(event_free, source->readable);
        FREE_IF_SET(event_free, source->answer);
        FREE_IF_SET(event_free, source->settle);
        audit_assembler_done(&source->assembler);
        audit_control_close(&source->control);
        audit_socket_free(source->socket);
        free(source);
        return NULL;
}

const SourceStatus *audit_source_status(const AuditSource *source) {
        return &source->status;
}
