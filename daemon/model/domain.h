/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One Landlock domain, as far as it is known. */
#pragma once

#include <sys/queue.h>

#include "model/blocker.h"
#include "model/fact.h"
#include "model/process.h"
#include "model/ruleset.h"

/* The kernel's words. A state only advances: freed is final. */
typedef enum DomainState {
        DOMAIN_ALLOCATED,
        DOMAIN_DEALLOCATED,
} DomainState;

typedef struct Domain Domain;
typedef TAILQ_HEAD(DomainList, Domain) DomainList;

struct Domain {
        uint64_t id;
        DomainState state;
        DomainMode mode;
        unsigned origins;
        uint64_t parent_id;               /* 0: it has none */
        Domain *parent;                   /* NULL if it has none, or it is not in the table */
        DomainList children;              /* those in the table, live or freed, youngest first */
        Ruleset *ruleset;                 /* that it was made from; NULL if that is not known or no longer kept */
        uint64_t ruleset_id, ruleset_version;
        AccessRights handled;             /* by this layer, where it was read in the kernel: its ruleset may be gone */
        int64_t creator_tid;              /* thread that made it */
        bool has_parent, has_ruleset, has_handled, has_creator_tid;
        bool has_enforcement;             /* the next two are known; the weakest of all its threads' */
        bool process_wide;                /* each call restricted all threads of its process */
        bool no_new_privs;                /* each thread had it set */
        uint64_t created_usec;            /* 0: before landlockd looked, or no source tells */
        int64_t creator_pid, creator_uid; /* of the process that made it */
        bool has_creator_pid, has_creator_uid, has_n_denials_kernel;
        Text creator_comm, creator_exe;   /* raw; owned */
        Text label;                       /* likewise: by which people recognise it */
        uint64_t first_seen_usec, last_seen_usec;
        uint64_t freed_usec;              /* 0 while live */
        uint64_t n_denials;               /* seen by landlockd */
        uint64_t n_denials_kernel;        /* the kernel's own count, as it was told last */
        uint64_t n_blocked[BLOCKER_MAX];  /* a denial counts once for each of its blockers */
        uint64_t n_blocked_other;         /* denials that name a blocker this version does not know */
        ProcessList processes;            /* most recently seen first */
        size_t n_processes;
        unsigned n_halves;                /* denials that wait for what another source tells of them */
        unsigned end_origins;             /* sources that told of its end */
        uint64_t end_usec;                /* of its end, when that is told but not yet settled */
        bool deserted;                    /* nobody lives in it, and nobody will tell of its end */
        bool crowded;                     /* some who are in it had to make room in the table */
        unsigned end_round;               /* of the join, in which the first did */
        TAILQ_ENTRY(Domain) entry;        /* the table's: live ones by last sight, freed ones by their end */
        TAILQ_ENTRY(Domain) ending;       /* the table's */
        TAILQ_ENTRY(Domain) sibling;      /* the parent's */
};

/* NULL on -ENOMEM. */
Domain *domain_new(uint64_t id, uint64_t time_usec);

/* Its processes and its ruleset must be gone, and it must be in no family: see domain_leave_family(). */
Domain *domain_free(Domain *domain);
DEFINE_CLEANUP(Domain *, domain_free);

/* Takes the place below its parent in which the kernel said that it is; NULL if the parent is not in the table. */
void domain_join_family(Domain *domain, Domain *parent);

void domain_leave_parent(Domain *domain);

/* Its children are orphans then: they still know their parent's ID. */
void domain_leave_family(Domain *domain);

/* Whether `domain` is `outer` or nested in it, as far as parents are known. */
bool domain_is_inside(const Domain *domain, const Domain *outer);

/* The rights that it handles, as its ruleset has them or as they were read in the kernel; NULL if neither is known. */
static inline const AccessRights *domain_handled(const Domain *d) {
        return d->ruleset && d->ruleset->has_handled ? &d->ruleset->handled : d->has_handled ? &d->handled : NULL;
}

/* Fills in what is not known yet. Returns 1 if something was, 0 if not, -ENOMEM with nothing changed. */
int domain_describe(Domain *domain, const DomainDescription *description);

/* Whether it is known how many denials the kernel counted but nobody reported: not before the domain's end, when none is
 * on its way any more. */
static inline bool domain_denials_settled(const Domain *d) {
        return d->state == DOMAIN_DEALLOCATED && d->has_n_denials_kernel;
}

/* Those: not logged, or lost. 0 while that is not known. */
static inline uint64_t domain_denials_unseen(const Domain *d) {
        return domain_denials_settled(d) && d->n_denials_kernel > d->n_denials ? d->n_denials_kernel - d->n_denials : 0;
}

/* It denied something: counted once, and once for each blocker. */
void domain_count_denial(Domain *domain, const Denial *denial);

/* "allocated"; static. */
const char *domain_state_to_string(DomainState state);

/* "enforcing", NULL if unknown; static. */
const char *domain_mode_to_string(DomainMode mode);
