/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a client gets: all events in order, or to be told which ones it did not. */
#include "test-json-fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "publish/json-event.h"
#include "publish/json-request.h"

#define DOMAIN_ID UINT64_C(0x1466dc891)

/* A denial whose line is some 1.3 KiB long. */
static void deny_long(Fixture *f) {
        static char path[1000];

        memset(path, 'x', sizeof(path));
        fixture_deny(f, DOMAIN_ID, BLOCKER_FS_WRITE_FILE, (Text) { path, sizeof(path) });
}

static Peer *new_greeted_peer(Fixture *f) {
        Peer *peer = peer_new(f);

        json_decref(peer_expect(f, peer, "hello"));
        return peer;
}

static void expect_reply(Fixture *f, Peer *peer, const char *op, bool ok) {
        json_t *reply = peer_expect(f, peer, "reply");

        if (op)
                assert_string_equal(member_text(reply, "op"), op);
        assert_int_equal(json_is_true(json_object_get(reply, "ok")), ok);
        json_decref(reply);
}

static void expect_error(Fixture *f, Peer *peer, const char *name) {
        json_t *reply = peer_expect(f, peer, "reply");

        assert_true(json_is_false(json_object_get(reply, "ok")));
        assert_string_equal(member_text(json_object_get(reply, "error"), "name"), name);
        json_decref(reply);
}

static void expect_event(Fixture *f, Peer *peer, const char *type, uint64_t seq) {
        json_t *event = peer_expect(f, peer, type);

        assert_int_equal(member_number(event, "seq"), seq);
        json_decref(event);
}

static void test_hello_and_events(void **state) {
        Fixture *f = *state;
        Peer *early = peer_new(f), *late;
        json_t *event;

        event = peer_expect(f, early, "hello");
        assert_int_equal(member_number(event, "seq"), 0);
        assert_int_equal(member_number(event, "oldest_seq"), 1);
        assert_string_equal(member_text(event, "version"), "test");
        assert_string_equal(member_text(event, "boot_id"), f->status.host.boot_id);
        json_decref(event);

        fixture_deny(f, DOMAIN_ID, BLOCKER_FS_WRITE_FILE, TEXT_LITERAL("/etc/passwd"));
        event = peer_expect(f, early, "domain");
        assert_int_equal(member_number(event, "seq"), 1);
        assert_string_equal(member_text(event, "change"), "added");
        /* The denial comes next: whoever counts must not have it already. */
        assert_int_equal(member_number(json_object_get(event, "denials"), "seen"), 0);
        assert_null(json_object_get(event, "blockers"));
        assert_int_equal(member_number(event, "processes_count"), 0);
        json_decref(event);
        expect_event(f, early, "denial", 2);

        late = peer_new(f);
        event = peer_expect(f, late, "hello");
        assert_int_equal(member_number(event, "seq"), 2);
        assert_int_equal(member_number(event, "oldest_seq"), 1);
        json_decref(event);
        fixture_end(f, DOMAIN_ID);
        expect_event(f, early, "domain", 3);
        expect_event(f, late, "domain", 3);
        peer_expect_nothing(f, early);
        peer_expect_nothing(f, late);
        assert_int_equal(f->status.counters.json_events, 3);
        assert_int_equal(f->status.counters.json_clients, 2);

        peer_free(early);
        peer_free(late);
}

static void test_nothing_to_do_when_idle(void **state) {
        Fixture *f = *state;
        int idle = event_base_get_num_events(f->base, EVENT_BASE_COUNT_ADDED);
        Peer *peer = new_greeted_peer(f);

        deny_long(f);
        expect_event(f, peer, "domain", 1);
        expect_event(f, peer, "denial", 2);
        fixture_pump(f);
        /* One waits for requests of the client; none for its socket to be writable, and no timer runs. */
        assert_int_equal(event_base_get_num_events(f->base, EVENT_BASE_COUNT_ADDED), idle + 1);
        assert_int_equal(event_base_get_num_events(f->base, EVENT_BASE_COUNT_ACTIVE), 0);
        peer_free(peer);
        fixture_pump(f);
        assert_int_equal(event_base_get_num_events(f->base, EVENT_BASE_COUNT_ADDED), idle);
}

/* Reads all that comes; adds up what was seen and what was told to be lost. Every number from *next on must be in
 * exactly one of them. */
static void read_stream(Fixture *f, Peer *peer, uint64_t *next, uint64_t *n_events, uint64_t *n_lost) {
        for (unsigned idle = 0; idle < 3;) {
                json_t *event = peer_next(peer);

                if (!event) {
                        fixture_pump(f);
                        idle++;
                        continue;
                }
                idle = 0;
                if (strcmp(member_text(event, "type"), "lost") == 0) {
                        uint64_t first = member_number(event, "first_seq"), last = member_number(event, "last_seq");

                        assert_string_equal(member_text(event, "cause"), "slow-client");
                        assert_string_equal(member_text(event, "source"), "client");
                        assert_int_equal(first, *next);
                        assert_true(last >= first);
                        assert_int_equal(member_number(event, "count"), last - first + 1);
                        assert_int_equal(member_number(event, "seq"), last);
                        *n_lost += last - first + 1;
                        *next = last + 1;
                } else {
                        assert_int_equal(member_number(event, "seq"), *next);
                        (*n_events)++;
                        (*next)++;
                }
                json_decref(event);
        }
}

static void test_slow_client_loses_only_its_own(void **state) {
        Fixture *f = *state;
        Peer *slow = new_greeted_peer(f), *fast = new_greeted_peer(f);
        uint64_t slow_next = 1, fast_next = 1, n_slow = 0, n_fast = 0, slow_lost = 0, fast_lost = 0;
        uint64_t n_published;

        for (unsigned round = 0; round < 100; round++) {
                for (unsigned i = 0; i < 10; i++)
                        deny_long(f);
                read_stream(f, fast, &fast_next, &n_fast, &fast_lost);
        }
        n_published = f->status.counters.json_events;
        assert_int_equal(n_published, 1001);
        assert_int_equal(n_fast, n_published);
        assert_int_equal(fast_lost, 0);

        /* What the socket took before it was full, a gap that is told, and what is still kept. */
        read_stream(f, slow, &slow_next, &n_slow, &slow_lost);
        assert_int_equal(slow_next, n_published + 1);
        assert_int_equal(n_slow + slow_lost, n_published);
        assert_true(slow_lost > 500);
        assert_true(n_slow > HISTORY_SIZE / 2 / 1400);
        assert_int_equal(f->status.counters.json_client_events_lost, slow_lost);

        /* It has caught up, and is like any other. */
        deny_long(f);
        expect_event(f, slow, "denial", n_published + 1);
        peer_free(slow);
        peer_free(fast);
}

/* More than the history holds, within one turn of the loop: no fault of a client that has an empty socket. */
static void test_burst_in_one_turn(void **state) {
        Fixture *f = *state;
        Peer *peer = new_greeted_peer(f);
        uint64_t next = 1, n = 0, n_lost = 0;

        for (unsigned i = 0; i < HISTORY_SIZE / 1200; i++)
                deny_long(f);
        assert_true(f->status.counters.json_events * 1200 > HISTORY_SIZE);
        read_stream(f, peer, &next, &n, &n_lost);
        assert_int_equal(n_lost, 0);
        assert_int_equal(n, f->status.counters.json_events);
        peer_free(peer);
}

/* More than the socket takes, so that it cuts lines: they are whole again for the client. */
static void test_lines_cut_by_the_socket(void **state) {
        Fixture *f = *state;
        uint64_t next = 1, n = 0, n_lost = 0;
        Peer *peer;

        json_socket_free(f->socket);
        event_log_done(&f->log);
        assert_int_equal(event_log_init(&f->log, 16 * HISTORY_SIZE, 16 * HISTORY_SIZE / 256), 0);
        assert_int_equal(json_socket_new(&f->socket, f->base, &(JsonSocketOptions) { .path = f->path, .max_clients = 4 },
                                         &f->log, &f->table, &f->status, &f->status.counters), 0);
        peer = new_greeted_peer(f);
        for (unsigned i = 0; i < 1300; i++)
                deny_long(f);
        assert_true(f->status.counters.json_events * 1200 > 8 * HISTORY_SIZE);
        read_stream(f, peer, &next, &n, &n_lost);
        assert_int_equal(n_lost, 0);
        assert_int_equal(n, f->status.counters.json_events);
        peer_free(peer);
}

/* Short lines: the number of entries is capped too, and may not be the reason of a loss either. */
static void test_burst_of_short_events(void **state) {
        Fixture *f = *state;
        Peer *peer = new_greeted_peer(f);
        const Loss loss = { .cause = LOSS_SERIAL_GAP, .count = 1 };
        const Change change = { .type = CHANGE_LOST, .origins = ORIGIN_AUDIT, .loss = &loss };
        uint64_t last;
        json_t *event;

        peer_send(peer, "{\"op\":\"subscribe\",\"types\":[]}\n");
        expect_reply(f, peer, "subscribe", true);
        for (unsigned i = 0; i < 10000; i++)
                json_socket_publish(f->socket, &change);
        peer_expect_nothing(f, peer);
        assert_int_equal(f->status.counters.json_client_events_lost, 0);

        peer_send(peer, "{\"op\":\"status\"}\n");
        event = peer_expect(f, peer, "status");
        last = member_number(event, "seq");
        assert_int_equal(last, 10000);
        assert_true(last - member_number(event, "oldest_seq") < HISTORY_SIZE / 256);
        assert_true(last - member_number(event, "oldest_seq") > HISTORY_SIZE / 512);
        json_decref(event);
        peer_free(peer);
}

static void test_filter(void **state) {
        Fixture *f = *state;
        Peer *peer = new_greeted_peer(f);
        json_t *event;

        peer_send(peer, "{\"op\":\"subscribe\",\"id\":\"a\",\"types\":[\"denial\"],\"domains\":[\"2\"],"
                        "\"blockers\":[\"fs.execute\",\"ptrace\"]}\n");
        event = peer_expect(f, peer, "reply");
        assert_string_equal(member_text(event, "id"), "a");
        json_decref(event);

        fixture_deny(f, 1, BLOCKER_PTRACE, TEXT_LITERAL("other domain"));
        fixture_deny(f, 2, BLOCKER_FS_REFER, TEXT_LITERAL("other blocker"));
        fixture_deny(f, 2, BLOCKER_PTRACE, TEXT_LITERAL("this"));
        fixture_end(f, 2);
        event = peer_expect(f, peer, "denial");
        assert_string_equal(member_text(json_object_get(event, "object"), "path"), "this");
        assert_int_equal(member_number(event, "seq"), 5);
        json_decref(event);
        peer_expect_nothing(f, peer);

        /* Another filter replaces the first. */
        peer_send(peer, "{\"op\":\"subscribe\",\"types\":[\"domain\"]}\n");
        expect_reply(f, peer, "subscribe", true);
        fixture_deny(f, 3, BLOCKER_PTRACE, TEXT_LITERAL("x"));
        expect_event(f, peer, "domain", 7);
        peer_expect_nothing(f, peer);
        peer_send(peer, "{\"op\":\"subscribe\"}\n");
        expect_reply(f, peer, "subscribe", true);
        fixture_deny(f, 3, BLOCKER_PTRACE, TEXT_LITERAL("x"));
        expect_event(f, peer, "denial", 9);

        /* A ruleset is of no domain. */
        peer_send(peer, "{\"op\":\"subscribe\",\"types\":[\"ruleset\",\"process\"]}\n");
        expect_reply(f, peer, "subscribe", true);
        fixture_create_ruleset(f, 1);
        fixture_enter(f, 3, 7);
        fixture_deny(f, 3, BLOCKER_PTRACE, TEXT_LITERAL("x"));
        expect_event(f, peer, "ruleset", 10);
        expect_event(f, peer, "process", 11);
        peer_expect_nothing(f, peer);
        peer_send(peer, "{\"op\":\"subscribe\",\"domains\":[\"3\"]}\n");
        expect_reply(f, peer, "subscribe", true);
        fixture_create_ruleset(f, 2);
        fixture_exit(f, 7);
        expect_event(f, peer, "process", 14);
        peer_expect_nothing(f, peer);
        peer_free(peer);
}

/* Lines that are sent are those that pass, also where a write ends in the middle of one. */
static void test_filter_with_cut_lines(void **state) {
        static char path[1000];
        Fixture *f = *state;
        Peer *peer = new_greeted_peer(f);
        uint64_t n = 0, last = 0;

        memset(path, 'x', sizeof(path));
        peer_send(peer, "{\"op\":\"subscribe\",\"types\":[\"denial\"],\"domains\":[\"1\"]}\n");
        expect_reply(f, peer, "subscribe", true);
        for (unsigned i = 0; i < 1000; i++) {
                json_t *event;

                /* Every third passes. The socket is mostly full. */
                fixture_deny(f, 1 + i % 3, BLOCKER_PTRACE, (Text) { path, sizeof(path) - i % 7 });
                fixture_pump(f);
                event = i > 600 ? peer_next(peer) : NULL;
                if (!event)
                        continue;
                if (strcmp(member_text(event, "type"), "denial") == 0) {
                        assert_string_equal(member_text(event, "domain"), "1");
                        assert_true(member_number(event, "seq") > last);
                        n++;
                }
                last = member_number(event, "seq");
                json_decref(event);
        }
        assert_true(n > 100);
        peer_free(peer);
}

static void test_replay(void **state) {
        Fixture *f = *state;
        Peer *peer = new_greeted_peer(f);
        uint64_t next, n = 0, n_lost = 0;
        json_t *event;

        peer_send(peer, "{\"op\":\"replay\",\"since\":0}\n");
        expect_reply(f, peer, "replay", true);
        peer_expect_nothing(f, peer);
        peer_send(peer, "{\"op\":\"replay\",\"since\":1}\n");
        expect_error(f, peer, "out-of-range");

        fixture_deny(f, DOMAIN_ID, BLOCKER_PTRACE, TEXT_LITERAL("a"));
        fixture_deny(f, DOMAIN_ID, BLOCKER_PTRACE, TEXT_LITERAL("b"));
        for (uint64_t seq = 1; seq <= 3; seq++)
                expect_event(f, peer, seq == 1 ? "domain" : "denial", seq);

        /* Again, from the second on, and then what is new. */
        peer_send(peer, "{\"op\":\"replay\",\"since\":1,\"id\":5}\n");
        event = peer_expect(f, peer, "reply");
        assert_int_equal(member_number(event, "id"), 5);
        json_decref(event);
        expect_event(f, peer, "denial", 2);
        expect_event(f, peer, "denial", 3);
        peer_send(peer, "{\"op\":\"replay\",\"since\":3}\n");
        expect_reply(f, peer, "replay", true);
        fixture_deny(f, DOMAIN_ID, BLOCKER_PTRACE, TEXT_LITERAL("c"));
        expect_event(f, peer, "denial", 4);

        /* What is no longer kept is told; it is not the fault of a slow client, and not counted as such. */
        peer_send(peer, "{\"op\":\"subscribe\",\"types\":[]}\n");
        expect_reply(f, peer, "subscribe", true);
        for (unsigned i = 0; i < 200; i++)
                deny_long(f);
        fixture_pump(f);
        peer_send(peer, "{\"op\":\"subscribe\"}\n{\"op\":\"replay\",\"since\":2}\n");
        expect_reply(f, peer, "subscribe", true);
        expect_reply(f, peer, "replay", true);
        next = 3;
        read_stream(f, peer, &next, &n, &n_lost);
        assert_int_equal(next, 205);
        assert_true(n_lost > 50);
        assert_true(n > 50);
        assert_int_equal(f->status.counters.json_client_events_lost, 0);
        peer_free(peer);
}

static void test_status(void **state) {
        Fixture *f = *state;
        Peer *peer = new_greeted_peer(f);
        json_t *event;

        fixture_deny(f, DOMAIN_ID, BLOCKER_PTRACE, TEXT_LITERAL("a"));
        fixture_enter(f, DOMAIN_ID, 7);
        fixture_create_ruleset(f, 1);
        fixture_add_rule(f, 1, 1, TEXT_LITERAL("/a"));
        fixture_add_rule(f, 1, 2, TEXT_LITERAL("/b"));
        expect_event(f, peer, "domain", 1);
        expect_event(f, peer, "denial", 2);
        expect_event(f, peer, "process", 3);
        for (uint64_t seq = 4; seq <= 6; seq++)
                expect_event(f, peer, "ruleset", seq);
        peer_send(peer, "{\"op\":\"status\",\"id\":1}\n");
        event = peer_expect(f, peer, "status");
        assert_int_equal(member_number(event, "id"), 1);
        assert_int_equal(member_number(event, "seq"), 6);
        assert_int_equal(member_number(json_object_get(event, "counters"), "denials"), 1);
        assert_int_equal(member_number(json_object_get(event, "tables"), "domains_live"), 1);
        assert_int_equal(member_number(json_object_get(event, "tables"), "processes"), 1);
        assert_int_equal(member_number(json_object_get(event, "tables"), "threads"), 1);
        assert_int_equal(member_number(json_object_get(event, "tables"), "rulesets"), 1);
        assert_int_equal(member_number(json_object_get(event, "tables"), "rules"), 2);
        json_decref(event);
        expect_reply(f, peer, "status", true);
        peer_free(peer);
}

static void test_bad_requests(void **state) {
        Fixture *f = *state;
        Peer *peer = new_greeted_peer(f);

        peer_send(peer, "hello\n{\"op\":\"dance\"}\n{\"op\":\"status\",\"x\":1}\n");
        expect_error(f, peer, "bad-json");
        expect_error(f, peer, "unknown-op");
        expect_error(f, peer, "bad-member");
        assert_int_equal(f->status.counters.json_requests_bad, 3);
        /* The connection is as good as before. */
        deny_long(f);
        expect_event(f, peer, "domain", 1);
        expect_event(f, peer, "denial", 2);
        peer_free(peer);
}

/* One byte at a time. */
static void test_request_in_pieces(void **state) {
        static const char request[] = "{\"op\":\"subscribe\"}\n";
        Fixture *f = *state;
        Peer *peer = new_greeted_peer(f);

        for (const char *p = request; *p; p++) {
                peer_expect_nothing(f, peer);
                peer_send(peer, (char[]) { *p, '\0' });
        }
        expect_reply(f, peer, "subscribe", true);
        peer_free(peer);
}

static void test_overlong_request(void **state) {
        Fixture *f = *state;
        Peer *bad = new_greeted_peer(f), *good = new_greeted_peer(f);
        char line[JSON_REQUEST_MAX + 1];

        /* The longest that is allowed is an error of another kind, and of no consequence. */
        memset(line, 'x', sizeof(line));
        line[JSON_REQUEST_MAX - 1] = '\n';
        line[JSON_REQUEST_MAX] = '\0';
        peer_send(bad, line);
        expect_error(f, bad, "bad-json");

        line[JSON_REQUEST_MAX - 1] = 'x';
        peer_send(bad, line);
        peer_send(bad, "more\n");
        expect_error(f, bad, "line-too-long");
        peer_expect_nothing(f, bad);
        assert_true(recv(bad->fd, line, 1, MSG_DONTWAIT) <= 0);
        assert_int_equal(f->status.counters.json_clients_dropped, 1);

        deny_long(f);
        expect_event(f, good, "domain", 1);
        peer_free(bad);
        peer_free(good);
}

/* Requests are taken no faster than their answers are read, and none is lost. */
static void test_requests_without_reading(void **state) {
        enum { N = 20000 };
        Fixture *f = *state;
        Peer *flood = new_greeted_peer(f), *other = new_greeted_peer(f);
        unsigned n_sent = 0, n_answered = 0, stuck = 0;
        char request[64];

        while (stuck < 3) {
                int len = snprintf(request, sizeof(request), "{\"op\":\"subscribe\",\"types\":[],\"id\":%u}\n", n_sent);

                if (send(flood->fd, request, len, MSG_DONTWAIT | MSG_NOSIGNAL) == len) {
                        n_sent++;
                        stuck = 0;
                        assert_true(n_sent < N);
                } else {
                        fixture_pump(f);
                        stuck++;
                }
        }

        /* Everyone else is served as before. */
        deny_long(f);
        expect_event(f, other, "domain", 1);
        expect_event(f, other, "denial", 2);

        while (n_answered < n_sent) {
                json_t *event = peer_expect(f, flood, "reply");

                assert_int_equal(member_number(event, "id"), n_answered);
                n_answered++;
                json_decref(event);
        }
        peer_expect_nothing(f, flood);
        peer_free(flood);
        peer_free(other);
}

/* A client that sends no more gets its answers, and then the end: `printf ... | nc -NU` ends by itself. */
static void test_half_closed(void **state) {
        Fixture *f = *state;
        Peer *peer = new_greeted_peer(f);

        peer_send(peer, "{\"op\":\"status\"}\n{\"op\":\"status\"}");
        assert_int_equal(shutdown(peer->fd, SHUT_WR), 0);
        deny_long(f);
        for (unsigned n_replies = 0; n_replies < 2;) {
                json_t *event = peer_next(peer);

                if (!event)
                        fixture_pump(f);
                else if (strcmp(member_text(event, "type"), "reply") == 0)
                        n_replies++;
                json_decref(event);
        }
        peer_expect_end(f, peer);
        peer_free(peer);
}

static void test_client_goes_away(void **state) {
        Fixture *f = *state;

        /* While it is sent to, and without having read; more often than the cap on clients allows at once. */
        for (unsigned i = 0; i < 20; i++) {
                Peer *peer = new_greeted_peer(f);

                for (unsigned n = 0; n < 300; n++)
                        deny_long(f);
                if (i % 2)
                        fixture_pump(f);
                if (i % 3 == 0)
                        peer_send(peer, "{\"op\":\"snapshot\"}\n");
                peer_free(peer);
                fixture_pump(f);
        }
        assert_int_equal(f->status.counters.json_clients_rejected, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
                TEST(test_hello_and_events),
                TEST(test_nothing_to_do_when_idle),
                TEST(test_slow_client_loses_only_its_own),
                TEST(test_burst_in_one_turn),
                TEST(test_lines_cut_by_the_socket),
                TEST(test_burst_of_short_events),
                TEST(test_filter),
                TEST(test_filter_with_cut_lines),
                TEST(test_replay),
                TEST(test_status),
                TEST(test_bad_requests),
                TEST(test_request_in_pieces),
                TEST(test_overlong_request),
                TEST(test_requests_without_reading),
                TEST(test_half_closed),
                TEST(test_client_goes_away),
        };

        return cmocka_run_group_tests_name("json-client", tests, NULL, NULL);
}
