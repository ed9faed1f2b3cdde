/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/json-client.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "publish/json-request.h"
#include "publish/json-snapshot.h"

/* The rest of a cut line, and beside it room for what one step adds. */
#define OUT_SIZE (2 * JSON_LINE_MAX)

/* What a client gets before the others have their turn. */
#define STEPS_MAX 16
#define SEND_PIECES_MAX 64
#define SEND_BYTES_MAX ((size_t) 256 * 1024)
#define SEND_EVENTS_MAX 4096
#define SNAPSHOT_LINES_MAX 64

struct JsonClient {
        JsonFeed *feed;
        int fd;
        struct event *readable, *writable;
        TAILQ_ENTRY(JsonClient) entry;

        EventFilter filter;
        uint64_t cursor; /* the next event for this client */
        JsonSnapshot *snapshot;

        bool waiting;  /* for the socket to take more */
        bool no_more;  /* requests: it has shut down its sending side */
        bool rejected; /* to be closed once it was told why */

        size_t n_in;
        char in[JSON_REQUEST_MAX];
        size_t out_begin, out_end;
        char out[OUT_SIZE];
};

typedef enum Step {
        STEP_DONE,    /* something: there may be more */
        STEP_IDLE,    /* nothing to do until something happens */
        STEP_BLOCKED, /* the socket takes no more */
        STEP_GONE,    /* so is the client */
} Step;

static size_t out_length(const JsonClient *client) {
        return client->out_end - client->out_begin;
}

/* Whether one more line, whatever its length, can be queued. */
static bool out_has_room(const JsonClient *client) {
        return OUT_SIZE - out_length(client) >= JSON_LINE_MAX;
}

/* The caller has seen to it that there is room. */
static void queue(JsonClient *client, Text data) {
        assert(OUT_SIZE - out_length(client) >= data.len);

        if (OUT_SIZE - client->out_end < data.len) {
                memmove(client->out, client->out + client->out_begin, out_length(client));
                client->out_end = out_length(client);
                client->out_begin = 0;
        }
        memcpy(client->out + client->out_end, data.data, data.len);
        client->out_end += data.len;
}

static JsonEnvelope envelope(const JsonClient *client, const JsonRequest *request) {
        return (JsonEnvelope) {
                .seq = event_log_last_seq(client->feed->log),
                .time_usec = clock_realtime_usec(),
                .id = request && request->n_id > 0 ? (Text) { request->id, request->n_id } : TEXT_NULL,
        };
}

/* ---- requests ---- */

static void queue_reply(JsonClient *client, const JsonRequest *request, const char *error_name, const char *error) {
        const JsonEnvelope env = envelope(client, request);
        const JsonReply reply = {
                .op = json_op_to_string(request->op),
                .error_name = error_name,
                .error_message = error,
        };
        Text line;

        /* All that a client can put into it is capped by what a request may be: it always fits. */
        if (json_encoder_reply(&client->feed->encoder, &env, &reply, &line) >= 0)
                queue(client, line);
}

static void queue_status(JsonClient *client, const JsonRequest *request) {
        const JsonFeed *feed = client->feed;
        const JsonEnvelope env = envelope(client, request);
        Text line;

        if (json_encoder_status(&client->feed->encoder, &env, feed->status, feed->log->oldest_seq, feed->table,
                                &line) >= 0)
                queue(client, line);
}

/* Counts what the log dropped before this client had read it. */
static void count_missed(const JsonClient *client) {
        const EventLog *log = client->feed->log;

        if (client->cursor < log->oldest_seq)
                client->feed->counters->json_client_events_lost += log->oldest_seq - client->cursor;
}

/* Tells the client which events it is not going to get, and goes on after them. Returns whether there were any. */
static bool skip_missed(JsonClient *client) {
        const EventLog *log = client->feed->log;
        const JsonEnvelope env = { .seq = log->oldest_seq - 1, .time_usec = clock_realtime_usec() };
        Text line;

        if (client->cursor >= log->oldest_seq)
                return false;
        if (json_encoder_missed(&client->feed->encoder, &env, client->cursor, &line) >= 0)
                queue(client, line);
        client->cursor = log->oldest_seq;
        return true;
}

static void replay(JsonClient *client, const JsonRequest *request) {
        const EventLog *log = client->feed->log;

        if (request->since > event_log_last_seq(log)) {
                queue_reply(client, request, "out-of-range",
                            "\"since\" is later than the last event: a new count of events was begun since then. Ask for "
                            "a snapshot, or replay since 0.");
                return;
        }

        queue_reply(client, request, NULL, NULL);
        count_missed(client);
        /* What it has not been sent yet is still to come, in any case. */
        client->cursor = MIN(client->cursor, request->since + 1);
        skip_missed(client);
}

static void handle_request(JsonClient *client, Text line) {
        JsonRequest request;

        if (!json_request_parse(line, &request)) {
                client->feed->counters->json_requests_bad++;
                queue_reply(client, &request, request.error_name, request.error);
                return;
        }

        switch (request.op) {
        case JSON_OP_SNAPSHOT:
                if (json_snapshot_new(&client->snapshot, client->feed->table, event_log_last_seq(client->feed->log),
                                      (Text) { request.id, request.n_id }) < 0)
                        queue_reply(client, &request, "no-memory", "landlockd has no memory for a snapshot now.");
                break;
        case JSON_OP_STATUS:
                queue_status(client, &request);
                queue_reply(client, &request, NULL, NULL);
                break;
        case JSON_OP_SUBSCRIBE:
                client->filter = request.filter;
                queue_reply(client, &request, NULL, NULL);
                break;
        case JSON_OP_REPLAY:
                replay(client, &request);
                break;
        case JSON_OP_UNKNOWN:
                break;
        }
}

/* As many of the requests that are here as there is room for answers to. A snapshot is to end before the next. */
static void handle_requests(JsonClient *client) {
        size_t used = 0;

        while (!client->snapshot && !client->rejected && out_has_room(client)) {
                const char *begin = client->in + used, *end = memchr(begin, '\n', client->n_in - used);

                if (!end)
                        break;
                handle_request(client, (Text) { begin, end - begin });
                used += end + 1 - begin;
        }
        client->n_in -= used;
        memmove(client->in, client->in + used, client->n_in);
}

static void reject_long_request(JsonClient *client) {
        const JsonRequest none = { .op = JSON_OP_UNKNOWN };

        client->feed->counters->json_requests_bad++;
        client->feed->counters->json_clients_dropped++;
        client->rejected = true;
        if (out_has_room(client))
                queue_reply(client, &none, "line-too-long", "A request is at most 4096 bytes, its newline included.");
}

/* ---- output ---- */

static Step send_step(JsonClient *client, struct msghdr *message, size_t *ret_sent) {
        ssize_t n = sendmsg(client->fd, message, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return STEP_BLOCKED;
        if (n < 0)
                return STEP_GONE;
        *ret_sent = n;
        return STEP_DONE;
}

static Step send_queue(JsonClient *client) {
        struct iovec piece = { .iov_base = client->out + client->out_begin, .iov_len = out_length(client) };
        struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
        size_t sent;
        Step step;

        step = send_step(client, &message, &sent);
        if (step != STEP_DONE)
                return step;
        client->out_begin += sent;
        if (client->out_begin == client->out_end)
                client->out_begin = client->out_end = 0;
        return STEP_DONE;
}

/* Adds a line to the pieces; false if they are full. Lines that lie side by side are one piece. */
static bool gather_line(struct msghdr *message, Text line) {
        if (message->msg_iovlen > 0) {
                struct iovec *last = &message->msg_iov[message->msg_iovlen - 1];

                if ((char *) last->iov_base + last->iov_len == line.data) {
                        last->iov_len += line.len;
                        return true;
                }
        }
        if (message->msg_iovlen == SEND_PIECES_MAX)
                return false;
        message->msg_iov[message->msg_iovlen++] = (struct iovec) { (char *) line.data, line.len };
        return true;
}

/* Gathers the next events that pass the filter; returns the number of the first that was not looked at. */
static uint64_t gather_events(const JsonClient *client, struct msghdr *message) {
        const EventLog *log = client->feed->log;
        uint64_t seq = client->cursor;
        size_t n_bytes = 0;

        for (unsigned n = 0; n < SEND_EVENTS_MAX && n_bytes < SEND_BYTES_MAX; n++, seq++) {
                const EventLogEntry *entry = event_log_get(log, seq);

                if (!entry)
                        break;
                if (!event_filter_match(&client->filter, &entry->meta))
                        continue;
                if (!gather_line(message, event_log_line(log, entry)))
                        break;
                n_bytes += entry->len;
        }
        return seq;
}

/* Moves the cursor over what was sent. The log may drop the rest of a cut line any time: it is kept here. */
static void advance(JsonClient *client, uint64_t end, size_t sent) {
        const EventLog *log = client->feed->log;

        for (; client->cursor < end; client->cursor++) {
                const EventLogEntry *entry = event_log_get(log, client->cursor);
                Text line = event_log_line(log, entry);

                if (!event_filter_match(&client->filter, &entry->meta))
                        continue;
                if (sent == 0)
                        return;
                if (sent < line.len) {
                        queue(client, (Text) { line.data + sent, line.len - sent });
                        client->cursor++;
                        return;
                }
                sent -= line.len;
        }
}

static Step send_events(JsonClient *client) {
        struct iovec pieces[SEND_PIECES_MAX];
        struct msghdr message = { .msg_iov = pieces };
        size_t sent = 0;
        uint64_t end;
        Step step;

        count_missed(client);
        if (skip_missed(client))
                return STEP_DONE;

        end = gather_events(client, &message);
        if (message.msg_iovlen > 0) {
                step = send_step(client, &message, &sent);
                if (step != STEP_DONE)
                        return step;
        }
        advance(client, end, sent);
        return STEP_DONE;
}

static Step continue_snapshot(JsonClient *client) {
        JsonFeed *feed = client->feed;

        for (unsigned n = 0; n < SNAPSHOT_LINES_MAX && out_has_room(client); n++) {
                Text line;
                int r;

                r = json_snapshot_next(client->snapshot, &feed->encoder, feed->table, &client->filter,
                                       event_log_last_seq(feed->log), &line);
                if (r < 0) {
                        feed->counters->json_events_oversized++;
                        continue;
                }
                if (text_known(line))
                        queue(client, line);
                if (r == 0) {
                        client->snapshot = json_snapshot_free(client->snapshot);
                        break;
                }
        }
        return STEP_DONE;
}

/* The order in which a client gets what: answers when they are due, then the events. A snapshot goes on only when
 * there is no event left to send: each of its lines then includes all events before it in the stream, none after. */
static Step take_step(JsonClient *client) {
        const JsonFeed *feed = client->feed;

        if (!feed->publishing)
                handle_requests(client);
        if (out_length(client) > 0)
                return send_queue(client);
        if (client->rejected)
                return STEP_GONE;
        if (client->cursor < feed->log->next_seq)
                return send_events(client);
        if (client->snapshot)
                return continue_snapshot(client);
        return client->no_more && client->n_in == 0 ? STEP_GONE : STEP_IDLE;
}

static void set_waiting(JsonClient *client, bool waiting) {
        if (client->waiting == waiting)
                return;
        client->waiting = waiting;
        if (waiting)
                event_add(client->writable, NULL);
        else
                event_del(client->writable);
}

/* Requests that cannot be answered yet are left in the socket. */
static void set_reading(JsonClient *client) {
        bool reading = !client->no_more && !client->rejected && client->n_in < sizeof(client->in);

        if (reading == !!event_pending(client->readable, EV_READ, NULL))
                return;
        if (reading)
                event_add(client->readable, NULL);
        else
                event_del(client->readable);
}

/* Frees the client if it is gone, or done with. */
static void run(JsonClient *client) {
        Step step = STEP_DONE;

        for (unsigned n = 0; n < STEPS_MAX && step == STEP_DONE; n++)
                step = take_step(client);

        if (step == STEP_GONE || (step == STEP_BLOCKED && client->rejected)) {
                json_client_free(client);
                return;
        }
        set_waiting(client, step != STEP_IDLE);
        set_reading(client);
}

static void on_readable(evutil_socket_t fd, _unused_ short what, void *userdata) {
        JsonClient *client = userdata;
        ssize_t n;

        n = recv(fd, client->in + client->n_in, sizeof(client->in) - client->n_in, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n < 0) {
                json_client_free(client);
                return;
        }

        client->n_in += n;
        if (n == 0) {
                client->no_more = true;
                /* A last request without an end counts. */
                if (client->n_in > 0)
                        client->in[client->n_in++] = '\n';
        }
        if (client->n_in == sizeof(client->in) && !memchr(client->in, '\n', client->n_in))
                reject_long_request(client);
        run(client);
}

static void on_writable(_unused_ evutil_socket_t fd, _unused_ short what, void *userdata) {
        run(userdata);
}

int json_client_new(JsonFeed *feed, int fd) {
        JsonClient *client = calloc(1, sizeof(JsonClient));
        JsonEnvelope env;
        Text hello;

        if (!client) {
                close(fd);
                return -ENOMEM;
        }
        client->feed = feed;
        client->fd = fd;
        client->filter = EVENT_FILTER_EVERYTHING;
        client->cursor = feed->log->next_seq;
        TAILQ_INSERT_TAIL(&feed->clients, client, entry);
        feed->n_clients++;

        client->readable = event_new(feed->base, fd, EV_READ | EV_PERSIST, on_readable, client);
        client->writable = event_new(feed->base, fd, EV_WRITE | EV_PERSIST, on_writable, client);
        if (!client->readable || !client->writable) {
                json_client_free(client);
                return -ENOMEM;
        }

        env = envelope(client, NULL);
        if (json_encoder_hello(&feed->encoder, &env, feed->status, feed->log->oldest_seq, &hello) >= 0)
                queue(client, hello);
        run(client);
        return 0;
}

JsonClient *json_client_free(JsonClient *client) {
        if (!client)
                return NULL;

        TAILQ_REMOVE(&client->feed->clients, client, entry);
        client->feed->n_clients--;
        json_snapshot_free(client->snapshot);
        FREE_IF_SET(event_free, client->readable);
        FREE_IF_SET(event_free, client->writable);
        close(client->fd);
        free(client);
        return NULL;
}

void json_client_flush_all(JsonFeed *feed) {
        JsonClient *client = TAILQ_FIRST(&feed->clients);

        while (client) {
                JsonClient *next = TAILQ_NEXT(client, entry);

                if (!client->waiting)
                        run(client);
                client = next;
        }
}
