/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-filter.h"

#include "publish/bus-error.h"
#include "publish/bus-options.h"

#define UID_ANY UINT32_MAX

static int refuse_blocker(const char *name, sd_bus_error *error) {
        _cleanup_free_ char *escaped = NULL;
        int r;

        r = text_escape(text_from_string(name), &escaped);
        if (r < 0)
                return r;
        return sd_bus_error_setf(error, BUS_ERROR_OPTION_BLOCKER, escaped);
}

static int set_blockers(BusFilter *filter, const BusStrings *names, sd_bus_error *error) {
        Blocker blocker;

        filter->by_blockers = names->given;
        for (size_t i = 0; i < names->n; i++) {
                const Text name = text_from_string(names->items[i]);

                if (text_is(name, "other"))
                        filter->other = true;
                else if (blocker_from_name(name, &blocker) >= 0)
                        filter->blockers |= UINT64_C(1) << blocker;
                else
                        return refuse_blocker(names->items[i], error);
        }
        return 0;
}

int bus_filter_read(sd_bus_message *m, BusFilter *ret, sd_bus_error *error) {
        int subtree = false, denials = true, domains = false, r;
        BusFilter filter = { .uid = UID_ANY };
        BusStrings blockers = {};
        const BusOption options[] = {
                { "domain", "t", &filter.domain },
                { "subtree", "b", &subtree },
                { "uid", "u", &filter.uid },
                { "blockers", "as", &blockers },
                { "denials", "b", &denials },
                { "domains", "b", &domains },
        };

        r = bus_options_read(m, options, ARRAY_SIZE(options), error);
        if (r < 0)
                return r;
        if (subtree && filter.domain == 0)
                return sd_bus_error_setf(error, BUS_ERROR_OPTION_SUBTREE);
        if (!denials && !domains)
                return sd_bus_error_setf(error, BUS_ERROR_OPTION_NOTHING);
        r = set_blockers(&filter, &blockers, error);
        if (r < 0)
                return r;

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

        if (filter->uid == UID_ANY)
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
