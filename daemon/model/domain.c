/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/domain.h"

#include <assert.h>
#include <errno.h>

#include "base/macros.h"

Domain *domain_new(uint64_t id, uint64_t time_usec) {
        Domain *domain = calloc(1, sizeof(Domain));

        if (!domain)
                return NULL;

        domain->id = id;
        domain->first_seen_usec = domain->last_seen_usec = time_usec;
        TAILQ_INIT(&domain->processes);
        TAILQ_INIT(&domain->children);
        return domain;
}

Domain *domain_free(Domain *domain) {
        if (!domain)
                return NULL;

        assert(TAILQ_EMPTY(&domain->processes));
        assert(TAILQ_EMPTY(&domain->children) && !domain->parent && !domain->ruleset);
        free((char *) domain->creator_comm.data);
        free((char *) domain->creator_exe.data);
        free((char *) domain->label.data);
        free(domain);
        return NULL;
}

void domain_join_family(Domain *domain, Domain *parent) {
        assert(!domain->parent);
        domain->parent = parent;
        if (parent)
                TAILQ_INSERT_HEAD(&parent->children, domain, sibling);
}

void domain_leave_parent(Domain *domain) {
        if (domain->parent)
                TAILQ_REMOVE(&domain->parent->children, domain, sibling);
        domain->parent = NULL;
}

void domain_leave_family(Domain *domain) {
        domain_leave_parent(domain);
        while (!TAILQ_EMPTY(&domain->children)) {
                Domain *child = TAILQ_FIRST(&domain->children);

                TAILQ_REMOVE(&domain->children, child, sibling);
                child->parent = NULL;
        }
}

bool domain_is_inside(const Domain *domain, const Domain *outer) {
        while (domain && domain != outer)
                domain = domain->parent;
        return domain;
}

/* Copies what is told and not known yet. */
static int describe_texts(Domain *domain, const DomainDescription *description) {
        Text *const known[] = { &domain->creator_comm, &domain->creator_exe, &domain->label };
        const Text told[] = { description->creator_comm, description->creator_exe, description->label };
        Text copies[ARRAY_SIZE(known)] = {};
        int changed = 0;

        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (!text_known(*known[i]) && text_known(told[i]) && text_dup(told[i], &copies[i]) < 0) {
                        while (i-- > 0)
                                free((char *) copies[i].data);
                        return -ENOMEM;
                }
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (text_known(copies[i])) {
                        *known[i] = copies[i];
                        changed = 1;
                }
        return changed;
}

int domain_describe(Domain *domain, const DomainDescription *description) {
        int changed = describe_texts(domain, description);

        if (changed < 0)
                return changed;
        if (!domain->has_creator_pid && description->has_creator_pid) {
                domain->creator_pid = description->creator_pid;
                domain->has_creator_pid = true;
                changed = 1;
        }
        if (!domain->has_creator_uid && description->has_creator_uid) {
                domain->creator_uid = description->creator_uid;
                domain->has_creator_uid = true;
                changed = 1;
        }
        if (domain->mode == DOMAIN_MODE_UNKNOWN && description->mode != DOMAIN_MODE_UNKNOWN) {
                domain->mode = description->mode;
                changed = 1;
        }
        return changed;
}

void domain_count_denial(Domain *domain, const Denial *denial) {
        domain->n_denials++;
        for (uint64_t rest = denial->blockers.known; rest; rest &= rest - 1)
                domain->n_blocked[__builtin_ctzll(rest)]++;
        domain->n_blocked_other += text_known(denial->blockers.other);
}

const char *domain_state_to_string(DomainState state) {
        switch (state) {
        case DOMAIN_ALLOCATED:
                return "allocated";
        case DOMAIN_DEALLOCATED:
                return "deallocated";
        }
        assert(false);
        return NULL;
}

const char *domain_mode_to_string(DomainMode mode) {
        switch (mode) {
        case DOMAIN_MODE_UNKNOWN:
                return NULL;
        case DOMAIN_MODE_ENFORCING:
                return "enforcing";
        }
        assert(false);
        return NULL;
}
