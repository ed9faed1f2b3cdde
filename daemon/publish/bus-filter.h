/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a subscription is for: the argument of Subscribe(). What its caller may see is another question: bus-caller. */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "model/domain.h"

typedef struct BusFilter {
        uint64_t domain;   /* 0: any; no domain has the ID 0 */
        bool subtree;      /* and what is nested in it */
        uint32_t uid;      /* of a denial's subject, of a domain's creator; (uint32_t) -1, which is nobody's: any */
        bool by_blockers;
        uint64_t blockers; /* of denials; bit n: Blocker n; one of them is enough */
        bool other;        /* among them: those that this version does not know */
        bool denials, domains;
} BusFilter;

/* Reads the "a{sv}"; on failure the error is set. */
int bus_filter_read(sd_bus_message *m, BusFilter *ret, sd_bus_error *error);

/* `domain` is the one that denied, NULL if it is not in the table any more. */
bool bus_filter_match_denial(const BusFilter *filter, const Denial *denial, const Domain *domain);
bool bus_filter_match_domain(const BusFilter *filter, const Domain *domain);
