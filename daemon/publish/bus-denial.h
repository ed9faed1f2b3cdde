/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A denial as a D-Bus dictionary. Nested ones have the member names of the JSON events. */
#pragma once

#include <systemd/sd-bus.h>

#include "publish/bus-view.h"

/* Appends an "a{sv}". */
int bus_append_denial(sd_bus_message *m, const BusView *view, const Denial *denial);

/* The same as "{sv}"s, into a dictionary that tells more of it. */
int bus_append_denial_entries(sd_bus_message *m, const BusView *view, const Denial *denial);

/* At most how many bytes that takes in a message. */
size_t bus_denial_bytes(const Denial *denial);
