/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The questions that verbs ask landlockd over D-Bus, answered in the form of JSON events. What goes wrong has been
 * said when one returns another code than EXIT_CODE_OK, and ret_ is then untouched. */
#pragma once

#include "client/bus-json.h"
#include "client/bus-connection.h"

ExitCode query_status(sd_bus *bus, json_t **ret);

/* state: "allocated", "deallocated" or "any"; limit: 0 for as many as landlockd gives at once. */
ExitCode query_domains(sd_bus *bus, const char *state, unsigned limit, json_t **ret_list);

/* EXIT_CODE_NOT_FOUND if there is none. */
ExitCode query_domain(sd_bus *bus, const DomainName *name, json_t **ret);

typedef struct DenialsQuery {
        const char *domain; /* hex; NULL: any */
        unsigned limit;
        uint64_t since; /* cursor; 0: the newest */
} DenialsQuery;

/* In order of time. ret_next is the cursor of what follows. */
ExitCode query_denials(sd_bus *bus, const DenialsQuery *query, json_t **ret_list, uint64_t *ret_next);
