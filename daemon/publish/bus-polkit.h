/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* polkit's word on who may observe all that landlockd knows, asked without ever waiting for it: polkit may be
 * slow, may ask a person, or may not be there at all.
 *
 * Only what the owner of polkit's name says counts. On a bus whose policy lets replies through that nobody asked
 * for, anybody could send one. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "base/macros.h"

#define BUS_POLKIT_OBSERVE_ALL "io.landlock.Landlockd1.observe-all"

typedef struct BusPolkit BusPolkit;

/* `changed` is called when what polkit said before may not be so any more. The connection must not outlive the
 * result. */
int bus_polkit_new(BusPolkit **ret, sd_bus *bus, void (*changed)(void *userdata), void *userdata);
BusPolkit *bus_polkit_free(BusPolkit *polkit);
DEFINE_CLEANUP(BusPolkit *, bus_polkit_free);

/* Asks about who has that name on the bus; `answered` gets the answer or an error, always and in bounded time, unless
 * the slot is freed before. `interactive`: polkit may ask the person for a password. */
int bus_polkit_ask(
                BusPolkit *polkit, const char *unique_name, bool interactive, sd_bus_message_handler_t answered,
                void *userdata, sd_bus_slot **ret_slot);

/* Whether that answer says yes. */
bool bus_polkit_allows(const BusPolkit *polkit, sd_bus_message *answer);

/* For how long it may take: µs. */
uint64_t bus_polkit_answer_usec(bool interactive);
