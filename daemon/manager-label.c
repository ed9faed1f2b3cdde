/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager-label.h"

static bool is_missing(const Domain *domain) {
        return domain->state == DOMAIN_ALLOCATED && !text_known(domain->label);
}

bool manager_label_is_wanted(const DomainTable *table, const Fact *fact) {
        const Domain *domain;
        uint64_t id;

        if (!proc_label_applies(fact, &id))
                return false;
        domain = domain_table_get(table, id);
        return !domain || is_missing(domain);
}

bool manager_label_by_member(const DomainTable *table, const Fact *fact, ProcLabel *label, Fact *ret) {
        const Domain *domain;

        if (fact->type != FACT_TASK_SEEN)
                return false;
        *ret = (Fact) {
                .type = FACT_DOMAIN_DESCRIBED,
                .time_usec = fact->time_usec,
                .described.domain = fact->seen.domain,
        };
        domain = domain_table_get(table, fact->seen.domain);
        return domain && is_missing(domain) &&
                proc_label_read(fact->seen.task.tid, fact->time_usec, label, &ret->described.label) >= 0;
}
