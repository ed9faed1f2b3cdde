/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What landlockd says on D-Bus, in the members and forms of its JSON events: the two interfaces give one picture,
 * so everything after this file is written once, for both.
 *
 * IDs become lower-case hex, times RFC 3339. Every text is checked on the way in. */
#pragma once

#include <systemd/sd-bus.h>

#include "client/json.h"

/* The next a{sv} or a{st} of a message, as an object of the same names. Returns 1, 0 at the end of the container, or -errno. */
int bus_json_read(sd_bus_message *m, json_t **ret);

/* From what bus_json_read() gave. Members that are missing or of another type than documented are left out. */
json_t *bus_json_domain(const json_t *properties);
json_t *bus_json_process(const json_t *properties);
json_t *bus_json_denial(uint64_t cursor, const json_t *properties);
json_t *bus_json_lookup(const json_t *properties);
json_t *bus_json_status(const json_t *properties);
