/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When to look at what lives in the kernel: soon after events were lost, once for all losses of that time, and however
 * much goes on being lost, only so often that it costs next to nothing. Never because of the time alone. */
#pragma once

#include <event2/event.h>

#include "base/macros.h"

typedef struct ManagerLook ManagerLook;

/* -ENOMEM. */
int manager_look_new(ManagerLook **ret, struct event_base *base, void (*fn)(void *userdata), void *userdata);
ManagerLook *manager_look_free(ManagerLook *look);
DEFINE_CLEANUP(ManagerLook *, manager_look_free);

/* Calls the function, from the event loop. */
void manager_look_request(ManagerLook *look);

/* Calls it now. */
void manager_look_now(ManagerLook *look);
