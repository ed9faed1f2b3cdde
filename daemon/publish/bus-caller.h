/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may see what of all that landlockd knows: the one place where that is decided. bus-access finds out who
 * calls, and asks here.
 *
 * A caller sees the domains that its own uid made, and of what is about them the denials of and the processes with
 * that uid; root, and whom polkit lets observe all, see those of everybody. Whoever calls from within a Landlock
 * domain sees only what is strictly nested in it, root too: a sandbox tells nothing about itself or about what is
 * beside it.
 *
 * uids are those of the initial user namespace on both sides. The kernel tells the bus who connected in the bus's
 * own user namespace, and tells us of the creator and the subject in the initial one; the system bus runs in that.
 * So "root" in a container with a user namespace is who it is outside, and what is not mapped is nobody's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

#include "model/domain-reader.h"
#include "model/domain-table.h"

/* Threads of one process can be in different domains. One that is in more sees nothing. */
#define BUS_CALLER_DOMAINS_MAX 8

typedef enum BusCallerPlace {
        BUS_CALLER_PLACE_UNKNOWN, /* nobody can tell whether it is in a domain */
        BUS_CALLER_GONE,          /* its process has ended, but somebody holds its connection */
        BUS_CALLER_FREE,          /* in no domain */
        BUS_CALLER_CONFINED,      /* in all of `domains`: a message does not say which thread sent it */
} BusCallerPlace;

typedef struct BusCaller {
        uid_t uid;         /* as the bus tells it */
        int64_t pid;       /* likewise; 0: it does not tell */
        int pidfd;         /* of that process, from when it was first asked about; -EBADF if there is none */
        bool observes_all; /* by being root, or by polkit's word */
        BusCallerPlace place;
        uint64_t domains[BUS_CALLER_DOMAINS_MAX];
        size_t n_domains;
} BusCaller;

/* Finds out anew in which domains the caller's process is. -EAGAIN, with nothing changed: that takes longer than
 * now. */
int bus_caller_locate(BusCaller *caller, const DomainTable *table, const DomainReader *reader);

/* Whether it may ask at all. `unprivileged`: the configuration lets others than root and polkit's ask. Returns -errno
 * with the error set if not. */
int bus_caller_check(const BusCaller *caller, bool unprivileged, sd_bus_error *error);

/* Whether nothing is hidden from it. */
bool bus_caller_sees_all(const BusCaller *caller);

bool bus_caller_sees_domain(const BusCaller *caller, const Domain *domain);
bool bus_caller_sees_process(const BusCaller *caller, const Process *process);

/* Of one whose domain is not in the table any more nothing is known, so that only who sees all sees it. */
bool bus_caller_sees_denial(const BusCaller *caller, const DomainTable *table, const Denial *denial);

/* Whether it sees pid, name and domain of the other party in a denial that it sees. */
bool bus_caller_sees_party(const BusCaller *caller, const DomainTable *table, const Denial *denial);

/* How many of the domains that it sees were made from the ruleset; whose there are none it does not see, unless it
 * sees all. */
size_t bus_caller_count_made_from(const BusCaller *caller, const DomainTable *table, const Ruleset *ruleset);
bool bus_caller_sees_ruleset(const BusCaller *caller, const DomainTable *table, const Ruleset *ruleset);
