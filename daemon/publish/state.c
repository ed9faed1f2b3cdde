/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "publish/state-checkpoint.h"
#include "publish/state-spool.h"

/* A checkpoint is made that long after the first change since the last one; sooner if the spool has gone round by half
 * since then. But no more than a twentieth of the time is spent on it. */
#define CHECKPOINT_USEC (10 * USEC_PER_SEC)
#define CHECKPOINT_SHARE 20

/* What the loop stands still for. */
#define SLICE_USEC USEC_PER_MSEC

/* Of a short event, for the number of entries that go with so many bytes. */
#define LINE_SIZE_SHORT 256

struct State {
        struct event_base *base;
        const Host *host;
        const DomainTable *table;
        Counters *counters;
        int directory;      /* -EBADF: nothing is kept */
        SourceStatus status;
        EventLog log;

        struct event *timer;
        bool early;            /* the timer waits for no more than the share */
        StateCheckpoint *checkpoint; /* that is being written */
        uint64_t begun_end;    /* where the log was when the last one was begun */
        uint64_t not_before_usec; /* monotonic */
        uint64_t spent_usec;   /* on the last one */
        bool failed;           /* the last one could not be written: said once */
};

/* ---- checkpoints ---- */

static void arm(State *state, uint64_t delay_usec) {
        const struct timeval delay = { .tv_sec = delay_usec / USEC_PER_SEC, .tv_usec = delay_usec % USEC_PER_SEC };

        evtimer_add(state->timer, &delay);
}

static void say_failed(State *state, int error) {
        state->counters->checkpoints_failed++;
        if (!state->failed)
                log_warning("Cannot write a checkpoint of what is known (%s): after a restart, landlockd may not know all that "
                            "it does now.",
                            strerror(-error));
        state->failed = true;
}

static void end_checkpoint(State *state, int r) {
        state->checkpoint = state_checkpoint_free(state->checkpoint);
        state->not_before_usec = clock_monotonic_usec() + state->spent_usec * (CHECKPOINT_SHARE - 1);
        if (r < 0) {
                say_failed(state, r);
                return;
        }
        state->counters->checkpoints++;
        state->failed = false;
}

/* Returns whether it is done with. */
static bool write_checkpoint(State *state, uint64_t usec) {
        uint64_t begun = clock_monotonic_usec();
        int r = 1;

        if (!state->checkpoint) {
                state->spent_usec = 0;
                state->begun_end = state->log.end;
                r = state_checkpoint_new(&state->checkpoint, state->directory, state->host, &state->log, state->table);
        }
        if (r >= 0)
                r = state_checkpoint_continue(state->checkpoint, usec);
        state->spent_usec += clock_monotonic_usec() - begun;
        if (r > 0)
                return false;
        end_checkpoint(state, r);
        return true;
}

static void on_timer(evutil_socket_t fd _unused_, short what _unused_, void *userdata) {
        State *state = userdata;

        state->early = false;
        if (!write_checkpoint(state, SLICE_USEC))
                arm(state, 0);
        else if (state->log.end != state->begun_end)
                state_changed(state);
}

static uint64_t share_delay(const State *state) {
        uint64_t now = clock_monotonic_usec();

        return state->not_before_usec > now ? state->not_before_usec - now : 0;
}

void state_changed(State *state) {
        bool early = state->log.end - state->begun_end > state->log.n_bytes / 2;

        if (state->directory < 0 || state->checkpoint || state->early)
                return;
        if (early) {
                state->early = true;
                arm(state, share_delay(state));
        } else if (!evtimer_pending(state->timer, NULL))
                arm(state, MAX(CHECKPOINT_USEC, share_delay(state)));
}

void state_finish(State *state) {
        if (state->directory < 0)
                return;
        /* One that is being written is not of now. */
        state->checkpoint = state_checkpoint_free(state->checkpoint);
        event_log_touch(&state->log, clock_realtime_usec());
        while (!write_checkpoint(state, UINT64_MAX))
                ;
}

/* ---- start ---- */

/* Nobody else's landlockd is to write there. */
static int lock_directory(const State *state, const StateOptions *options) {
        struct stat ours, locked;

        if (options->locked_directory >= 0 && fstat(state->directory, &ours) >= 0 &&
            fstat(options->locked_directory, &locked) >= 0 && ours.st_dev == locked.st_dev && ours.st_ino == locked.st_ino)
                return 0;
        return flock(state->directory, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

static int open_directory(State *state, const StateOptions *options) {
        if (mkdir(options->path, 0700) < 0 && errno != EEXIST)
                return -errno;
        state->directory = open(options->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return state->directory < 0 ? -errno : lock_directory(state, options);
}

static int open_spool(State *state, const StateOptions *options, StateLoad *ret_load) {
        size_t n_bytes = MAX(options->history_size, EVENT_LOG_LINE_MAX);
        const StateSpoolOptions spool = {
                .directory = state->directory,
                .n_bytes = n_bytes,
                .n_entries = n_bytes / LINE_SIZE_SHORT,
                .machine_id = options->host->has_machine_id ? options->host->machine_id : "",
        };
        bool set_aside = false;
        int r;

        r = state_spool_open(&spool, &state->log, &set_aside);
        if (r >= 0)
                r = state_load(state->directory, options->host, &state->log, options->table, ret_load);
        state->counters->state_set_aside += set_aside + ret_load->set_aside;
        state->counters->state_lines_bad += ret_load->n_bad_lines;
        return r;
}

static int keep_in_memory(State *state, const StateOptions *options, int error) {
        const char *reason = error == -EWOULDBLOCK ? "another landlockd uses it; give this one its own with --state-dir="
                                                   : strerror(-error);
        size_t n_bytes = MAX(options->history_size, EVENT_LOG_LINE_MAX);

        closep(&state->directory);
        state->directory = -EBADF;
        source_status_set(&state->status, SOURCE_DEGRADED,
                          "nothing can be kept in the state directory: a restart forgets domains and events (%s)", reason);
        source_status_log(&state->status);
        return event_log_init(&state->log, n_bytes, n_bytes / LINE_SIZE_SHORT);
}

static int start(State *state, const StateOptions *options, StateLoad *ret_load) {
        int r;

        state->timer = evtimer_new(options->base, on_timer, state);
        if (!state->timer)
                return -ENOMEM;
        r = open_directory(state, options);
        if (r >= 0)
                r = open_spool(state, options, ret_load);
        if (r < 0 && r != -ENOMEM)
                r = keep_in_memory(state, options, r);
        if (r < 0)
                return r;
        state->begun_end = state->log.end;
        return 0;
}

int state_new(State **ret, const StateOptions *options, StateLoad *ret_load) {
        _cleanup_(state_freep) State *state = calloc(1, sizeof(State));
        int r;

        *ret_load = (StateLoad) {};
        if (!state)
                return -ENOMEM;
        state->base = options->base;
        state->host = options->host;
        state->table = options->table;
        state->counters = options->counters;
        state->directory = -EBADF;
        state->status = (SourceStatus) { .name = "state", .state = SOURCE_ACTIVE };

        r = start(state, options, ret_load);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(state);
        return 0;
}

State *state_free(State *state) {
        if (!state)
                return NULL;
        state_checkpoint_free(state->checkpoint);
        FREE_IF_SET(event_free, state->timer);
        event_log_done(&state->log);
        closep(&state->directory);
        free(state);
        return NULL;
}

EventLog *state_log(State *state) {
        return &state->log;
}

const SourceStatus *state_status(const State *state) {
        return &state->status;
}
