/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/json-socket.h"

#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/log.h"
#include "publish/json-client.h"

/* Connections taken before the other sources of the loop have their turn. */
#define ACCEPTS_MAX 16

/* Without free descriptors the listening socket stays readable: it is left alone for that long. */
#define ACCEPT_PAUSE_SECONDS 1

/* A share of the history may fill up before clients must be served within one turn of the loop. */
#define UNSENT_SHARE 4

struct JsonSocket {
        JsonFeed feed;
        EventLog *log; /* the feed's, to write to; borrowed */
        size_t max_clients;
        int fd;
        struct event *readable, *resume, *flush;
        uint64_t flushed_end; /* where the log was when clients were last served */
        struct sockaddr_un address; /* sun_path is "" for an fd that was handed over */
        struct stat file;
};

/* ---- listening ---- */

static int set_address(struct sockaddr_un *address, const char *path) {
        *address = (struct sockaddr_un) { .sun_family = AF_UNIX };
        if (strlen(path) >= sizeof(address->sun_path))
                return -ENAMETOOLONG;
        strcpy(address->sun_path, path);
        return 0;
}

/* Removes the socket of a process that is dead: nobody answers there. */
static int remove_stale(const struct sockaddr_un *address) {
        _cleanup_close_ int fd = -EBADF;
        struct stat file;

        if (lstat(address->sun_path, &file) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISSOCK(file.st_mode))
                return -EEXIST;

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *) address, sizeof(*address)) >= 0 || errno == EAGAIN)
                return -EADDRINUSE;
        if (errno != ECONNREFUSED)
                return errno == ENOENT ? 0 : -errno;
        return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

/* Root's alone where the group does not exist or cannot be given: that is no reason not to start. */
static void give_to_group(const char *path, const char *name) {
        const struct group *group;

        if (!name)
                return;
        group = getgrnam(name);
        if (!group)
                log_info("There is no group %s: only root can connect to %s.", name, path);
        else if (chown(path, -1, group->gr_gid) < 0)
                log_warning("Cannot give %s to the group %s (%s): only root can connect to it.", path, name,
                            strerror(errno));
}

static int listen_on_path(JsonSocket *s, const JsonSocketOptions *options) {
        mode_t mask;
        int r;

        r = set_address(&s->address, options->path);
        if (r >= 0)
                r = remove_stale(&s->address);
        if (r < 0) {
                s->address.sun_path[0] = '\0'; /* not ours to remove */
                return r;
        }

        s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (s->fd < 0)
                return -errno;

        /* Mode and group are right before anyone can be heard. */
        mask = umask(0117);
        r = bind(s->fd, (const struct sockaddr *) &s->address, sizeof(s->address)) < 0 ? -errno : 0;
        umask(mask);
        if (r >= 0 && lstat(s->address.sun_path, &s->file) < 0)
                r = -errno;
        if (r < 0) {
                s->address.sun_path[0] = '\0';
                return r;
        }
        give_to_group(s->address.sun_path, options->group);
        return listen(s->fd, SOMAXCONN) < 0 ? -errno : 0;
}

static int take_over_fd(JsonSocket *s, int fd) {
        struct { int option, expected; } checks[] = {
                { SO_DOMAIN, AF_UNIX },
                { SO_TYPE, SOCK_STREAM },
                { SO_ACCEPTCONN, true },
        };

        s->fd = fd;
        for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
                int value;
                socklen_t size = sizeof(value);

                if (getsockopt(fd, SOL_SOCKET, checks[i].option, &value, &size) < 0)
                        return -errno;
                if (value != checks[i].expected)
                        return -ENOTSOCK;
        }
        return evutil_make_socket_nonblocking(fd) < 0 || evutil_make_socket_closeonexec(fd) < 0 ? -errno : 0;
}

/* Unless someone has put another in its place meanwhile. */
static void remove_path(const JsonSocket *s) {
        struct stat now;

        if (s->address.sun_path[0] && lstat(s->address.sun_path, &now) >= 0 && now.st_dev == s->file.st_dev &&
            now.st_ino == s->file.st_ino)
                unlink(s->address.sun_path);
}

/* ---- clients ---- */

static void turn_away(JsonSocket *s, int fd) {
        const JsonEnvelope env = {
                .seq = event_log_last_seq(s->feed.log),
                .time_usec = clock_realtime_usec(),
        };
        const JsonReply reply = {
                .error_name = "too-many-clients",
                .error_message = "landlockd has as many clients as its configuration allows (JsonMaxClients).",
        };
        Text line;

        s->feed.counters->json_clients_rejected++;
        /* The buffer of a new connection is empty: it takes the line, or nobody is there. */
        if (json_encoder_reply(&s->feed.encoder, &env, &reply, &line) >= 0)
                (void) send(fd, line.data, line.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        close(fd);
}

static void on_connection(evutil_socket_t listener, _unused_ short what, void *userdata) {
        static const struct timeval pause = { .tv_sec = ACCEPT_PAUSE_SECONDS };
        JsonSocket *s = userdata;

        for (unsigned n = 0; n < ACCEPTS_MAX; n++) {
                int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

                if (fd >= 0 && s->feed.n_clients >= s->max_clients) {
                        turn_away(s, fd);
                } else if (fd >= 0) {
                        s->feed.counters->json_clients++;
                        if (json_client_new(&s->feed, fd) < 0)
                                s->feed.counters->json_clients_dropped++;
                } else if (errno == EAGAIN) {
                        return;
                } else if (errno != ECONNABORTED && errno != EINTR) {
                        log_warning("Cannot take a connection to the JSON socket: %s. Trying again in %d s.",
                                    strerror(errno), ACCEPT_PAUSE_SECONDS);
                        event_del(s->readable);
                        event_add(s->resume, &pause);
                        return;
                }
        }
}

static void on_resume(_unused_ evutil_socket_t fd, _unused_ short what, void *userdata) {
        JsonSocket *s = userdata;

        event_add(s->readable, NULL);
}

static void flush(JsonSocket *s) {
        s->flushed_end = s->log->end;
        json_client_flush_all(&s->feed);
}

static void on_flush(_unused_ evutil_socket_t fd, _unused_ short what, void *userdata) {
        flush(userdata);
}

static void flush_while_publishing(JsonSocket *s) {
        s->feed.publishing = true;
        flush(s);
        s->feed.publishing = false;
}

/* ---- interface ---- */

static int start(JsonSocket *s, const JsonSocketOptions *options) {
        JsonFeed *feed = &s->feed;
        int r;

        json_encoder_init(&feed->encoder, &feed->status->host);
        r = options->path ? listen_on_path(s, options) : take_over_fd(s, options->fd);
        if (r < 0)
                return r;

        s->readable = event_new(feed->base, s->fd, EV_READ | EV_PERSIST, on_connection, s);
        s->resume = evtimer_new(feed->base, on_resume, s);
        s->flush = event_new(feed->base, -1, 0, on_flush, s);
        if (!s->readable || !s->resume || !s->flush || event_add(s->readable, NULL) < 0)
                return -ENOMEM;
        return 0;
}

int json_socket_new(JsonSocket **ret, struct event_base *base, const JsonSocketOptions *options,
                    EventLog *log, const DomainTable *table, const Status *status, Counters *counters) {
        _cleanup_(json_socket_freep) JsonSocket *s = calloc(1, sizeof(JsonSocket));
        int r;

        if (!s)
                return -ENOMEM;
        s->fd = -EBADF;
        s->max_clients = options->max_clients;
        s->log = log;
        s->flushed_end = log->end;
        s->feed.base = base;
        s->feed.log = log;
        s->feed.table = table;
        s->feed.status = status;
        s->feed.counters = counters;
        TAILQ_INIT(&s->feed.clients);

        r = start(s, options);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

JsonSocket *json_socket_free(JsonSocket *s) {
        if (!s)
                return NULL;

        json_client_flush_all(&s->feed);
        while (!TAILQ_EMPTY(&s->feed.clients))
                json_client_free(TAILQ_FIRST(&s->feed.clients));
        FREE_IF_SET(event_free, s->readable);
        FREE_IF_SET(event_free, s->resume);
        FREE_IF_SET(event_free, s->flush);
        remove_path(s);
        closep(&s->fd);
        free(s);
        return NULL;
}

/* Clients that keep up must not be overtaken by what comes in one turn of the loop. */
static bool must_flush_now(const JsonSocket *s) {
        return s->log->end - s->flushed_end > s->log->n_bytes / UNSENT_SHARE;
}

void json_socket_publish(JsonSocket *s, const Change *change) {
        JsonFeed *feed = &s->feed;
        const EventMeta meta = json_event_meta(change);
        Text line;

        if (json_encoder_change(&feed->encoder, change, s->log->next_seq, &line) < 0 ||
            event_log_append(s->log, &meta, line) < 0) {
                feed->counters->json_events_oversized++;
                return;
        }

        feed->counters->json_events++;
        if (must_flush_now(s))
                flush_while_publishing(s);
        if (feed->n_clients > 0)
                event_active(s->flush, EV_TIMEOUT, 0);
}
