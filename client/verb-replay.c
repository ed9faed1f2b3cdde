/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlockctl replay: a saved audit log through the daemon's own code, without a daemon, a kernel or privileges.
 * The log is read once and nothing of it is kept but the capped tables, so its length does not matter. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/config.h"
#include "client/event-line.h"
#include "client/memory.h"
#include "client/output.h"
#include "client/verb.h"
#include "publish/json-event.h"
#include "source/audit-replay.h"

/* As large as reads and writes profit from, and small enough to stay in a core's cache between the kernel's copy
 * and ours. */
#define BLOCK_SIZE ((size_t) 128 * 1024)
_Static_assert(BLOCK_SIZE >= JSON_LINE_MAX, "a line must fit");
#define PROGRESS_USEC (USEC_PER_SEC / 2)

typedef struct Replay {
        JsonMode json;
        bool verbatim; /* lines go out as they were encoded: NDJSON, and nobody looks at it */
        Counters counters;
        DomainTable table;
        JsonEncoder encoder;
        uint64_t seq;
        char *lines; /* BLOCK_SIZE bytes that wait to be written */
        size_t n_lines;
        int error; /* -errno of the output: the rest of the log is of no use then */
} Replay;

typedef struct Input {
        const char *name;
        int fd;
        bool is_file;
        uint64_t size, n_read;
        bool show_progress;
        uint64_t shown_usec;
} Input;

static void write_lines(Replay *replay) {
        size_t n = 0;

        while (replay->error == 0 && n < replay->n_lines) {
                ssize_t written = write(STDOUT_FILENO, replay->lines + n, replay->n_lines - n);

                if (written >= 0)
                        n += written;
                else if (errno != EINTR)
                        replay->error = -errno;
        }
        replay->n_lines = 0;
}

static void print_line(Replay *replay, Text line) {
        _cleanup_(json_decrefp) json_t *event = NULL;

        line.len--; /* its end */
        if (event_line_parse(line, &event) < 0) {
                replay->counters.json_events_oversized++;
                return;
        }
        event_line_print(line, event, replay->json);
        if (ferror(stdout))
                replay->error = -errno;
}

static void publish(Replay *replay, const Change *change) {
        Text line;

        if (json_encoder_change(&replay->encoder, change, replay->seq + 1, &line) < 0) {
                replay->counters.json_events_oversized++;
                return;
        }
        replay->seq++;
        if (!replay->verbatim) {
                print_line(replay, line);
                return;
        }
        if (line.len > BLOCK_SIZE - replay->n_lines)
                write_lines(replay);
        memcpy(replay->lines + replay->n_lines, line.data, line.len);
        replay->n_lines += line.len;
}

static void on_fact(void *userdata, const Fact *fact) {
        Replay *replay = userdata;
        Change changes[DOMAIN_TABLE_CHANGES_MAX];
        size_t n = domain_table_apply(&replay->table, fact, changes);

        for (size_t i = 0; i < n && replay->error == 0; i++)
                publish(replay, &changes[i]);
}

static Replay *replay_free(Replay *replay) {
        if (!replay)
                return NULL;
        domain_table_done(&replay->table);
        free(replay->lines);
        free(replay);
        return NULL;
}
DEFINE_CLEANUP(Replay *, replay_free);

/* The log of denials serves those who ask later, and here nobody does. */
static Replay *replay_new(const Options *options) {
        _cleanup_(replay_freep) Replay *replay = check_memory(calloc(1, sizeof(Replay)));
        DomainTableLimits limits = { .n_denials = 1 };
        Config config;

        config_set_defaults(&config);
        limits.n_domains = config.max_domains;
        limits.n_processes = config.max_processes;
        replay->json = options->json == JSON_DEFAULT ? JSON_SHORT : options->json;
        replay->verbatim = replay->json == JSON_SHORT && output_columns() == SIZE_MAX;
        replay->lines = check_memory(malloc(BLOCK_SIZE));
        json_encoder_init(&replay->encoder, &options->host);
        if (domain_table_init(&replay->table, &limits, &replay->counters) < 0)
                out_of_memory();
        return TAKE_PTR(replay);
}

static ExitCode say_unreadable(const Input *input, int error) {
        output_error("Cannot read %s: %s.", input->name, strerror(error));
        return error == EACCES ? EXIT_CODE_NOT_PERMITTED : EXIT_CODE_FAILURE;
}

static ExitCode input_open(Input *input, const char *name) {
        struct stat st;

        *input = (Input) { .name = name, .fd = STDIN_FILENO };
        if (strcmp(name, "-") == 0)
                input->name = "standard input";
        else
                input->fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (input->fd < 0 || fstat(input->fd, &st) < 0)
                return say_unreadable(input, errno);

        input->is_file = S_ISREG(st.st_mode);
        input->size = st.st_size;
        input->show_progress = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
        input->shown_usec = clock_monotonic_usec();
        if (input->is_file)
                posix_fadvise(input->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        return EXIT_CODE_OK;
}

static void show_progress(Input *input, const Replay *replay) {
        uint64_t now = clock_monotonic_usec();

        if (!input->show_progress || now - input->shown_usec < PROGRESS_USEC)
                return;
        input->shown_usec = now;
        fprintf(stderr, "\r%" PRIu64 " MiB", input->n_read >> 20);
        if (input->is_file && input->size > 0)
                fprintf(stderr, " (%" PRIu64 "%%)", MIN(input->n_read * 100 / input->size, UINT64_C(100)));
        fprintf(stderr, ", %" PRIu64 " denials\033[K", replay->counters.denials);
}

static ExitCode read_all(Input *input, AuditReplay *log, Replay *replay) {
        _cleanup_free_ char *block = check_memory(malloc(BLOCK_SIZE));
        ExitCode code = EXIT_CODE_OK;
        ssize_t n;

        while (replay->error == 0 && (n = read(input->fd, block, BLOCK_SIZE)) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0) {
                        code = say_unreadable(input, errno);
                        break;
                }
                input->n_read += n;
                audit_replay_feed(log, block, n);
                show_progress(input, replay);
                /* Who follows a growing log wants to see each event when it comes. */
                if (!input->is_file) {
                        write_lines(replay);
                        fflush(stdout);
                }
        }
        audit_replay_end(log);
        write_lines(replay);
        return code;
}

static uint64_t count_dropped(const Counters *c) {
        return c->facts_dropped + c->json_events_oversized;
}

static void print_summary(const Replay *replay, const Input *input) {
        const Counters *c = &replay->counters;
        uint64_t bad = c->audit_malformed + c->audit_oversized, dropped = count_dropped(c);

        if (!isatty(STDERR_FILENO) && bad == 0 && dropped == 0)
                return;
        fprintf(stderr, "%s%" PRIu64 " events from %" PRIu64 " records: %" PRIu64 " denials, %" PRIu64 " domains",
                input->show_progress ? "\r\033[K" : "", replay->seq, c->audit_messages, c->denials, c->domains);
        if (bad > 0)
                fprintf(stderr, "; %" PRIu64 " lines malformed, %" PRIu64 " too long: skipped or cut",
                        c->audit_malformed, c->audit_oversized);
        if (dropped > 0)
                fprintf(stderr, "; %" PRIu64 " events LOST", dropped);
        fputs(".\n", stderr);
}

ExitCode verb_replay(const Options *options) {
        _cleanup_(audit_replay_freep) AuditReplay *log = NULL;
        _cleanup_(replay_freep) Replay *replay = NULL;
        Input input;
        ExitCode code;

        code = input_open(&input, options->args[0]);
        if (code != EXIT_CODE_OK)
                return code;

        replay = replay_new(options);
        if (audit_replay_new(&log, (FactSink) { .fn = on_fact, .userdata = replay }, &replay->counters) < 0)
                out_of_memory();
        code = read_all(&input, log, replay);
        close(input.fd);
        if (replay->error < 0)
                return output_failed(-replay->error);
        print_summary(replay, &input);
        return count_dropped(&replay->counters) > 0 ? EXIT_CODE_FAILURE : code;
}
