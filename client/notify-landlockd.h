/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The subscription to denials: asked for again as long as landlockd refuses it, and never a reason to start landlockd. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "base/macros.h"
#include "client/json.h"

typedef struct NotifyLandlockd NotifyLandlockd;

/* An event of bus_json_denial(), borrowed, which happened that often. */
typedef void (*NotifyDenialFn)(void *userdata, const json_t *event, uint64_t count);

/* An event of bus_json_domain(), borrowed; NULL if landlockd does not tell. */
typedef void (*NotifyDomainFn)(void *userdata, uint64_t id, const json_t *domain);

/* What to be told of: all that landlockd lets the user see, or only the user's own domains. The bus is attached to an
 * event loop. -errno if the bus fails. */
int notify_landlockd_new(sd_bus *bus, bool all, NotifyDenialFn fn, void *userdata, NotifyLandlockd **ret);
NotifyLandlockd *notify_landlockd_free(NotifyLandlockd *landlockd);
DEFINE_CLEANUP(NotifyLandlockd *, notify_landlockd_free);

/* fn is called once, not before this returns. -errno: it is not called. */
int notify_landlockd_describe(NotifyLandlockd *landlockd, uint64_t id, NotifyDomainFn fn, void *userdata);
