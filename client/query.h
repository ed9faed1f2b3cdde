/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The questions that verbs ask landlockd over D-Bus, answered in the form of JSON events. What goes wrong has been
 * said when one returns another code than EXIT_CODE_OK, and ret_ is then untouched. */
#pragma once

#include "client/bus-json.h"
#include "client/bus-connection.h"

ExitCode query_status(sd_bus *bus, json_t **ret);

/* The same without counters: what does not change, and the sources. */
ExitCode query_greeting(sd_bus *bus, json_t **ret);

/* The youngest first. state: "allocated", "deallocated" or "any"; limit: 0 for all. */
ExitCode query_domains(sd_bus *bus, const char *state, unsigned limit, json_t **ret_list);

/* Where a process is: of a number, of a pidfd, of this process. The descriptor is borrowed. */
ExitCode query_lookup_pid(sd_bus *bus, uint32_t pid, json_t **ret);
ExitCode query_lookup_pidfd(sd_bus *bus, int pidfd, json_t **ret);
ExitCode query_lookup_self(sd_bus *bus, json_t **ret);

/* EXIT_CODE_NOT_FOUND if there is none. */
ExitCode query_domain(sd_bus *bus, const DomainName *name, json_t **ret);

/* One that may have been dropped meanwhile: then *ret is NULL. */
ExitCode query_domain_kept(sd_bus *bus, uint64_t id, json_t **ret);

/* The one that --domain= names, if it is given; the verb takes no more than one. It must be known: that a domain has
 * nothing to list and that its ID was mistyped are different answers. */
ExitCode query_domain_option(sd_bus *bus, const Options *options, json_t **ret);

/* The most recently seen first, as many as landlockd gives at once; domain: hex, NULL for any. *ret_total is how many
 * there are. */
ExitCode query_processes(sd_bus *bus, const char *domain, json_t **ret_list, uint64_t *ret_total);

typedef struct DenialsQuery {
        const char *domain; /* hex; NULL: any */
        unsigned limit;
        uint64_t since; /* cursor; 0: the newest */
} DenialsQuery;

/* In order of time. ret_next is the cursor of what follows. */
ExitCode query_denials(sd_bus *bus, const DenialsQuery *query, json_t **ret_list, uint64_t *ret_next);

/* ret is the cursor of what comes after the newest denial, of those that the caller sees. */
ExitCode query_denials_end(sd_bus *bus, uint64_t *ret);

/* On standard error, if landlockd knows of more than it gives at once; `what` is their plural. */
void query_say_shortened(const char *what, uint64_t n_known, const json_t *list);
