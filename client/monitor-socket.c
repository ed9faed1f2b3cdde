/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/monitor-socket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "client/event-line.h"
#include "client/json.h"
#include "client/memory.h"
#include "client/monitor-wait.h"
#include "client/output.h"
#include "publish/json-event.h"

/* A request is sent when the one before it has been answered. */
typedef enum Phase {
        PHASE_SUBSCRIBE, /* what comes before its answer was not filtered yet: not shown */
        PHASE_REPLAY,    /* what comes before its answer comes again in its order: not shown */
        PHASE_SNAPSHOT,
        PHASE_LIVE,
} Phase;

typedef struct Monitor {
        const Options *options;
        int fd;
        Phase phase;
        char buffer[2 * JSON_LINE_MAX];
        size_t n_buffer;
        bool skipping; /* in a line longer than an event may be */
        ExitCode code;
        bool done;
} Monitor;

static ExitCode say_not_connected(const char *path, int error) {
        switch (error) {
        case EACCES:
        case EPERM:
                output_error("Not permitted to read %s. Run this as root, or as a member of the group landlockd.",
                             path);
                return EXIT_CODE_NOT_PERMITTED;
        case ENOENT:
        case ECONNREFUSED:
                output_error("landlockd is not running: nothing listens on %s. Start it: systemctl start landlockd",
                             path);
                return EXIT_CODE_NOT_RUNNING;
        default:
                output_error("Cannot connect to %s: %s.", path, strerror(error));
                return EXIT_CODE_FAILURE;
        }
}

static ExitCode connect_socket(const char *path, int *ret) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -EBADF;

        if (strlen(path) >= sizeof(address.sun_path)) {
                output_error("%s is too long for the path of a socket.", path);
                return EXIT_CODE_USAGE;
        }
        strcpy(address.sun_path, path);

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return say_not_connected(path, errno);
        *ret = TAKE_FD(fd);
        return EXIT_CODE_OK;
}

static void finish(Monitor *monitor, ExitCode code) {
        monitor->code = code;
        monitor->done = true;
}

static void say_gone(Monitor *monitor) {
        fflush(stdout);
        output_error("landlockd closed the connection: it was stopped or restarted, or this client was turned away.");
        finish(monitor, EXIT_CODE_NOT_RUNNING);
}

static void send_request(Monitor *monitor, const json_t *request) {
        _cleanup_free_ char *text = check_memory(json_dumps(request, JSON_COMPACT));
        _cleanup_free_ char *line = format_text("%s\n", text);

        /* A request is shorter than the emptiest socket buffer: all of it or nothing. */
        if (send(monitor->fd, line, strlen(line), MSG_NOSIGNAL) < 0)
                say_gone(monitor);
}

static json_t *names_to_json(const NameList *list) {
        json_t *array = check_memory(json_array());

        for (size_t i = 0; i < list->n; i++)
                json_add(array, json_string(list->names[i]));
        return array;
}

/* landlockd filters by IDs only. */
static bool filter_has_uuid(const Options *options) {
        for (size_t i = 0; i < options->n_domains; i++)
                if (options->domains[i].is_uuid)
                        return true;
        return false;
}

static json_t *domains_to_json(const Options *options) {
        json_t *array = check_memory(json_array());

        for (size_t i = 0; i < options->n_domains; i++)
                json_add(array, json_string(options->domains[i].hex));
        return array;
}

static json_t *new_request(const char *op) {
        json_t *request = check_memory(json_object());

        json_put(request, "op", json_string(op));
        json_put(request, "id", json_string(op));
        return request;
}

static void send_subscribe(Monitor *monitor) {
        const Options *options = monitor->options;
        _cleanup_(json_decrefp) json_t *request = new_request("subscribe");

        if (options->types.n > 0)
                json_put(request, "types", names_to_json(&options->types));
        if (options->blockers.n > 0)
                json_put(request, "blockers", names_to_json(&options->blockers));
        if (options->n_domains > 0 && !filter_has_uuid(options))
                json_put(request, "domains", domains_to_json(options));
        send_request(monitor, request);
}

static void send_replay(Monitor *monitor) {
        _cleanup_(json_decrefp) json_t *request = new_request("replay");

        json_put(request, "since", json_integer((json_int_t) monitor->options->since));
        send_request(monitor, request);
}

static void send_snapshot(Monitor *monitor) {
        _cleanup_(json_decrefp) json_t *request = new_request("snapshot");

        send_request(monitor, request);
}

/* Enters the next phase that there is something to ask in. */
static void enter_phase(Monitor *monitor, Phase phase) {
        const Options *options = monitor->options;

        if (phase == PHASE_SUBSCRIBE && options->types.n == 0 && options->blockers.n == 0 && options->n_domains == 0)
                phase = PHASE_REPLAY;
        if (phase == PHASE_REPLAY && !options->has_since)
                phase = PHASE_SNAPSHOT;
        if (phase == PHASE_SNAPSHOT && !options->snapshot)
                phase = PHASE_LIVE;

        monitor->phase = phase;
        if (phase == PHASE_SUBSCRIBE)
                send_subscribe(monitor);
        else if (phase == PHASE_REPLAY)
                send_replay(monitor);
        else if (phase == PHASE_SNAPSHOT)
                send_snapshot(monitor);
}

static bool domain_wanted(const Options *options, const json_t *event) {
        const char *hex = json_get_text(event, "domain");

        /* Of a ruleset landlockd knows best whether it is wanted, unless it was not asked. */
        if (!hex && options->n_domains > 0)
                return !filter_has_uuid(options) || !json_object_get(event, "ruleset");
        return options_want_domain(options, hex, json_get_text(event, "domain_uuid"));
}

static void print_snapshot_end(const json_t *reply) {
        printf("%sEnd of the snapshot (rulesets: %" JSON_INTEGER_FORMAT ", domains: %" JSON_INTEGER_FORMAT
               ", processes: %" JSON_INTEGER_FORMAT ", denials: %" JSON_INTEGER_FORMAT
               "); what follows happens now.%s\n",
               output_style(STYLE_DIM), json_get_number(reply, "rulesets"), json_get_number(reply, "domains"),
               json_get_number(reply, "processes"), json_get_number(reply, "denials"), output_style_end(STYLE_DIM));
}

static void take_refusal(Monitor *monitor, const json_t *reply) {
        const json_t *error = json_object_get(reply, "error");
        const char *name = json_get_text(error, "name") ?: "", *message = json_get_text(error, "message");

        output_error("landlockd refused the request: %s", message ?: "it did not say why.");
        finish(monitor, strcmp(name, "bad-member") == 0 ? EXIT_CODE_USAGE : EXIT_CODE_FAILURE);
}

static void take_reply(Monitor *monitor, Text line, const json_t *reply) {
        bool people = monitor->options->json <= JSON_OFF;

        if (!json_is_true(json_object_get(reply, "ok"))) {
                take_refusal(monitor, reply);
                return;
        }
        if (!people)
                event_line_print(line, reply, monitor->options->json);
        else if (monitor->phase == PHASE_SNAPSHOT && monitor->options->legend)
                print_snapshot_end(reply);
        if (monitor->phase < PHASE_LIVE)
                enter_phase(monitor, monitor->phase + 1);
}

static void take_line(Monitor *monitor, Text line) {
        _cleanup_(json_decrefp) json_t *event = NULL;
        const char *type;

        if (event_line_parse(line, &event) < 0) {
                output_error("What landlockd sent is no event: skipped one line of %zu bytes.", line.len);
                return;
        }

        type = json_get_text(event, "type") ?: "";
        if (strcmp(type, "reply") == 0)
                take_reply(monitor, line, event);
        else if (strcmp(type, "hello") == 0) {
                if (monitor->options->legend || monitor->options->json > JSON_OFF)
                        event_line_print(line, event, monitor->options->json);
        } else if (monitor->phase >= PHASE_SNAPSHOT && domain_wanted(monitor->options, event))
                event_line_print(line, event, monitor->options->json);
}

static void take_lines(Monitor *monitor) {
        char *begin = monitor->buffer, *end = begin + monitor->n_buffer, *newline;

        for (; !monitor->done && (newline = memchr(begin, '\n', end - begin)); begin = newline + 1) {
                if (!monitor->skipping)
                        take_line(monitor, (Text) { begin, newline - begin });
                monitor->skipping = false;
        }

        monitor->n_buffer = end - begin;
        memmove(monitor->buffer, begin, monitor->n_buffer);
        if (monitor->n_buffer == sizeof(monitor->buffer)) {
                if (!monitor->skipping)
                        output_error("What landlockd sent is no event: skipped a line without an end.");
                monitor->skipping = true;
                monitor->n_buffer = 0;
        }
}

static void read_some(Monitor *monitor) {
        ssize_t n = recv(monitor->fd, monitor->buffer + monitor->n_buffer, sizeof(monitor->buffer) - monitor->n_buffer,
                         MSG_DONTWAIT);
        int r;

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n <= 0) {
                say_gone(monitor);
                return;
        }
        monitor->n_buffer += n;
        take_lines(monitor);

        r = monitor->done ? 0 : monitor_flush();
        if (r < 0)
                finish(monitor, output_failed(-r));
}

ExitCode monitor_socket(const Options *options) {
        _cleanup_free_ Monitor *monitor = check_memory(calloc(1, sizeof(Monitor)));
        ExitCode code;
        int r = 1;

        monitor->options = options;
        code = connect_socket(options->socket, &monitor->fd);
        if (code != EXIT_CODE_OK)
                return code;

        monitor_wait_begin();
        enter_phase(monitor, PHASE_SUBSCRIBE);
        while (!monitor->done && (r = monitor_wait(monitor->fd, POLLIN, UINT64_MAX)) > 0)
                read_some(monitor);
        close(monitor->fd);
        return r < 0 ? EXIT_CODE_FAILURE : monitor->code;
}
