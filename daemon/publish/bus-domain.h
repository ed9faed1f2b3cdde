/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* io.landlock.Landlockd1.Domain: an object for each live domain, made up when asked for. */
#pragma once

#include "publish/bus-view.h"

/* Most domains in one answer. The loop stands still while it is made: some 20 µs for a domain in a list, twice that
 * for an object, which sd-bus looks up anew for each interface. */
#define BUS_DOMAINS_MAX 4096
#define BUS_OBJECTS_MAX 1024

/* Offers the objects on the connection, for as long as that lives. */
int bus_domain_attach(sd_bus *bus, const BusModel *model);

/* Appends an "o": the domain's object, "/" for a freed one, which has none. */
int bus_append_domain_path(sd_bus_message *m, const Domain *domain);

/* Appends an "a{sv}": what is known of a domain, live or freed, but for its rules, of which there may be many. */
int bus_append_domain(sd_bus_message *m, const BusView *view, const Domain *domain);

/* The same with its rules. */
int bus_append_domain_with_rules(sd_bus_message *m, const BusView *view, const Domain *domain);

/* At most how many bytes the domain without its rules takes in a message, in either form. */
size_t bus_domain_bytes(const Domain *domain);
