/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager-describe.h"

static bool lacks_label(const Domain *domain) {
        return domain->state == DOMAIN_ALLOCATED && !text_known(domain->label);
}

static bool wants_label(const DomainTable *table, const Fact *fact) {
        const Domain *domain;
        uint64_t id;

        if (!proc_label_applies(fact, &id))
                return false;
        domain = domain_table_get(table, id);
        return !domain || lacks_label(domain);
}

static bool wants_program(const DomainTable *table, const Fact *fact) {
        return fact->type == FACT_TASK_SEEN && domain_table_lacks_program(table, &fact->seen);
}

static bool wants_subject(const DomainTable *table, const Fact *fact) {
        return fact->type == FACT_ACCESS_DENIED && !text_known(fact->denied.subject.exe) &&
                domain_table_lacks_subject(table, &fact->denied);
}

const Fact *manager_describe(const DomainTable *table, const Fact *fact, Description *ret) {
        if (wants_label(table, fact)) {
                ret->fact = *fact;
                proc_label_add(&ret->fact, &ret->label);
                return &ret->fact;
        }
        if (wants_program(table, fact)) {
                ret->fact = *fact;
                ret->fact.seen.task.exe = proc_task_read_program(fact->seen.task.tid, &ret->task.program);
                return &ret->fact;
        }
        if (wants_subject(table, fact)) {
                ret->fact = *fact;
                /* It may have waited to be read for long. */
                if (proc_task_read(fact->denied.subject.ids[SUBJECT_tid], fact->boot_usec, &ret->task) >= 0)
                        ret->fact.denied.subject.exe = ret->task.exe;
                return &ret->fact;
        }
        return fact;
}

const Fact *manager_describe_by_member(const DomainTable *table, const Fact *fact, Description *ret) {
        const Domain *domain = fact->type == FACT_TASK_SEEN ? domain_table_get(table, fact->seen.domain) : NULL;

        if (!domain || !lacks_label(domain))
                return NULL;
        ret->fact = (Fact) {
                .type = FACT_DOMAIN_DESCRIBED,
                .time_usec = fact->time_usec,
                .described.domain = fact->seen.domain,
        };
        return proc_label_read(fact->seen.task.tid, fact->time_usec, &ret->label, &ret->fact.described.label) < 0
                ? NULL : &ret->fact;
}
