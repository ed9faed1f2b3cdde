/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-filter.h"

#include "publish/bus-error.h"
#include "publish/bus-options.h"

static int refuse_blocker(const char *name, sd_bus_error *error) {
        _cleanup_free_ char *escaped = NULL;
        int r;

        r = text_escape(text_from_string(name), &escaped);
        if (r < 0)
                return r;
        return sd_bus_error_setf(error, BUS_ERROR_OPTION_BLOCKER, escaped);
}

static int read_blockers(sd_bus_message *m, void *value, sd_bus_error *error) {
        BusFilter *filter = value;
        const char *name;
        Blocker blocker;
        int r;

        filter->by_blockers = true;
        r = sd_bus_message_enter_container(m, 'a', "s");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read_basic(m, 's', &name)) > 0)
                if (text_is(text_from_string(name), "other"))
                        filter->other = true;
                else if (blocker_from_name(text_from_string(name), &blocker) >= 0)
                        filter->blockers |= UINT64_C(1) << blocker;
                else
                        return refuse_blocker(name, error);
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

static int read_uid(sd_bus_message *m, void *value, _unused_ sd_bus_error *error) {
        BusFilter *filter = value;

        filter->by_uid = true;
        return sd_bus_message_read_basic(m, 'u', &filter->uid);
}

int bus_filter_read(sd_bus_message *m, BusFilter *ret, sd_bus_error *error) {
        int subtree = false, denials = true, domains = false, r;
        BusFilter filter = {};
        const BusOption options[] = {
                { "domain", "t", &filter.domain, NULL },
                { "subtree", "b", &subtree, NULL },
                { "uid", "u", &filter, read_uid },
                { "blockers", "as", &filter, read_blockers },
                { "denials", "b", &denials, NULL },
                { "domains", "b", &domains, NULL },
        };

        r = bus_options_read(m, options, ARRAY_SIZE(options), error);
        if (r < 0)
                return r;
        if (subtree && filter.domain == 0)
                return sd_bus_error_setf(error, BUS_ERROR_OPTION_SUBTREE);
        if (!denials && !domains)
                return sd_bus_error_setf(error, BUS_ERROR_OPTION_NOTHING);

        filter.subtree = subtree;
        filter.denials = denials;
        filter.domains = domains;
        *ret = filter;
        return 0;
}

/* The filter's domain may be gone from the table, while those nested in it still know its ID. */
static bool is_nested(const Domain *domain, uint64_t outer) {
        for (; domain; domain = domain->parent)
                if (domain->id == outer || (domain->has_parent && domain->parent_id == outer))
                        return true;
        return false;
}

static bool match_id(const BusFilter *filter, uint64_t id, const Domain *domain) {
        return filter->domain == 0 || filter->domain == id || (filter->subtree && is_nested(domain, filter->domain));
}

static bool match_uid(const BusFilter *filter, const Denial *denial, const Domain *domain) {
        int64_t uid;

        if (!filter->by_uid)
                return true;
        if (denial && denial_subject_id(denial, SUBJECT_uid, &uid))
                return uid == filter->uid;
        return domain && domain->has_creator_uid && domain->creator_uid == filter->uid;
}

static bool match_blockers(const BusFilter *filter, const BlockerSet *blockers) {
        return !filter->by_blockers || (blockers->known & filter->blockers) ||
               (filter->other && text_known(blockers->other));
}

bool bus_filter_match_denial(const BusFilter *filter, const Denial *denial, const Domain *domain) {
        return filter->denials && match_id(filter, denial->domain, domain) && match_uid(filter, denial, domain) &&
               match_blockers(filter, &denial->blockers);
}

bool bus_filter_match_domain(const BusFilter *filter, const Domain *domain) {
        return filter->domains && match_id(filter, domain->id, domain) && match_uid(filter, NULL, domain);
}
