/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-json-fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/log.h"

#define ROUNDS_MAX 1000

int fixture_setup(void **state) {
        const DomainTableLimits limits = {
                .n_domains = 4096, .n_denials = 4096, .n_processes = 4096, .n_threads = 4096, .n_rulesets = 4096,
                .n_rules = 65536,
        };
        const char *tmp = getenv("TMPDIR") ?: "/tmp";
        Fixture *f = calloc(1, sizeof(Fixture));

        log_set_max_priority(LOG_ERR);
        snprintf(f->dir, sizeof(f->dir), "%s/test-json-XXXXXX", strlen(tmp) < 40 ? tmp : "/tmp");
        assert_non_null(mkdtemp(f->dir));
        snprintf(f->path, sizeof(f->path), "%s/telemetry.sock", f->dir);
        f->base = event_base_new();
        assert_int_equal(event_base_priority_init(f->base, 2), 0);
        f->status = (Status) {
                .version = "test",
                .landlock_abi = 7,
                .landlock_errata = -ENOSYS,
                .started_usec = TIME,
                .host = { .has_boot_id = true, .boot_id = "5f0c1a2e-0b8e-4f6d-9d1a-2c3b4a596877" },
        };
        assert_int_equal(domain_table_init(&f->table, &limits, &f->status.counters), 0);
        assert_int_equal(event_log_init(&f->log, HISTORY_SIZE, HISTORY_SIZE / 256), 0);
        assert_int_equal(json_socket_new(&f->socket, f->base,
                                         &(JsonSocketOptions) { .path = f->path, .max_clients = 4 },
                                         &f->log, &f->table, &f->status, &f->status.counters), 0);
        *state = f;
        return 0;
}

int fixture_teardown(void **state) {
        Fixture *f = *state;

        json_socket_free(f->socket);
        event_log_done(&f->log);
        domain_table_done(&f->table);
        event_base_free(f->base);
        assert_int_equal(rmdir(f->dir), 0); /* the socket is gone */
        free(f);
        return 0;
}

void fixture_limit_table(Fixture *f, const DomainTableLimits *limits) {
        domain_table_done(&f->table);
        assert_int_equal(domain_table_init(&f->table, limits, &f->status.counters), 0);
}

void fixture_pump(Fixture *f) {
        /* A loop that finds something to do each time would be one that never sleeps. */
        for (unsigned i = 0; i < 20; i++)
                event_base_loop(f->base, EVLOOP_NONBLOCK);
}

static void apply(Fixture *f, const Fact *fact) {
        Change changes[DOMAIN_TABLE_CHANGES_MAX];
        size_t n = domain_table_apply(&f->table, fact, changes);

        for (size_t i = 0; i < n; i++)
                json_socket_publish(f->socket, &changes[i]);
}

void fixture_deny(Fixture *f, uint64_t domain, Blocker blocker, Text path) {
        const Fact fact = {
                .type = FACT_ACCESS_DENIED,
                .origins = ORIGIN_AUDIT,
                .time_usec = TIME,
                .denied = {
                        .domain = domain,
                        .time_usec = TIME,
                        .origins = ORIGIN_AUDIT,
                        .blockers.known = UINT64_C(1) << blocker,
                        .object = { .kind = OBJECT_FILE, .path = path },
                        .subject.comm = TEXT_LITERAL("sh"),
                },
        };

        apply(f, &fact);
}

void fixture_describe(Fixture *f, uint64_t domain) {
        const Fact fact = {
                .type = FACT_DOMAIN_DESCRIBED,
                .origins = ORIGIN_AUDIT,
                .time_usec = TIME,
                .described = { .domain = domain, .mode = DOMAIN_MODE_ENFORCING },
        };

        apply(f, &fact);
}

static Fact trace_fact(FactType type) {
        return (Fact) { .type = type, .origins = ORIGIN_TRACE, .time_usec = TIME };
}

void fixture_create(Fixture *f, uint64_t domain, uint64_t ruleset, uint64_t version) {
        Fact fact = trace_fact(FACT_DOMAIN_CREATED);

        fact.created = (DomainCreation) { .domain = domain, .ruleset = ruleset, .ruleset_version = version };
        apply(f, &fact);
}

void fixture_enter(Fixture *f, uint64_t domain, int64_t pid) {
        Fact fact = trace_fact(FACT_TASK_SEEN);

        fact.seen = (TaskSight) {
                .domain = domain,
                .task = { .tid = pid, .pid = pid, .has_pid = true, .comm = TEXT_LITERAL("sh") },
                .attribution = ATTRIBUTION_KERNEL,
        };
        apply(f, &fact);
}

void fixture_exit(Fixture *f, int64_t pid) {
        Fact fact = trace_fact(FACT_TASK_EXITED);

        fact.exited.tid = pid;
        apply(f, &fact);
}

void fixture_create_ruleset(Fixture *f, uint64_t ruleset) {
        Fact fact = trace_fact(FACT_RULESET_CREATED);

        fact.ruleset_created = (RulesetCreation) { .ruleset = ruleset, .handled.bits[ACCESS_FS] = 3 };
        apply(f, &fact);
}

void fixture_add_rule(Fixture *f, uint64_t ruleset, uint64_t version, Text path) {
        Fact fact = trace_fact(FACT_RULE_ADDED);

        fact.rule_added = (RuleAddition) {
                .ruleset = ruleset,
                .rule = { .version = version, .kind = RULE_PATH_BENEATH, .access = 1, .path = path },
        };
        apply(f, &fact);
}

void fixture_end_ruleset(Fixture *f, uint64_t ruleset, uint64_t version) {
        Fact fact = trace_fact(FACT_RULESET_FREED);

        fact.ruleset_freed = (RulesetEnd) { ruleset, version };
        apply(f, &fact);
}

void fixture_end(Fixture *f, uint64_t domain) {
        const Fact fact = {
                .type = FACT_DOMAIN_FREED,
                .origins = ORIGIN_AUDIT,
                .time_usec = TIME,
                .freed = { .domain = domain },
        };

        apply(f, &fact);
}

Peer *peer_new(Fixture *f) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        Peer *peer = calloc(1, sizeof(Peer));

        strcpy(address.sun_path, f->path);
        peer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(peer->fd >= 0);
        assert_int_equal(connect(peer->fd, (struct sockaddr *) &address, sizeof(address)), 0);
        return peer;
}

Peer *peer_free(Peer *peer) {
        if (!peer)
                return NULL;
        if (peer->fd >= 0)
                close(peer->fd);
        free(peer);
        return NULL;
}

void peer_send(Peer *peer, const char *text) {
        assert_int_equal(send(peer->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT), strlen(text));
}

json_t *peer_next(Peer *peer) {
        char *end = memchr(peer->buffer, '\n', peer->n);
        json_t *event;

        if (!end) {
                ssize_t n = recv(peer->fd, peer->buffer + peer->n, sizeof(peer->buffer) - peer->n, MSG_DONTWAIT);

                if (n <= 0)
                        return NULL;
                peer->n += n;
                end = memchr(peer->buffer, '\n', peer->n);
                if (!end)
                        return NULL;
        }

        event = json_loadb(peer->buffer, end - peer->buffer, JSON_REJECT_DUPLICATES, NULL);
        if (!event)
                fail_msg("not JSON: %.*s", (int) (end - peer->buffer), peer->buffer);
        peer->n -= end + 1 - peer->buffer;
        memmove(peer->buffer, end + 1, peer->n);
        return event;
}

json_t *peer_expect(Fixture *f, Peer *peer, const char *type) {
        json_t *event = NULL;

        for (unsigned i = 0; i < ROUNDS_MAX && !event; i++) {
                event = peer_next(peer);
                if (!event)
                        fixture_pump(f);
        }
        assert_non_null(event);
        if (strcmp(member_text(event, "type"), type) != 0)
                fail_msg("expected %s, got %s", type, json_dumps(event, 0));
        return event;
}

void peer_expect_nothing(Fixture *f, Peer *peer) {
        json_t *event;

        fixture_pump(f);
        event = peer_next(peer);
        if (event)
                fail_msg("unexpected: %s", json_dumps(event, 0));
}

void peer_expect_end(Fixture *f, Peer *peer) {
        char byte;

        peer_expect_nothing(f, peer);
        assert_int_equal(peer->n, 0);
        assert_int_equal(recv(peer->fd, &byte, 1, MSG_DONTWAIT), 0);
}

const char *member_text(const json_t *event, const char *name) {
        const char *text = json_string_value(json_object_get(event, name));

        if (!text)
                fail_msg("no text %s in %s", name, json_dumps(event, 0));
        return text;
}

uint64_t member_number(const json_t *event, const char *name) {
        const json_t *number = json_object_get(event, name);

        if (!json_is_integer(number))
                fail_msg("no number %s in %s", name, json_dumps(event, 0));
        return json_integer_value(number);
}
