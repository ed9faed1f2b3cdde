/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/notify-table.h"

#include <string.h>

#include "base/clock.h"
#include "client/memory.h"

/* Between two updates of one notification. The longest is also how long a domain has to be quiet to begin anew. */
#define INTERVAL_MIN_USEC (5 * USEC_PER_SEC)
#define INTERVAL_MAX_USEC (60 * USEC_PER_SEC)

static void forget_denials(NotifyDomain *domain) {
        for (size_t i = 0; i < domain->n_denials; i++)
                notify_denial_clear(&domain->denials[i]);
        domain->n_denials = 0;
        domain->n_dropped = 0;
}

static void free_domain(NotifyDomain *domain) {
        forget_denials(domain);
        free(domain->creator);
        json_decref(domain->description);
        free(domain);
}

void notify_table_clear(NotifyTable *table) {
        for (size_t i = 0; i < table->n_domains; i++)
                free_domain(table->domains[i]);
        *table = (NotifyTable) {};
}

NotifyDomain *notify_table_find(const NotifyTable *table, uint64_t id) {
        for (size_t i = 0; i < table->n_domains; i++)
                if (table->domains[i]->id == id)
                        return table->domains[i];
        return NULL;
}

NotifyDomain *notify_table_find_notification(const NotifyTable *table, uint32_t notification) {
        for (size_t i = 0; notification != 0 && i < table->n_domains; i++)
                if (table->domains[i]->notification == notification || table->domains[i]->details == notification)
                        return table->domains[i];
        return NULL;
}

NotifyDomain *notify_table_find_answer(const NotifyTable *table) {
        for (size_t i = 0; i < table->n_domains; i++)
                if (table->domains[i]->answer == NOTIFY_ANSWER_READY)
                        return table->domains[i];
        return NULL;
}

/* A place for one more. */
static NotifyDomain **make_room(NotifyTable *table) {
        NotifyDomain **oldest = &table->domains[0];

        if (table->n_domains < NOTIFY_DOMAINS_MAX)
                return &table->domains[table->n_domains++];
        for (size_t i = 1; i < table->n_domains; i++)
                if (table->domains[i]->seen_usec < (*oldest)->seen_usec)
                        oldest = &table->domains[i];
        if ((*oldest)->waiting) {
                table->n_untold_domains++;
                table->n_untold_denials += notify_domain_count(*oldest);
        }
        free_domain(*oldest);
        return oldest;
}

static NotifyDomain *find_or_make(NotifyTable *table, uint64_t id) {
        NotifyDomain *domain = notify_table_find(table, id);

        if (domain)
                return domain;
        domain = check_memory(calloc(1, sizeof(*domain)));
        domain->id = id;
        *make_room(table) = domain;
        return domain;
}

/* Where it is or, if it is new, where there is room for it now. */
static size_t place_of(NotifyDomain *domain, const NotifyDenial *denial) {
        for (size_t i = 0; i < domain->n_denials; i++)
                if (notify_denial_same(&domain->denials[i], denial))
                        return i;
        if (domain->n_denials == NOTIFY_DENIALS_MAX) {
                NotifyDenial *last = &domain->denials[--domain->n_denials];

                domain->n_dropped += last->count;
                notify_denial_clear(last);
        }
        return domain->n_denials++;
}

static void add_denial(NotifyDomain *domain, NotifyDenial *denial) {
        size_t place = place_of(domain, denial);
        NotifyDenial *before = &domain->denials[place];

        denial->count += before->count;
        denial->named = before->named;
        notify_denial_clear(before);
        memmove(domain->denials + 1, domain->denials, place * sizeof(*domain->denials));
        domain->denials[0] = *denial;
        *denial = (NotifyDenial) {};
}

NotifyDomain *notify_table_add(NotifyTable *table, NotifyDenial *denial, uint64_t now) {
        NotifyDomain *domain = find_or_make(table, denial->domain);

        if (domain->over) {
                forget_denials(domain);
                domain->over = false;
        }
        if (now >= domain->sent_usec + domain->interval_usec + INTERVAL_MAX_USEC)
                domain->interval_usec = 0;
        add_denial(domain, denial);
        domain->seen_usec = now;
        domain->waiting = true;
        return domain;
}

static uint64_t turn_of(const NotifyDomain *domain) {
        return domain->waiting && !domain->asking ? domain->sent_usec + domain->interval_usec : UINT64_MAX;
}

bool notify_domain_due(const NotifyDomain *domain, uint64_t now) {
        return turn_of(domain) <= now;
}

NotifyDomain *notify_table_next(const NotifyTable *table, uint64_t now, size_t *ret_n_due, uint64_t *ret_usec) {
        NotifyDomain *next = NULL;
        uint64_t next_usec = UINT64_MAX;
        size_t n_due = 0;

        for (size_t i = 0; i < table->n_domains; i++) {
                NotifyDomain *domain = table->domains[i];
                uint64_t usec = turn_of(domain);

                n_due += usec <= now;
                if (usec < next_usec) {
                        next = domain;
                        next_usec = usec;
                }
        }
        *ret_n_due = n_due;
        *ret_usec = next_usec;
        return n_due > 0 ? next : NULL;
}

void notify_domain_begin(NotifyDomain *domain, uint64_t now) {
        domain->waiting = false;
        domain->sending = true;
        domain->sent_usec = now;
        domain->interval_usec =
                domain->interval_usec == 0 ? INTERVAL_MIN_USEC : MIN(domain->interval_usec * 2, INTERVAL_MAX_USEC);
}

void notify_domain_drop_named(NotifyDomain *domain) {
        size_t n = 0;

        for (size_t i = 0; i < domain->n_denials; i++) {
                NotifyDenial denial = domain->denials[i];

                domain->denials[i] = (NotifyDenial) {};
                if (denial.named)
                        notify_denial_clear(&denial);
                else
                        domain->denials[n++] = denial;
        }
        domain->n_denials = n;
        if (n == 0) {
                domain->waiting = false;
                domain->over = true;
        }
}

void notify_domain_close(NotifyDomain *domain) {
        domain->notification = 0;
        if (domain->waiting && domain->answer == NOTIFY_ANSWER_NONE)
                notify_domain_drop_named(domain);
        else
                domain->over = true;
}

void notify_table_forget_notifications(NotifyTable *table) {
        for (size_t i = 0; i < table->n_domains; i++) {
                table->domains[i]->notification = 0;
                table->domains[i]->details = 0;
        }
}

const char *notify_domain_app(const NotifyDomain *domain, const NotifyDenial *denial) {
        if (!*denial->exe && domain->creator && *domain->creator)
                return domain->creator;
        return *denial->app ? denial->app : "A program";
}

uint64_t notify_domain_count(const NotifyDomain *domain) {
        uint64_t n = domain->n_dropped;

        for (size_t i = 0; i < domain->n_denials; i++)
                n += domain->denials[i].count;
        return n;
}
