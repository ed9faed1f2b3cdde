/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way to landlockd over D-Bus, and what to tell a person when there is none. */
#pragma once

#include <systemd/sd-bus.h>

#include "client/exit-code.h"
#include "client/options.h"

#define BUS_CONNECTION_NAME "io.landlock.Landlockd1"
#define BUS_CONNECTION_PATH "/io/landlock/Landlockd1"
#define BUS_CONNECTION_MANAGER "io.landlock.Landlockd1.Manager"

/* name: "system", "session" or an address. -errno, -EINVAL for what is none of these. */
int bus_connection_connect(const char *name, sd_bus **ret);

/* Each says itself what went wrong. ret is set on EXIT_CODE_OK only. */
ExitCode bus_connection_open(const Options *options, sd_bus **ret);

/* A call to the manager, to be filled by the caller. */
ExitCode bus_connection_new_call(sd_bus *bus, const char *interface, const char *method, sd_bus_message **ret);
ExitCode bus_connection_call(sd_bus *bus, sd_bus_message *call, sd_bus_message **ret_reply);

/* Whether nobody has the name that was called, and nothing could be started that does. */
bool bus_connection_nobody_there(const sd_bus_error *error);

/* What went wrong with a call: `number` is the negative errno where the error has no name. Returns what to end with. */
ExitCode bus_connection_say_error(const sd_bus_error *error, int number);

/* Whether the domain that was asked about is not known. */
bool bus_connection_no_such_domain(const sd_bus_error *error);

/* For an answer that is not of the form it should be: says so. */
ExitCode bus_connection_bad_reply(int error);
