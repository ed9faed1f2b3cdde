/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What publishers are told: how one Fact changed the model. */
#pragma once

#include "model/domain.h"
#include "model/fact.h"

typedef enum ChangeType {
        CHANGE_DOMAIN_ADDED,
        CHANGE_DOMAIN_UPDATED, /* its description became known */
        CHANGE_DOMAIN_FREED,
        CHANGE_DOMAIN_EVICTED, /* gone from the table without having been freed, or from its history */
        CHANGE_DENIAL,         /* domain->n_denials and its blocker counts moved too */
        CHANGE_LOST,
} ChangeType;

/* All pointers are borrowed until the next domain_table_apply(). */
typedef struct Change {
        ChangeType type;
        unsigned origins;
        uint64_t time_usec;
        Text node;            /* the host that a collected log names; unknown for this host's own */
        const Domain *domain; /* NULL for CHANGE_LOST */
        const Denial *denial; /* for CHANGE_DENIAL */
        const Loss *loss;     /* for CHANGE_LOST */
} Change;
