/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The socket itself: where it is, who may connect, and how many. */
#include "test-json-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "publish/json-event.h"

static int open_another(Fixture *f, const JsonSocketOptions *options, JsonSocket **ret) {
        return json_socket_new(ret, f->base, options, &f->log, &f->table, &f->status, &f->status.counters);
}

static int open_path(Fixture *f, const char *path, JsonSocket **ret) {
        const JsonSocketOptions options = { .path = path, .max_clients = 4 };

        return open_another(f, &options, ret);
}

/* A socket on the path, as a process leaves it that dies when it has not `listening`. */
static int make_socket(const char *path, bool listening) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        strcpy(address.sun_path, path);
        assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        if (listening)
                assert_int_equal(listen(fd, 1), 0);
        return fd;
}

static void test_mode(void **state) {
        Fixture *f = *state;
        mode_t mask = umask(0);
        struct stat file;

        /* Whatever the process's own umask is, which stays as it is. */
        json_socket_free(f->socket);
        assert_int_equal(open_path(f, f->path, &f->socket), 0);
        assert_int_equal(umask(mask), 0);
        assert_int_equal(lstat(f->path, &file), 0);
        assert_true(S_ISSOCK(file.st_mode));
        assert_int_equal(file.st_mode & 07777, 0660);
}

static void test_group(void **state) {
        Fixture *f = *state;
        const struct group *group = getgrgid(getegid());
        JsonSocketOptions options = { .path = f->path, .max_clients = 4 };
        struct stat file;

        if (geteuid() == 0)
                group = getgrnam("daemon") ?: group;
        json_socket_free(f->socket);
        options.group = group->gr_name;
        assert_int_equal(open_another(f, &options, &f->socket), 0);
        assert_int_equal(lstat(f->path, &file), 0);
        assert_int_equal(file.st_gid, getgrnam(options.group)->gr_gid);

        /* One that is not there is no reason to fail. */
        json_socket_free(f->socket);
        options.group = "no-such-group-here";
        assert_int_equal(open_another(f, &options, &f->socket), 0);
        assert_int_equal(lstat(f->path, &file), 0);
        assert_int_equal(file.st_gid, getegid());
}

static void test_in_use(void **state) {
        Fixture *f = *state;
        JsonSocket *another = NULL;
        Peer *peer;

        assert_int_equal(open_path(f, f->path, &another), -EADDRINUSE);
        assert_null(another);
        /* The first is not disturbed by the attempt. */
        peer = peer_new(f);
        json_decref(peer_expect(f, peer, "hello"));
        peer_free(peer);
}

static void test_in_use_and_busy(void **state) {
        Fixture *f = *state;
        JsonSocket *another = NULL;
        int fd, waiting;
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        char path[128];

        /* Its queue is full: it takes no more connections now, but it lives. */
        snprintf(path, sizeof(path), "%s/busy", f->dir);
        fd = make_socket(path, false);
        assert_int_equal(listen(fd, 0), 0);
        waiting = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        strcpy(address.sun_path, path);
        assert_int_equal(connect(waiting, (struct sockaddr *) &address, sizeof(address)), 0);
        assert_int_equal(open_path(f, path, &another), -EADDRINUSE);
        close(waiting);
        close(fd);
        assert_int_equal(unlink(path), 0);
}

static void test_stale(void **state) {
        Fixture *f = *state;
        Peer *peer;

        json_socket_free(f->socket);
        f->socket = NULL;
        close(make_socket(f->path, true));
        assert_int_equal(access(f->path, F_OK), 0);
        assert_int_equal(open_path(f, f->path, &f->socket), 0);
        peer = peer_new(f);
        json_decref(peer_expect(f, peer, "hello"));
        peer_free(peer);
}

static void test_something_else_there(void **state) {
        Fixture *f = *state;
        JsonSocket *another = NULL;
        char path[128], too_long[200];
        int fd;

        snprintf(path, sizeof(path), "%s/file", f->dir);
        fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(open_path(f, path, &another), -EEXIST);
        assert_int_equal(unlink(path), 0);

        assert_int_equal(symlink("/nowhere", path), 0);
        assert_int_equal(open_path(f, path, &another), -EEXIST);
        assert_int_equal(unlink(path), 0);

        snprintf(path, sizeof(path), "%s/missing/file", f->dir);
        assert_int_equal(open_path(f, path, &another), -ENOENT);

        memset(too_long, 'x', sizeof(too_long));
        too_long[sizeof(too_long) - 1] = '\0';
        assert_int_equal(open_path(f, too_long, &another), -ENAMETOOLONG);
        assert_null(another);
}

/* What someone has put there since is not ours to remove. */
static void test_replaced(void **state) {
        Fixture *f = *state;
        int fd;

        assert_int_equal(unlink(f->path), 0);
        fd = make_socket(f->path, true);
        json_socket_free(f->socket);
        f->socket = NULL;
        assert_int_equal(access(f->path, F_OK), 0);
        close(fd);
        unlink(f->path);
}

static void test_inherited(void **state) {
        Fixture *f = *state;
        JsonSocketOptions options = { .max_clients = 4 };
        JsonSocket *another = NULL;
        Peer *peer;
        int pair[2];

        json_socket_free(f->socket);
        f->socket = NULL;
        options.fd = make_socket(f->path, true);
        assert_int_equal(open_another(f, &options, &f->socket), 0);
        peer = peer_new(f);
        json_decref(peer_expect(f, peer, "hello"));
        peer_free(peer);
        /* Whoever made the path removes it. */
        json_socket_free(f->socket);
        f->socket = NULL;
        assert_int_equal(unlink(f->path), 0);

        options.fd = make_socket(f->path, false);
        assert_int_equal(open_another(f, &options, &another), -ENOTSOCK);
        assert_int_equal(unlink(f->path), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        options.fd = pair[0];
        assert_int_equal(open_another(f, &options, &another), -ENOTSOCK);
        close(pair[1]);
        options.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_int_equal(open_another(f, &options, &another), -ENOTSOCK);
        assert_null(another);
}

static void test_cap(void **state) {
        Fixture *f = *state;
        Peer *peers[4], *late;
        json_t *event;

        for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
                peers[i] = peer_new(f);
                json_decref(peer_expect(f, peers[i], "hello"));
        }
        late = peer_new(f);
        event = peer_expect(f, late, "reply");
        assert_true(json_is_false(json_object_get(event, "ok")));
        assert_string_equal(member_text(json_object_get(event, "error"), "name"), "too-many-clients");
        json_decref(event);
        peer_expect_end(f, late);
        peer_free(late);
        assert_int_equal(f->status.counters.json_clients, 4);
        assert_int_equal(f->status.counters.json_clients_rejected, 1);

        fixture_describe(f, 1);
        for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
                json_decref(peer_expect(f, peers[i], "domain"));

        /* The place of one that went is free again. */
        peer_free(peers[0]);
        fixture_pump(f);
        peers[0] = peer_new(f);
        json_decref(peer_expect(f, peers[0], "hello"));
        for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
                peer_free(peers[i]);
}

/* Without free descriptors there is a pause instead of a loop that spins, and nobody is forgotten. */
static void test_no_descriptors(void **state) {
        Fixture *f = *state;
        struct rlimit limit, none;
        Peer *peer = calloc(1, sizeof(Peer));
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        uint64_t begin;

        peer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        strcpy(address.sun_path, f->path);
        assert_int_equal(connect(peer->fd, (struct sockaddr *) &address, sizeof(address)), 0);

        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        none = (struct rlimit) { .rlim_cur = 0, .rlim_max = limit.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        event_base_loop(f->base, EVLOOP_NONBLOCK);
        assert_int_equal(f->status.counters.json_clients, 0);
        begin = clock_monotonic_usec();
        event_base_loop(f->base, EVLOOP_ONCE);
        assert_true(clock_monotonic_usec() - begin > USEC_PER_SEC / 2);

        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        for (unsigned i = 0; i < 10 && f->status.counters.json_clients == 0; i++)
                event_base_loop(f->base, EVLOOP_ONCE);
        json_decref(peer_expect(f, peer, "hello"));
        peer_free(peer);
}

/* What was published before the end reaches whoever takes it. */
static void test_last_words(void **state) {
        Fixture *f = *state;
        Peer *peer = peer_new(f);
        json_t *event;

        json_decref(peer_expect(f, peer, "hello"));
        fixture_describe(f, 1);
        json_socket_free(f->socket);
        f->socket = NULL;
        event = peer_next(peer);
        assert_non_null(event);
        assert_string_equal(member_text(event, "type"), "domain");
        json_decref(event);
        peer_expect_end(f, peer);
        peer_free(peer);
}

static void test_oversized_event(void **state) {
        static char huge[JSON_LINE_MAX];
        Fixture *f = *state;
        Peer *peer = peer_new(f);
        json_t *event;

        json_decref(peer_expect(f, peer, "hello"));
        memset(huge, 'x', sizeof(huge));
        fixture_describe(f, 1);
        fixture_deny(f, 1, BLOCKER_PTRACE, (Text) { huge, sizeof(huge) });
        fixture_describe(f, 2);
        event = peer_expect(f, peer, "domain");
        json_decref(event);
        event = peer_expect(f, peer, "domain");
        assert_int_equal(member_number(event, "seq"), 2);
        json_decref(event);
        assert_int_equal(f->status.counters.json_events, 2);
        assert_int_equal(f->status.counters.json_events_oversized, 1);

        /* Nor does it stop a snapshot. */
        peer_send(peer, "{\"op\":\"snapshot\"}\n");
        for (unsigned i = 0; i < 2; i++)
                json_decref(peer_expect(f, peer, "domain"));
        event = peer_expect(f, peer, "reply");
        assert_int_equal(member_number(event, "denials"), 0);
        json_decref(event);
        assert_int_equal(f->status.counters.json_events_oversized, 2);
        peer_free(peer);
}

int main(void) {
        const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
                TEST(test_mode),
                TEST(test_group),
                TEST(test_in_use),
                TEST(test_in_use_and_busy),
                TEST(test_stale),
                TEST(test_something_else_there),
                TEST(test_replaced),
                TEST(test_inherited),
                TEST(test_cap),
                TEST(test_no_descriptors),
                TEST(test_last_words),
                TEST(test_oversized_event),
        };

        return cmocka_run_group_tests_name("json-socket", tests, NULL, NULL);
}
