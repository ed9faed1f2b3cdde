/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-list.h"

#include <errno.h>
#include <string.h>

#include "publish/bus-denial.h"
#include "publish/bus-domain.h"
#include "publish/bus-error.h"
#include "publish/bus-options.h"
#include "publish/bus-process.h"

#define DENIALS_DEFAULT 100
#define DENIALS_MAX 1000

/* Which domains are asked for. */
typedef struct DomainQuery {
        bool live, freed;
        uint32_t uid;    /* the creator's; (uint32_t) -1: any */
        int has_denials; /* -1: whether or not */
        const char *label; /* to be found in the escaped one; NULL: any */
        uint64_t since;  /* made, or first seen, then or later */
        uint64_t after;  /* older than that one; 0: any */
} DomainQuery;

static bool label_wanted(const Domain *d, const char *part) {
        _cleanup_free_ char *escaped = NULL;

        if (!part)
                return true;
        /* Without memory it is not found, as if it had none. */
        return text_known(d->label) && text_escape(d->label, &escaped) >= 0 && strstr(escaped, part);
}

static bool domain_wanted(const BusView *view, const Domain *d, const DomainQuery *query) {
        return (query->after == 0 || d->id < query->after) &&
               (query->uid == UINT32_MAX || (d->has_creator_uid && d->creator_uid == query->uid)) &&
               (query->has_denials < 0 || (d->n_denials > 0) == (query->has_denials > 0)) &&
               (d->created_usec > 0 ? d->created_usec : d->first_seen_usec) >= query->since &&
               bus_caller_sees_domain(view->caller, d) && label_wanted(d, query->label);
}

static size_t collect_from(const BusView *view, const DomainList *list, const DomainQuery *query, const Domain **ret) {
        const Domain *domain;
        size_t n = 0;

        TAILQ_FOREACH(domain, list, entry)
                if (domain_wanted(view, domain, query))
                        ret[n++] = domain;
        return n;
}

static int compare_youngest_first(const void *a, const void *b) {
        const Domain *x = *(const Domain *const *) a, *y = *(const Domain *const *) b;

        return (x->id < y->id) - (x->id > y->id);
}

/* The youngest first: an order in which a page stays where it is, whatever happens before the next one is asked
 * for. */
static int collect(const BusView *view, const DomainQuery *query, const Domain ***ret, size_t *ret_n) {
        const DomainTable *table = view->table;
        const Domain **list = calloc(table->n_live + table->n_freed + 1, sizeof(Domain *));
        size_t n = 0;

        if (!list)
                return -ENOMEM;
        if (query->live)
                n += collect_from(view, &table->live, query, list + n);
        if (query->freed)
                n += collect_from(view, &table->freed, query, list + n);
        qsort(list, n, sizeof(Domain *), compare_youngest_first);

        *ret = list;
        *ret_n = n;
        return 0;
}

static int append_domain(sd_bus_message *m, const BusView *view, const Domain *domain) {
        int r;

        r = sd_bus_message_open_container(m, 'r', "toa{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "t", domain->id);
        if (r >= 0)
                r = bus_append_domain_path(m, domain);
        if (r >= 0)
                r = bus_append_domain(m, view, domain);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

/* Appends the array and the cursor. */
static int append_domains(sd_bus_message *m, const BusView *view, const DomainQuery *query, uint32_t limit) {
        BusRoom room = { limit, BUS_ANSWER_BYTES_MAX };
        _cleanup_free_ const Domain **list = NULL;
        size_t n, i = 0;
        int r;

        r = collect(view, query, &list, &n);
        if (r < 0)
                return r;

        r = sd_bus_message_open_container(m, 'a', "(toa{sv})");
        for (; r >= 0 && i < n && bus_room_take(&room, bus_domain_bytes(list[i])); i++)
                r = append_domain(m, view, list[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;
        return sd_bus_message_append(m, "t", i > 0 && i < n ? list[i - 1]->id : 0);
}

static int parse_state(const char *state, DomainQuery *query, sd_bus_error *error) {
        bool any = strcmp(state, "any") == 0;
        _cleanup_free_ char *escaped = NULL;
        int r;

        query->live = any || strcmp(state, domain_state_to_string(DOMAIN_ALLOCATED)) == 0;
        query->freed = any || strcmp(state, domain_state_to_string(DOMAIN_DEALLOCATED)) == 0;
        if (query->live || query->freed)
                return 0;
        r = text_escape(text_from_string(state), &escaped);
        if (r < 0)
                return r;
        return sd_bus_error_setf(error, BUS_ERROR_OPTION_STATE, escaped);
}

static int check_limit(uint32_t limit, uint32_t max, sd_bus_error *error) {
        return limit < 1 || limit > max ? sd_bus_error_setf(error, BUS_ERROR_OPTION_LIMIT, max) : 0;
}

int bus_list_domains(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        DomainQuery query = { .uid = UINT32_MAX, .has_denials = -1 };
        const BusView view = bus_view(userdata, m);
        uint32_t limit = BUS_DOMAINS_MAX;
        const char *state = "allocated";
        const BusOption options[] = {
                { "state", "s", &state },
                { "uid", "u", &query.uid },
                { "has-denials", "b", &query.has_denials },
                { "label", "s", &query.label },
                { "since", "t", &query.since },
                { "after", "t", &query.after },
                { "limit", "u", &limit },
        };
        int r;

        r = bus_options_read(m, options, ARRAY_SIZE(options), error);
        if (r >= 0)
                r = check_limit(limit, BUS_DOMAINS_MAX, error);
        if (r >= 0)
                r = parse_state(state, &query, error);
        if (r < 0)
                return r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = append_domains(reply, &view, &query, limit);
        if (r < 0)
                return r;
        return sd_bus_message_send(reply);
}

int bus_list_processes(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const BusView view = bus_view(userdata, m);
        uint32_t limit = BUS_PROCESSES_MAX;
        int subtree = false;
        uint64_t id = 0, n;
        const BusOption options[] = { { "domain", "t", &id }, { "subtree", "b", &subtree }, { "limit", "u", &limit } };
        const Domain *domain = NULL;
        int r;

        r = bus_options_read(m, options, ARRAY_SIZE(options), error);
        if (r >= 0)
                r = check_limit(limit, BUS_PROCESSES_MAX, error);
        if (r < 0)
                return r;
        if (id != 0) {
                domain = bus_view_domain(&view, id);
                if (!domain)
                        return bus_error_no_domain(error, id);
        }

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = bus_append_processes(reply, &view, domain, subtree, limit, &n);
        if (r >= 0)
                r = sd_bus_message_append(reply, "t", n);
        if (r < 0)
                return r;
        return sd_bus_message_send(reply);
}

/* Which denials are asked for. */
typedef struct DenialQuery {
        uint64_t since;  /* 0: the newest page */
        uint64_t domain; /* 0: of any; no domain has the ID 0 */
        uint32_t limit;
} DenialQuery;

static bool denial_wanted(const BusView *view, const Denial *denial, const DenialQuery *query) {
        return (query->domain == 0 || denial->domain == query->domain) &&
               bus_caller_sees_denial(view->caller, view->table, denial);
}

/* Where the newest page begins: as far back as `limit` denials reach. */
static uint64_t newest_page(const BusView *view, const DenialQuery *query) {
        const DenialLog *log = &view->table->denials;
        uint64_t oldest = denial_log_oldest(log), seq = log->next_seq;

        for (uint32_t n = 0; seq > oldest && n < query->limit; seq--) {
                const Denial *denial = denial_log_get(log, seq - 1);

                n += denial && denial_wanted(view, denial, query);
        }
        return seq;
}

/* Appends the array; the cursor is what the next call continues with. */
static int append_denials(
                sd_bus_message *m, const BusView *view, const DenialQuery *query, uint64_t *ret_cursor) {
        const DenialLog *log = &view->table->denials;
        uint64_t cursor = query->since > 0 ? query->since : newest_page(view, query);
        uint64_t after_last = MAX(query->since, 1U);
        BusRoom room = { query->limit, BUS_ANSWER_BYTES_MAX };
        const Denial *denial;
        int r;

        r = sd_bus_message_open_container(m, 'a', "(ta{sv})");
        if (r < 0)
                return r;

        for (; (denial = denial_log_from(log, cursor)); cursor = denial->seq + 1) {
                if (!denial_wanted(view, denial, query))
                        continue;
                if (!bus_room_take(&room, bus_denial_bytes(denial)))
                        break;
                r = sd_bus_message_open_container(m, 'r', "ta{sv}");
                if (r >= 0)
                        r = sd_bus_message_append(m, "t", denial->seq);
                if (r >= 0)
                        r = bus_append_denial(m, view, denial);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
                if (r < 0)
                        return r;
                after_last = denial->seq + 1;
        }

        /* How many more there were is not for everybody to know. */
        if (denial)
                *ret_cursor = denial->seq;
        else
                *ret_cursor = bus_caller_sees_all(view->caller) ? log->next_seq : after_last;
        return sd_bus_message_close_container(m);
}

int bus_list_denials(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        DenialQuery query = { .limit = DENIALS_DEFAULT };
        const BusOption options[] = {
                { "since", "t", &query.since },
                { "domain", "t", &query.domain },
                { "limit", "u", &query.limit },
        };
        const BusView view = bus_view(userdata, m);
        uint64_t next;
        int r;

        r = bus_options_read(m, options, ARRAY_SIZE(options), error);
        if (r >= 0)
                r = check_limit(query.limit, DENIALS_MAX, error);
        if (r < 0)
                return r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = append_denials(reply, &view, &query, &next);
        if (r < 0)
                return r;
        r = sd_bus_message_append(reply, "t", next);
        if (r < 0)
                return r;
        return sd_bus_message_send(reply);
}
