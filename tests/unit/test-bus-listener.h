/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of subscriptions share: clients that listen, and have the fixture tell its table things meanwhile. */
#pragma once

#include "test-bus-fixture.h"

#include <string.h>

#include "base/clock.h"

#define A 0x1a6f
#define B 0x1a70
/* dbus-daemon lets in only users that the system knows, as it does these, by whatever name. */
#define ALICE 1
#define BOB 2

#define NOWHERE UINT64_MAX

typedef struct Order {
        uint64_t domain;
        uint32_t uid;       /* of the subject */
        unsigned n;         /* times */
        unsigned n_objects; /* as many paths in turn */
        Blocker blocker;
        bool described;     /* the domain instead, as made by that uid */
        bool freed;         /* its end instead */
        uint64_t place;     /* not 0: instead, from now on callers are in that domain, or NOWHERE */
} Order;

/* For cmocka: a fixture that knows domain A, of Alice, and B, of Bob, and does what it is ordered to. */
int listener_setup(void **state);
int listener_setup_with_installed_policy(void **state);
int listener_teardown(void **state);

/* In the fixture's process: does it. */
void listener_obey(Fixture *f, const Order *order);

/* Runs the loop until every subscription has ended. */
void listener_wait_for_end(Fixture *f);

/* In clients: has the fixture's process do it, some time after now. */
void order(Order order);

/* What a client was told. */
typedef struct Told {
        unsigned n_signals, n_entries, n_missed_signals;
        uint64_t n_denials, n_missed; /* sums of counts */
        uint64_t cookie;              /* of the last signal */
        char *last;                   /* the last "Denials" as text */
        unsigned n_others;            /* other signals of landlockd */
        char *others;                 /* a line for each: member, path, contents */
} Told;

sd_bus *listener_open(Fixture *f, Told *told);
void listener_close(sd_bus *bus, Told *told);

/* Reads until so many denials were told or missed. */
void listen_for(sd_bus *bus, const Told *told, uint64_t n);

/* Reads until so many other signals came. */
void listen_for_others(sd_bus *bus, const Told *told, unsigned n);

/* Reads long enough for what must not come. */
void listen_in_vain(sd_bus *bus, const Told *told);

/* Reads for that long. */
void listen_long(sd_bus *bus, unsigned msec);
