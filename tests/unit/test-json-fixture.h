/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A JSON socket with real clients, a real table behind it and a real event loop, all in one thread: nothing moves but
 * by pump(). */
#pragma once

#include "test.h"

#include <event2/event.h>
#include <jansson.h>

#include "publish/json-socket.h"

/* Bytes of events kept: little, so that it takes few events to overrun a client. */
#define HISTORY_SIZE ((size_t) 128 * 1024)

#define TIME UINT64_C(1795308514891000)

typedef struct Fixture {
        char dir[64];
        char path[128];
        struct event_base *base;
        Status status;
        DomainTable table;
        EventLog log;
        JsonSocket *socket;
} Fixture;

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Another, empty table. */
void fixture_limit_table(Fixture *f, const DomainTableLimits *limits);

/* Runs the loop until there is nothing left to do at once. */
void fixture_pump(Fixture *f);

/* Facts, applied to the table and published. Nothing is sent before the next pump. */
void fixture_describe(Fixture *f, uint64_t domain);
void fixture_create(Fixture *f, uint64_t domain, uint64_t ruleset, uint64_t version);
void fixture_end(Fixture *f, uint64_t domain);

/* To a process that nobody named. */
void fixture_deny(Fixture *f, uint64_t domain, Blocker blocker, Text path);

/* A process of one thread, which is in no other domain. */
void fixture_enter(Fixture *f, uint64_t domain, int64_t pid);
void fixture_exit(Fixture *f, int64_t pid);

void fixture_create_ruleset(Fixture *f, uint64_t ruleset);
void fixture_add_rule(Fixture *f, uint64_t ruleset, uint64_t version, Text path);
void fixture_end_ruleset(Fixture *f, uint64_t ruleset, uint64_t version);

/* A client's side. */
typedef struct Peer {
        int fd;
        size_t n;
        char buffer[256 * 1024];
} Peer;

Peer *peer_new(Fixture *f);
Peer *peer_free(Peer *peer);
void peer_send(Peer *peer, const char *text);

/* The next line that has come, NULL if there is none. Does not pump. */
json_t *peer_next(Peer *peer);

/* The next line, of which the loop has to see to it that it comes; of that type. */
json_t *peer_expect(Fixture *f, Peer *peer, const char *type);

/* The next line must not come. */
void peer_expect_nothing(Fixture *f, Peer *peer);

/* The connection must end, with nothing before that. */
void peer_expect_end(Fixture *f, Peer *peer);

const char *member_text(const json_t *event, const char *name);
uint64_t member_number(const json_t *event, const char *name);
