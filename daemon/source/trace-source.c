/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/trace-source.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "source/proc-task.h"
#include "source/trace-choice.h"
#include "source/trace-merge.h"

/* The first Landlock ABI whose domains have an ID that audit tells: kernel 6.15. */
#define LANDLOCK_ABI_AUDIT 7

/* Between the time stamp of a record and its being readable: the writer can be interrupted, but not preempted. */
#define MARGIN_USEC (10 * USEC_PER_MSEC)

/* Between two turns for tasks alone: at most eleven a second, and as many wake-ups that ask for them. */
#define TASKS_INTERVAL_USEC (90 * USEC_PER_MSEC)

/* Pages read in one go, besides the first of each CPU, so that a flood does not starve clients. */
#define PAGES_PER_TURN 64

/* A flood is not waited for at the end. */
#define DRAIN_USEC (1 * USEC_PER_SEC)

/* For each CPU: some 22,000 records, a third of a second in which it forks 20,000 times a second. */
#define TASKS_BUFFER_SIZE (1 << 20)

/* For each CPU: some 3,000 calls of landlock_restrict_self(2), of each of which the kernel is asked what it did. */
#define CALLS_BUFFER_SIZE (1 << 18)

#define N_BUFFERS (TRACE_BUFFER_TASKS + 1)

typedef struct Watch {
        TraceSource *source;
        TraceStream *stream;
        TraceBuffer buffer;
        struct event *readable;
        bool offline; /* when it was opened */
        bool failed;  /* and that was said */
} Watch;

struct TraceSource {
        TraceSourceOptions options;
        TraceInstance *instances[N_BUFFERS]; /* NULL: nothing in it is wanted, or it is not to be had */
        TraceDecoder *decoder;
        TraceMerge merge;
        Watch *watches; /* one for each stream, in their order */
        struct event *turn;
        uint64_t turn_due_usec;        /* monotonic; 0: none */
        uint64_t last_turn_usec;       /* monotonic */
        uint64_t realtime_offset_usec; /* of the time of day to the boot clock, in this turn */
        uint64_t record_usec;          /* boot clock; of the record that is being decoded; 0: none is */
        uint64_t read_until_usec;      /* boot clock; all before was reported */
        uint64_t followed_until_usec;  /* boot clock; the last time that any thread was, before now */
        bool following;
        TraceChoice choice;
        ProcTask task;
        SourceStatus status;
};

static uint64_t to_realtime(const TraceSource *source, uint64_t boottime_ns) {
        return boottime_ns / 1000 + source->realtime_offset_usec;
}

/* --- what came ------------------------------------------------------------------------------------------------- */

static void publish(const TraceSource *source, const Fact *fact) {
        source->options.sink.fn(source->options.sink.userdata, fact);
}

static bool follows(void *userdata, int64_t tid) {
        TraceSource *source = userdata;

        return source->options.sink.follows && source->options.sink.follows(source->options.sink.userdata, tid);
}

/* Adds what /proc knows of the thread, if it still lives; else what its fork told. */
static void describe(TraceSource *source, TaskDescription *task) {
        Text comm = task->comm;

        if (proc_task_read(task->tid, source->record_usec, &source->task) >= 0)
                *task = proc_task_describe(&source->task);
        /* That of an exec is older than what /proc has now. */
        if (text_known(comm))
                task->comm = comm;
        if (!task->has_pid) {
                task->pid = trace_decoder_recent_pid(source->decoder, task->tid);
                task->has_pid = task->pid != 0;
        }
}

/* A thread that is in a domain from before landlockd looked: it is not followed, so its process is not known. */
static void describe_subject(TraceSource *source, Denial *denial) {
        TaskDescription task = {};

        if (!denial_subject_id(denial, SUBJECT_tid, &task.tid) || !denial_shows_membership(denial) ||
            follows(source, task.tid))
                return;
        describe(source, &task);
        if (!task.has_pid)
                return;
        denial->subject.ids[SUBJECT_pid] = task.pid;
        denial->subject.known_ids |= UINT32_C(1) << SUBJECT_pid;
        denial->subject.comm = task.comm;
        denial->subject.exe = task.exe;
}

static bool is_thread(TraceSource *source, int64_t tid) {
        return proc_task_read(tid, source->record_usec, &source->task) >= 0 && source->task.has_pid &&
                source->task.pid != tid;
}

static void on_fact(void *userdata, const Fact *decoded) {
        TraceSource *source = userdata;
        Fact fact = *decoded;

        if (fact.type == FACT_DOMAIN_CREATED)
                describe(source, &fact.created.creator);
        else if (fact.type == FACT_DOMAIN_ENFORCED)
                describe(source, &fact.enforced.task);
        else if (fact.type == FACT_TASK_EXECED)
                describe(source, &fact.execed.task);
        else if (fact.type == FACT_ACCESS_DENIED)
                describe_subject(source, &fact.denied);
        else if (fact.type == FACT_TASK_FORKED && !source->choice.fork_tells_threads)
                fact.forked.is_thread = is_thread(source, fact.forked.tid);
        publish(source, &fact);
}

static void on_record(void *userdata, const TraceRecord *record, TraceStream *stream _unused_) {
        TraceSource *source = userdata;

        source->record_usec = record->time_ns / 1000;
        trace_decoder_feed(source->decoder, record->data, record->size, to_realtime(source, record->time_ns),
                           record->time_ns / 1000);
}

static void on_loss(void *userdata, const TraceLoss *loss, TraceStream *stream) {
        TraceSource *source = userdata;
        const Watch *watch = &source->watches[stream - source->merge.streams];
        const Fact fact = {
                .type = FACT_EVENTS_LOST,
                .origins = ORIGIN_TRACE,
                .time_usec = to_realtime(source, loss->until_ns),
                .lost = {
                        .cause = LOSS_TRACE_OVERRUN,
                        .count = loss->count,
                        .since_usec = to_realtime(source, loss->since_ns),
                        .until_usec = to_realtime(source, loss->until_ns),
                },
        };

        /* A flight recorder forgets what nobody asked for. */
        if (watch->buffer == TRACE_BUFFER_TASKS && !source->following && loss->since_ns / 1000 >= source->followed_until_usec)
                return;
        source->options.counters->trace_events_missing += loss->count;
        publish(source, &fact);
}

/* --- when to read ---------------------------------------------------------------------------------------------- */

static void schedule_turn(TraceSource *source, uint64_t delay_usec) {
        const struct timeval delay = { .tv_sec = delay_usec / USEC_PER_SEC, .tv_usec = delay_usec % USEC_PER_SEC };
        uint64_t due_usec = clock_monotonic_usec() + delay_usec;

        if ((source->turn_due_usec == 0 || due_usec < source->turn_due_usec) && event_add(source->turn, &delay) >= 0)
                source->turn_due_usec = due_usec;
}

/* What is being written elsewhere now must get readable before a record may go on. */
static void schedule_turn_for(TraceSource *source, TraceBuffer buffer) {
        uint64_t since_usec = clock_monotonic_usec() - source->last_turn_usec, delay_usec = MARGIN_USEC;

        if (buffer == TRACE_BUFFER_TASKS && since_usec + MARGIN_USEC < TASKS_INTERVAL_USEC)
                delay_usec = TASKS_INTERVAL_USEC - since_usec;
        schedule_turn(source, delay_usec);
}

static void on_readable(evutil_socket_t fd _unused_, short what _unused_, void *userdata) {
        const Watch *watch = userdata;

        schedule_turn_for(watch->source, watch->buffer);
}

/* Wakes up for what comes next in this buffer. */
static void wait_for(TraceSource *source, TraceBuffer buffer) {
        for (size_t i = 0; i < source->merge.n_streams; i++) {
                Watch *watch = &source->watches[i];

                if (watch->buffer == buffer && watch->stream->error == 0 && (!watch->offline || watch->stream->page.next))
                        event_add(watch->readable, NULL);
        }
}

static void wait_no_more_for(TraceSource *source, TraceBuffer buffer) {
        for (size_t i = 0; i < source->merge.n_streams; i++)
                if (source->watches[i].buffer == buffer)
                        event_del(source->watches[i].readable);
}

static bool holds_back(const TraceSource *source, TraceBuffer buffer) {
        for (size_t i = 0; i < source->merge.n_streams; i++)
                if (source->watches[i].buffer == buffer && source->watches[i].stream->has_head)
                        return true;
        return false;
}

static TraceMergeResult read_until(TraceSource *source, uint64_t horizon_usec) {
        TraceMergeResult result;

        if (source->options.before)
                source->options.before(source->options.sink.userdata);
        source->realtime_offset_usec = clock_realtime_usec() - clock_boottime_usec();
        result = trace_merge_run(&source->merge, horizon_usec * 1000, PAGES_PER_TURN);
        source->record_usec = 0;
        if (result != TRACE_MERGE_MORE)
                source->read_until_usec = MAX(source->read_until_usec, horizon_usec);
        return result;
}

static void judge_errors(TraceSource *source) {
        for (size_t i = 0; i < source->merge.n_streams; i++) {
                const TraceStream *stream = source->watches[i].stream;

                if (stream->error == 0 || source->watches[i].failed)
                        continue;
                source->watches[i].failed = true;
                source_status_set(&source->status, SOURCE_DEGRADED, "reading the trace of CPU %u failed: %s", stream->cpu,
                                  strerror(-stream->error));
                source_status_log(&source->status);
        }
}

static void on_turn(evutil_socket_t fd _unused_, short what _unused_, void *userdata) {
        TraceSource *source = userdata;

        source->turn_due_usec = 0;
        source->last_turn_usec = clock_monotonic_usec();
        if (read_until(source, clock_boottime_usec() - MARGIN_USEC) == TRACE_MERGE_MORE) {
                schedule_turn(source, 0);
                return;
        }
        judge_errors(source);

        if (holds_back(source, TRACE_BUFFER_LANDLOCK))
                schedule_turn_for(source, TRACE_BUFFER_LANDLOCK);
        else
                wait_for(source, TRACE_BUFFER_LANDLOCK);
        if (!source->following)
                return;
        if (holds_back(source, TRACE_BUFFER_TASKS))
                schedule_turn_for(source, TRACE_BUFFER_TASKS);
        else
                wait_for(source, TRACE_BUFFER_TASKS);
}

void trace_source_set_following(TraceSource *source, bool any) {
        if (source->following == any)
                return;

        source->following = any;
        if (any)
                wait_for(source, TRACE_BUFFER_TASKS);
        else {
                wait_no_more_for(source, TRACE_BUFFER_TASKS);
                source->followed_until_usec = source->record_usec ?: clock_boottime_usec();
        }
}

void trace_source_catch_up(TraceSource *source, uint64_t until_boot_usec) {
        uint64_t end_usec = clock_boottime_usec() + DRAIN_USEC;

        while (source->merge.n_streams > 0 && read_until(source, until_boot_usec) == TRACE_MERGE_MORE &&
               clock_boottime_usec() < end_usec)
                ;
}

bool trace_source_has_read(const TraceSource *source, uint64_t boot_usec) {
        return source->merge.n_streams == 0 || boot_usec <= source->read_until_usec;
}

void trace_source_drain(TraceSource *source) {
        uint64_t end_usec = clock_boottime_usec() + DRAIN_USEC, now_usec;
        TraceMergeResult result;

        if (source->merge.n_streams == 0)
                return;
        do {
                now_usec = clock_boottime_usec();
                result = read_until(source, now_usec);
        } while (result != TRACE_MERGE_EMPTY && now_usec < end_usec);
}

/* --- start and end --------------------------------------------------------------------------------------------- */

static void set_failure(TraceSource *source, int error, const char *instance) {
        source->status.state = SOURCE_UNAVAILABLE;
        trace_instance_explain(error, instance, source->status.reason, sizeof(source->status.reason));
}

static void close_streams(TraceSource *source) {
        for (size_t i = 0; source->watches && i < source->merge.n_streams; i++)
                FREE_IF_SET(event_free, source->watches[i].readable);
        free(source->watches);
        source->watches = NULL;
        trace_merge_done(&source->merge);
}

static void close_all(TraceSource *source, bool keep) {
        close_streams(source);
        for (size_t i = 0; i < ARRAY_SIZE(source->instances); i++)
                source->instances[i] = keep ? trace_instance_leave(source->instances[i]) : trace_instance_free(source->instances[i]);
}

typedef char InstanceName[CONFIG_TRACE_INSTANCE_MAX + sizeof("-tasks")];

static void name_instances(const Config *config, InstanceName ret[static N_BUFFERS]) {
        snprintf(ret[TRACE_BUFFER_LANDLOCK], sizeof(ret[0]), "%s", config->trace_instance);
        snprintf(ret[TRACE_BUFFER_TASKS], sizeof(ret[0]), "%s-tasks", config->trace_instance);
}

int trace_source_remove(const Config *config) {
        InstanceName names[N_BUFFERS];
        int r = 0;

        name_instances(config, names);
        for (size_t i = 0; i < N_BUFFERS; i++) {
                int error = trace_instance_remove(names[i]);

                r = error < 0 && r >= 0 ? error : r;
        }
        return r;
}

static int open_instances(TraceSource *source) {
        const uint64_t sizes[] = {
                [TRACE_BUFFER_LANDLOCK] = source->options.config->trace_buffer_size,
                [TRACE_BUFFER_TASKS] = TASKS_BUFFER_SIZE,
        };
        InstanceName names[N_BUFFERS];
        int r = 0;

        name_instances(source->options.config, names);
        for (size_t i = 0; r >= 0 && i < N_BUFFERS; i++) {
                r = trace_instance_new(&source->instances[i], names[i], sizes[i]);
                if (r < 0)
                        set_failure(source, r, names[i]);
        }
        return r;
}

static void judge_events(TraceSource *source) {
        const TraceChoice *choice = &source->choice;

        if (choice->n_landlock_events == 0 &&
            (choice->n_task_events == 0 || source->options.landlock_abi < LANDLOCK_ABI_AUDIT))
                source_status_set(&source->status, SOURCE_UNAVAILABLE,
                                  "this kernel has no Landlock trace events (Linux 7.3 has them)");
        else if (choice->n_landlock_events == 0)
                source_status_set(&source->status, SOURCE_DEGRADED,
                                  "this kernel has no Landlock trace events (Linux 7.3 has them): where BPF programs do not "
                                  "stand in for them, a domain shows at its first logged denial only, and which processes "
                                  "are in it is inferred");
        else if (choice->n_missing > TRACE_CHOICE_NAMED_MAX)
                source_status_set(&source->status, SOURCE_DEGRADED,
                                  "this kernel's trace events do not tell: %s; and %zu more", choice->missing,
                                  choice->n_missing - TRACE_CHOICE_NAMED_MAX);
        else if (choice->n_missing > 0)
                source_status_set(&source->status, SOURCE_DEGRADED,
                                  "this kernel's trace events do not tell: %s", choice->missing);
        else
                source_status_set(&source->status, SOURCE_ACTIVE, "%s", "");
}

static void enable_events(TraceSource *source) {
        trace_choice_make(&source->choice, source->decoder, source->instances);
        judge_events(source);
        if (source->choice.n_landlock_events == 0)
                source->instances[TRACE_BUFFER_LANDLOCK] = trace_instance_free(source->instances[TRACE_BUFFER_LANDLOCK]);
}

/* Takes `fd`. */
static int add_stream(void *userdata, const TraceInstance *instance, unsigned cpu, int fd) {
        TraceSource *source = userdata;
        const TraceStreamOptions options = {
                .per_cpu = trace_instance_per_cpu(instance),
                .cpu = cpu,
                .layout = trace_instance_layout(instance),
                .counters = source->options.counters,
                .adopted = trace_instance_is_adopted(instance),
        };

        return trace_merge_add(&source->merge, fd, &options);
}

static int add_watch(TraceSource *source, Watch *watch, TraceStream *stream, TraceBuffer buffer) {
        struct pollfd state = { .fd = stream->fd };

        *watch = (Watch) {
                .source = source,
                .stream = stream,
                .buffer = buffer,
                .readable = event_new(source->options.base, stream->fd, EV_READ, on_readable, watch),
                /* A CPU that never was online has no buffer yet: waiting for it would return at once, always. */
                .offline = poll(&state, 1, 0) > 0 && (state.revents & POLLERR),
        };
        return watch->readable ? 0 : -ENOMEM;
}

static int open_streams(TraceSource *source) {
        size_t ends[N_BUFFERS], next = 0;
        int r;

        trace_merge_init(&source->merge, (TraceMergeSink) { on_record, on_loss, source }, source->options.counters);
        for (size_t i = 0; i < N_BUFFERS; i++) {
                r = source->instances[i] ? trace_instance_open_cpus(source->instances[i], add_stream, source) : 0;
                if (r < 0)
                        return r;
                ends[i] = source->merge.n_streams;
        }

        source->watches = calloc(MAX(source->merge.n_streams, 1U), sizeof(Watch));
        if (!source->watches)
                return -ENOMEM;
        for (size_t i = 0; i < N_BUFFERS; i++)
                for (; next < ends[i]; next++) {
                        r = add_watch(source, &source->watches[next], &source->merge.streams[next], i);
                        if (r < 0)
                                return r;
                }
        return 0;
}

static int listen_to_all(TraceSource *source) {
        int r = open_streams(source);

        if (r < 0)
                set_failure(source, r, source->options.config->trace_instance);
        else
                wait_for(source, TRACE_BUFFER_LANDLOCK);
        return r;
}

static int start(TraceSource *source) {
        int r;

        if (!source->options.config->trace) {
                source_status_set(&source->status, SOURCE_OFF, "Trace=no in landlockd.conf");
                trace_source_remove(source->options.config);
                return 0;
        }

        r = open_instances(source);
        if (r < 0)
                return r;
        enable_events(source);
        if (source->status.state == SOURCE_UNAVAILABLE)
                return -ENOENT;
        return listen_to_all(source);
}

bool trace_source_watch_calls(TraceSource *source) {
        TraceInstance **instance = &source->instances[TRACE_BUFFER_LANDLOCK];
        InstanceName names[N_BUFFERS];

        if (source->merge.n_streams == 0 || *instance)
                return false;
        name_instances(source->options.config, names);
        if (trace_instance_new(instance, names[TRACE_BUFFER_LANDLOCK], CALLS_BUFFER_SIZE) < 0)
                return false;
        trace_choice_add_calls(&source->choice, source->decoder, source->instances);
        if (!source->choice.tells_calls) {
                *instance = trace_instance_free(*instance);
                return false;
        }
        /* Nothing has been read of those that are open. */
        close_streams(source);
        if (listen_to_all(source) >= 0)
                return true;
        close_all(source, false);
        source_status_log(&source->status);
        return false;
}

int trace_source_new(TraceSource **ret, const TraceSourceOptions *options) {
        _cleanup_(trace_source_freep) TraceSource *source = calloc(1, sizeof(TraceSource));
        int r;

        if (!source)
                return -ENOMEM;
        source->options = *options;
        source->status.name = "trace";
        source->turn = evtimer_new(options->base, on_turn, source);
        if (!source->turn)
                return -ENOMEM;
        r = trace_decoder_new(&source->decoder, (FactSink) { on_fact, follows, source }, options->counters);
        if (r < 0)
                return r;

        if (start(source) < 0)
                close_all(source, false);
        source_status_log(&source->status);
        *ret = TAKE_PTR(source);
        return 0;
}

static TraceSource *end(TraceSource *source, bool keep) {
        if (!source)
                return NULL;

        close_all(source, keep);
        FREE_IF_SET(event_free, source->turn);
        trace_decoder_free(source->decoder);
        free(source);
        return NULL;
}

TraceSource *trace_source_free(TraceSource *source) {
        return end(source, false);
}

TraceSource *trace_source_leave(TraceSource *source) {
        return end(source, true);
}

bool trace_source_goes_on(const TraceSource *source) {
        const TraceInstance *instance = source->instances[TRACE_BUFFER_LANDLOCK];

        return instance && trace_instance_is_adopted(instance);
}

const SourceStatus *trace_source_status(const TraceSource *source) {
        return &source->status;
}

bool trace_source_tells_domains(const TraceSource *source) {
        return source->merge.n_streams > 0 && source->choice.tells_domains;
}

bool trace_source_tells_calls(const TraceSource *source) {
        return source->merge.n_streams > 0 && source->choice.tells_calls;
}

bool trace_source_tells_threads(const TraceSource *source) {
        return source->merge.n_streams > 0 && source->choice.tells_threads;
}

bool trace_source_tells_denials(const TraceSource *source) {
        return source->merge.n_streams > 0 && source->choice.tells_denials;
}
