/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/subscription.h"

#include <errno.h>
#include <string.h>

#include "client/bus-connection.h"
#include "client/bus-json.h"
#include "client/memory.h"

#define REMOVED_MAX 1024

struct Subscription {
        sd_bus *bus;
        SubscriptionFilter filter;
        const SubscriptionEvents *events;
        void *userdata;
        sd_bus_slot *call, *owner, *denials, *missed, *added, *gone, *pings;
        char *name; /* the unique one of who took the subscription; NULL: there is none */
        uint64_t cookie;
        uint64_t removed[REMOVED_MAX]; /* domains, to be told at the end of the batch */
        size_t n_removed;
};

static bool is_from_landlockd(const Subscription *s, sd_bus_message *m) {
        const char *sender = sd_bus_message_get_sender(m);

        return s->name && sender && strcmp(sender, s->name) == 0;
}

/* Whether it is about our subscription. What follows in the message is left to be read. */
static bool is_ours(const Subscription *s, sd_bus_message *m) {
        uint64_t cookie;

        return is_from_landlockd(s, m) && sd_bus_message_read_basic(m, 't', &cookie) > 0 && cookie == s->cookie;
}

static void tell_denial(Subscription *s, const json_t *properties) {
        _cleanup_(json_decrefp) json_t *denial = bus_json_denial(json_get_number(properties, "ID"), properties);

        s->events->denial(s->userdata, denial);
}

static int on_denials(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *ret_error) {
        Subscription *s = userdata;
        json_t *properties;
        int r;

        if (!is_ours(s, m))
                return 0;
        r = sd_bus_message_enter_container(m, 'a', "a{sv}");
        while (r >= 0 && (r = bus_json_read(m, &properties)) > 0) {
                tell_denial(s, properties);
                json_decref(properties);
        }
        if (r < 0)
                s->events->malformed(s->userdata, r);
        return 0;
}

static int on_missed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *ret_error) {
        Subscription *s = userdata;
        uint64_t n;

        if (is_ours(s, m) && sd_bus_message_read_basic(m, 't', &n) > 0)
                s->events->missed(s->userdata, n);
        return 0;
}

/* Of domains there are signals for all subscriptions of a connection, without a cookie. */
static int on_domain_added(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *ret_error) {
        Subscription *s = userdata;
        uint64_t id;

        if (is_from_landlockd(s, m) && sd_bus_message_read_basic(m, 't', &id) > 0)
                s->events->domain_added(s->userdata, id);
        return 0;
}

static void tell_removed(Subscription *s) {
        size_t n = s->n_removed;

        s->n_removed = 0;
        for (size_t i = 0; i < n; i++)
                s->events->domain_removed(s->userdata, s->removed[i]);
}

static int on_domain_removed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *ret_error) {
        Subscription *s = userdata;
        uint64_t id;

        if (!is_from_landlockd(s, m) || sd_bus_message_read_basic(m, 't', &id) <= 0)
                return 0;
        if (s->n_removed == REMOVED_MAX)
                tell_removed(s);
        s->removed[s->n_removed++] = id;
        return 0;
}

/* In a batch of signals those about domains come first. It ends with a call that sd-bus answers. */
static int on_any(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *ret_error) {
        Subscription *s = userdata;

        if (s->n_removed > 0 && sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Peer", "Ping") &&
            is_from_landlockd(s, m))
                tell_removed(s);
        return 0;
}

static int on_subscribed(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *ret_error) {
        Subscription *s = userdata;
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        const char *sender = sd_bus_message_get_sender(reply);

        s->call = sd_bus_slot_unref(s->call);
        if (error)
                s->events->refused(s->userdata, error);
        else if (!sender || sd_bus_message_read_basic(reply, 't', &s->cookie) <= 0)
                s->events->malformed(s->userdata, -EBADMSG);
        else {
                s->name = check_memory(strdup(sender));
                s->events->begun(s->userdata);
        }
        return 0;
}

static int append_blockers(const SubscriptionFilter *filter, sd_bus_message *m) {
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "blockers");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "s");
        for (size_t i = 0; r >= 0 && i < filter->n_blockers; i++)
                r = sd_bus_message_append(m, "s", filter->blockers[i]);
        for (int i = 0; r >= 0 && i < 3; i++)
                r = sd_bus_message_close_container(m);
        return r;
}

static int append_filter(const SubscriptionFilter *filter, sd_bus_message *m) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}{sv}", "denials", "b", filter->denials, "domains", "b", filter->domains);
        if (r >= 0 && filter->by_uid)
                r = sd_bus_message_append(m, "{sv}", "uid", "u", filter->uid);
        if (r >= 0 && filter->domain != 0)
                r = sd_bus_message_append(m, "{sv}", "domain", "t", filter->domain);
        if (r >= 0 && filter->n_blockers > 0)
                r = append_blockers(filter, m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int subscribe(Subscription *s) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(s->bus, &m, BUS_CONNECTION_NAME, BUS_CONNECTION_PATH, BUS_CONNECTION_MANAGER,
                                           "Subscribe");
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, s->filter.start);
        if (r >= 0)
                r = append_filter(&s->filter, m);
        if (r >= 0)
                r = sd_bus_call_async(s->bus, &s->call, m, on_subscribed, s, 0);
        return r;
}

int subscription_retry(Subscription *s) {
        return s->call || s->name ? 0 : subscribe(s);
}

/* After landlockd's end nothing of the subscription is left, and the next landlockd gives other numbers. */
static int on_owner_changed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *ret_error) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *before, *after;
        Subscription *s = userdata;
        int r;

        if (sd_bus_message_read(m, "sss", NULL, &before, &after) < 0)
                return 0;
        /* The bus has kept the call for who was being started. */
        if (!*before && s->call)
                return 0;
        s->call = sd_bus_slot_unref(s->call);
        free(s->name);
        s->name = NULL;
        s->n_removed = 0;
        if (*before)
                s->events->ended(s->userdata);
        if (!*after)
                return 0;
        r = subscribe(s);
        if (r < 0) {
                sd_bus_error_set_errno(&error, r);
                s->events->refused(s->userdata, &error);
        }
        return 0;
}

static int match_signal(Subscription *s, const char *member, sd_bus_message_handler_t handler, sd_bus_slot **ret) {
        return sd_bus_match_signal_async(s->bus, ret, BUS_CONNECTION_NAME, BUS_CONNECTION_PATH, BUS_CONNECTION_MANAGER,
                                         member, handler, NULL, s);
}

static int add_matches(Subscription *s) {
        int r;

        r = sd_bus_add_match_async(s->bus, &s->owner,
                                   "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                                   "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                                   "arg0='" BUS_CONNECTION_NAME "'", on_owner_changed, NULL, s);
        if (r >= 0)
                r = match_signal(s, "Denials", on_denials, &s->denials);
        if (r >= 0)
                r = match_signal(s, "Missed", on_missed, &s->missed);
        if (r >= 0 && s->filter.domains)
                r = match_signal(s, "DomainAdded", on_domain_added, &s->added);
        if (r >= 0 && s->filter.domains)
                r = match_signal(s, "DomainRemoved", on_domain_removed, &s->gone);
        if (r >= 0 && s->filter.domains)
                r = sd_bus_add_filter(s->bus, &s->pings, on_any, s);
        return r;
}

int subscription_new(
                sd_bus *bus, const SubscriptionFilter *filter, const SubscriptionEvents *events, void *userdata,
                Subscription **ret) {
        _cleanup_(subscription_freep) Subscription *s = check_memory(calloc(1, sizeof(*s)));
        int r;

        s->bus = sd_bus_ref(bus);
        s->filter = *filter;
        s->events = events;
        s->userdata = userdata;
        r = add_matches(s);
        if (r >= 0)
                r = subscribe(s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

Subscription *subscription_free(Subscription *s) {
        if (!s)
                return NULL;
        sd_bus_slot_unref(s->call);
        sd_bus_slot_unref(s->owner);
        sd_bus_slot_unref(s->denials);
        sd_bus_slot_unref(s->missed);
        sd_bus_slot_unref(s->added);
        sd_bus_slot_unref(s->gone);
        sd_bus_slot_unref(s->pings);
        sd_bus_unref(s->bus);
        free(s->name);
        free(s);
        return NULL;
}
