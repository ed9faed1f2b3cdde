/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* io.landlock.Landlockd1.Manager: the object that everything else is found from. */
#pragma once

#include "publish/bus-view.h"

/* Offers the object on the connection, for as long as that lives. */
int bus_manager_attach(sd_bus *bus, const BusModel *model);
