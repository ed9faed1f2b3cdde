/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What publishers are told: how one Fact changed the model. */
#pragma once

#include "model/domain.h"
#include "model/fact.h"

typedef enum ChangeType {
        CHANGE_RULESET_CREATED,
        CHANGE_RULE_ADDED,
        CHANGE_RULESET_FREED,
        CHANGE_DOMAIN_ADDED,
        CHANGE_DOMAIN_UPDATED, /* more of it became known: its creator, its parent, its ruleset, its enforcement */
        CHANGE_DOMAIN_FREED,
        CHANGE_DOMAIN_EVICTED, /* gone from the table without having been freed, or from its history */
        CHANGE_DENIAL,         /* domain->n_denials and its blocker counts moved too */
        CHANGE_PROCESS_ADDED,   /* its first thread came into the domain */
        CHANGE_PROCESS_UPDATED, /* it executed another program */
        CHANGE_PROCESS_GONE,    /* its last thread exited, or went on into a nested domain */
        CHANGE_RECONCILED,      /* the table was compared with what lives in the kernel */
        CHANGE_LOST,
} ChangeType;

/* What a look into the kernel put right. */
typedef struct Reconciliation {
        uint64_t since_usec; /* realtime; when the look began */
        uint64_t n_domains_added, n_domains_removed, n_processes_added, n_processes_removed;
} Reconciliation;

/* All pointers are borrowed until the next domain_table_apply(). */
typedef struct Change {
        ChangeType type;
        unsigned origins;
        uint64_t time_usec;
        Text node;            /* the host that a collected log names; unknown for this host's own */
        const Domain *domain;   /* of all CHANGE_DOMAIN_*, CHANGE_PROCESS_* and CHANGE_DENIAL */
        const Denial *denial;   /* of CHANGE_DENIAL */
        const Process *process; /* of CHANGE_PROCESS_* */
        const Ruleset *ruleset; /* of CHANGE_RULE* */
        const Rule *rule;       /* of CHANGE_RULE_ADDED */
        const Reconciliation *reconciliation; /* of CHANGE_RECONCILED */
        const Loss *loss;       /* of CHANGE_LOST */
} Change;
