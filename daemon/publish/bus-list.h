/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The listing methods of the Manager interface. What one answers is limited in number and in bytes, and each tells
 * how to go on, so that who asks for everything costs no more at once than who asks for a page. */
#pragma once

#include "publish/bus-view.h"

/* sd_bus_message_handler_t; userdata is the BusModel. */
int bus_list_domains(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_list_processes(sd_bus_message *m, void *userdata, sd_bus_error *error);
int bus_list_denials(sd_bus_message *m, void *userdata, sd_bus_error *error);
