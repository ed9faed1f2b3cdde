/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One Landlock domain, as far as it is known. */
#pragma once

#include <sys/queue.h>

#include "model/blocker.h"
#include "model/fact.h"
#include "model/task.h"

/* The kernel's words. A state only advances: freed is final. */
typedef enum DomainState {
        DOMAIN_ALLOCATED,
        DOMAIN_DEALLOCATED,
} DomainState;

typedef struct Domain {
        uint64_t id;
        DomainState state;
        DomainMode mode;
        unsigned origins;
        int64_t creator_pid, creator_uid; /* of the process that made it */
        bool has_creator_pid, has_creator_uid, has_n_denials_kernel;
        Text creator_comm, creator_exe;   /* raw; owned */
        uint64_t first_seen_usec, last_seen_usec;
        uint64_t freed_usec;              /* 0 while live */
        uint64_t n_denials;               /* seen by landlockd */
        uint64_t n_denials_kernel;        /* the kernel's own count, told at the end */
        uint64_t n_blocked[BLOCKER_MAX];  /* a denial counts once for each of its blockers */
        uint64_t n_blocked_other;         /* denials that name a blocker this version does not know */
        TaskList tasks;                   /* most recently seen first */
        size_t n_tasks;
        TAILQ_ENTRY(Domain) entry;        /* the table's: live ones by last sight, freed ones by their end */
} Domain;

typedef TAILQ_HEAD(DomainList, Domain) DomainList;

/* NULL on -ENOMEM. */
Domain *domain_new(uint64_t id, uint64_t time_usec);

/* Its tasks must be gone. */
Domain *domain_free(Domain *domain);
DEFINE_CLEANUP(Domain *, domain_free);

/* Fills in what is not known yet. Returns 1 if something was, 0 if not, -ENOMEM with nothing changed. */
int domain_describe(Domain *domain, const DomainDescription *description);

/* Denials that the kernel counted but nobody reported: not logged, or lost. 0 while that is not known. */
static inline uint64_t domain_denials_unseen(const Domain *d) {
        return d->has_n_denials_kernel && d->n_denials_kernel > d->n_denials ? d->n_denials_kernel - d->n_denials : 0;
}

/* "allocated"; static. */
const char *domain_state_to_string(DomainState state);

/* "enforcing", NULL if unknown; static. */
const char *domain_mode_to_string(DomainMode mode);
