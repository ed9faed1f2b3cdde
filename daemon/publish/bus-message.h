/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What sd-bus does not tell of a message: a sender may make it as long as the bus lets it, 32 MiB on the system
 * bus, and whoever keeps some must know. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

/* Whether what is in it takes no more than about that many bytes; false too for one that cannot be read. It is
 * read from its beginning afterwards. */
bool bus_message_is_small(sd_bus_message *m, size_t n_bytes_max);
