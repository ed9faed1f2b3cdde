/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* io.landlock.Landlockd1.Domain: an object for each live domain, made up when asked for. */
#pragma once

#include "base/host.h"
#include "publish/bus-view.h"

#define BUS_DOMAIN_INTERFACE BUS_NAME ".Domain"
#define BUS_DOMAINS_PATH BUS_PATH "/domain"
#define BUS_DOMAIN_PATH_SIZE (sizeof(BUS_DOMAINS_PATH "/_") - 1 + DOMAIN_ID_TEXT_SIZE)

/* Most domains in one answer. The loop stands still while it is made: some 20 µs for a domain in a list, twice that
 * for an object, which sd-bus looks up anew for each interface. */
#define BUS_DOMAINS_MAX 4096
#define BUS_OBJECTS_MAX 1024

/* Offers the objects on the connection, for as long as that lives. */
int bus_domain_attach(sd_bus *bus, const BusModel *model);

/* The object of the domain, as long as it is live. */
void bus_domain_format_path(uint64_t id, char path[static BUS_DOMAIN_PATH_SIZE]);

/* Appends an "o": the domain's object, "/" for a freed one, which has none. */
int bus_append_domain_path(sd_bus_message *m, const Domain *domain);

/* Appends an "a{sv}": what is known of a domain, live or freed, but for its rules, of which there may be many. */
int bus_append_domain(sd_bus_message *m, const BusView *view, const Domain *domain);

/* The same of only those properties, NULL at their end. */
int bus_append_domain_properties(sd_bus_message *m, const BusView *view, const Domain *domain, const char *const *names);

/* The same with its rules. */
int bus_append_domain_with_rules(sd_bus_message *m, const BusView *view, const Domain *domain);

/* At most how many bytes the domain without its rules takes in a message, in either form. */
size_t bus_domain_bytes(const Domain *domain);
