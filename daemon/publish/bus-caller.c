/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-caller.h"

#include <errno.h>

#include "base/pidfd.h"
#include "publish/bus-error.h"

/* Whether what is known of it was about that process, and not about a later one with the same number. */
static bool is_alive(const BusCaller *caller) {
        return caller->pidfd < 0 || pidfd_is_alive(caller->pidfd);
}

static bool is_in(const BusCaller *caller, uint64_t domain) {
        for (size_t i = 0; i < caller->n_domains; i++)
                if (caller->domains[i] == domain)
                        return true;
        return false;
}

static bool add(BusCaller *caller, uint64_t domain) {
        if (is_in(caller, domain))
                return true;
        if (caller->n_domains == BUS_CALLER_DOMAINS_MAX)
                return false;
        caller->domains[caller->n_domains++] = domain;
        return true;
}

/* What the kernel says of the thread that leads the process, and what the table has of all of them: if the kernel
 * can be asked, only where threads are followed one by one, since others may have ended. */
int bus_caller_locate(BusCaller *caller, const DomainTable *table, const DomainReader *reader) {
        uint64_t domain = 0;
        bool fits = true;
        int r = caller->pid > 0 ? domain_reader_read(reader, caller->pid, &domain) : -EOPNOTSUPP;

        if (r == -EAGAIN)
                return r;
        caller->n_domains = 0;
        if (r >= 0 && domain != 0)
                fits = add(caller, domain);
        for (const Process *p = process_table_first(&table->processes, caller->pid); p; p = p->next_same_pid)
                if (r < 0 || p->n_threads > 0)
                        fits = add(caller, p->domain->id) && fits;

        if (r == -ESRCH || !fits || !is_alive(caller))
                caller->place = BUS_CALLER_GONE;
        else if (caller->n_domains > 0)
                caller->place = BUS_CALLER_CONFINED;
        else
                caller->place = r >= 0 ? BUS_CALLER_FREE : BUS_CALLER_PLACE_UNKNOWN;
        return 0;
}

int bus_caller_check(const BusCaller *caller, bool unprivileged, sd_bus_error *error) {
        if (!caller->observes_all && !unprivileged)
                return sd_bus_error_setf(error, BUS_ERROR_NOT_PERMITTED);
        if (caller->place == BUS_CALLER_GONE)
                return sd_bus_error_setf(error, BUS_ERROR_CALLER_GONE);
        if (!caller->observes_all && caller->place == BUS_CALLER_PLACE_UNKNOWN)
                return sd_bus_error_setf(error, BUS_ERROR_CALLER_DOMAIN_UNKNOWN);
        return 0;
}

/* If nobody can tell, those who observe all are believed to be in none: they decide about the machine. */
static bool is_free(const BusCaller *caller) {
        return caller->place == BUS_CALLER_FREE ||
               (caller->place == BUS_CALLER_PLACE_UNKNOWN && caller->observes_all);
}

static bool is_strictly_inside(const Domain *domain, uint64_t outer) {
        for (; domain; domain = domain->parent)
                if (domain->has_parent && domain->parent_id == outer)
                        return true;
        return false;
}

/* Whether where it is lets it see the domain. */
static bool reaches(const BusCaller *caller, const Domain *domain) {
        if (caller->place != BUS_CALLER_CONFINED)
                return is_free(caller);
        for (size_t i = 0; i < caller->n_domains; i++)
                if (!is_strictly_inside(domain, caller->domains[i]))
                        return false;
        return true;
}

/* Whether who it is lets it see what is that uid's. What is nobody's is not its own. */
static bool owns(const BusCaller *caller, bool has_uid, int64_t uid) {
        return caller->observes_all || (has_uid && uid == (int64_t) caller->uid);
}

bool bus_caller_sees_all(const BusCaller *caller) {
        return caller->observes_all && is_free(caller);
}

bool bus_caller_sees_domain(const BusCaller *caller, const Domain *domain) {
        return owns(caller, domain->has_creator_uid, domain->creator_uid) && reaches(caller, domain);
}

bool bus_caller_sees_process(const BusCaller *caller, const Process *process) {
        return bus_caller_sees_domain(caller, process->domain) && owns(caller, process->has_uid, process->uid);
}

/* One that ran with the rights of somebody else is not the caller's, whoever started it. */
static bool owns_subject(const BusCaller *caller, const Denial *denial) {
        static const SubjectId others[] = { SUBJECT_euid, SUBJECT_suid, SUBJECT_fsuid };
        int64_t uid = -1;
        bool known = denial_subject_id(denial, SUBJECT_uid, &uid);

        if (!owns(caller, known, uid))
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                if (denial_subject_id(denial, others[i], &uid) && !owns(caller, true, uid))
                        return false;
        return true;
}

bool bus_caller_sees_denial(const BusCaller *caller, const DomainTable *table, const Denial *denial) {
        const Domain *domain;

        if (bus_caller_sees_all(caller))
                return true;
        domain = domain_table_get(table, denial->domain);
        return domain && bus_caller_sees_domain(caller, domain) && owns_subject(caller, denial);
}

/* By the domain that it was in: its uid is not told, and its pid may be another's by now. */
bool bus_caller_sees_party(const BusCaller *caller, const DomainTable *table, const Denial *denial) {
        const Domain *domain;

        if (bus_caller_sees_all(caller))
                return true;
        domain = denial->object.has_domain ? domain_table_get(table, denial->object.domain) : NULL;
        return domain && bus_caller_sees_domain(caller, domain);
}

static size_t count_made_from(const BusCaller *caller, const DomainList *list, const Ruleset *ruleset) {
        const Domain *domain;
        size_t n = 0;

        TAILQ_FOREACH(domain, list, entry)
                n += domain->ruleset == ruleset && bus_caller_sees_domain(caller, domain);
        return n;
}

size_t bus_caller_count_made_from(const BusCaller *caller, const DomainTable *table, const Ruleset *ruleset) {
        if (bus_caller_sees_all(caller))
                return ruleset->n_domains;
        return count_made_from(caller, &table->live, ruleset) + count_made_from(caller, &table->freed, ruleset);
}

bool bus_caller_sees_ruleset(const BusCaller *caller, const DomainTable *table, const Ruleset *ruleset) {
        return bus_caller_sees_all(caller) || bus_caller_count_made_from(caller, table, ruleset) > 0;
}
