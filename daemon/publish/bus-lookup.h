/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In which domain a process is: the look-up methods of the Manager interface. A process is named by its number,
 * which may be another's by the time the question arrives, or by a pidfd, which cannot.
 *
 * Each gives the two answers that a sandbox manager needs: the innermost domain, and the first one nested in the
 * caller's own. A process that the caller may not ask about is answered like one that does not exist. */
#pragma once

#include "publish/bus-view.h"

/* sd_bus_message_handler_t; userdata is the BusModel. */
int bus_lookup_pid(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_lookup_pidfd(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_lookup_caller(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_lookup_same_sandbox(sd_bus_message *m, void *userdata, sd_bus_error *error);
