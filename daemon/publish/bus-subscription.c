/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-subscription.h"

#include <errno.h>

#include "base/clock.h"
#include "publish/bus-error.h"

/* Clients with subscriptions. A user who is not root has some of them at most, so that there are some left for others. */
#define SUBSCRIBERS_MAX 64
#define SUBSCRIBERS_OF_USER_MAX 16

/* Batches before the other sources of the loop have their turn: one can take some ms. Who was sent one is not due again
 * before the others had theirs. */
#define BATCHES_MAX 4

/* Messages that the bus has not taken yet, above which nothing is added. */
#define QUEUED_MAX 64

struct BusSubscriptions {
        BusSubscriberSet set;
        sd_bus_slot *slot; /* of the methods */
};

static size_t count_user(const BusSubscriberSet *set, uid_t uid) {
        const BusSubscriber *s;
        size_t n = 0;

        TAILQ_FOREACH(s, &set->subscribers, entry)
                n += s->uid == uid;
        return n;
}

static int check_caps(BusSubscriptions *subscriptions, const BusSubscriber *s, uid_t uid, sd_bus_error *error) {
        const BusSubscriberSet *set = &subscriptions->set;

        if (s && s->n_subscriptions >= BUS_SUBSCRIPTIONS_MAX)
                return sd_bus_error_setf(error, BUS_ERROR_SUBSCRIPTIONS_OF_CLIENT, BUS_SUBSCRIPTIONS_MAX);
        if (!s && set->n_subscribers >= SUBSCRIBERS_MAX)
                return sd_bus_error_setf(error, BUS_ERROR_SUBSCRIBERS, SUBSCRIBERS_MAX);
        if (!s && uid != 0 && count_user(set, uid) >= SUBSCRIBERS_OF_USER_MAX)
                return sd_bus_error_setf(error, BUS_ERROR_SUBSCRIBERS_OF_USER, SUBSCRIBERS_OF_USER_MAX);
        return 0;
}

static int subscribe(
                BusSubscriptions *subscriptions, sd_bus_message *m, const BusFilter *filter, uint64_t *ret_cookie,
                sd_bus_error *error) {
        BusSubscriberSet *set = &subscriptions->set;
        const char *name = sd_bus_message_get_sender(m);
        uid_t uid = bus_access_caller(set->model->access, m)->uid;
        BusSubscriber *s = bus_subscriber_find(set, name);
        int r;

        r = check_caps(subscriptions, s, uid, error);
        if (r < 0) {
                set->counters->bus_subscriptions_refused++;
                return r;
        }
        r = s ? 0 : bus_subscriber_new(&s, set, name, uid);
        if (r < 0)
                return r;
        r = bus_subscriber_add(s, filter, ret_cookie);
        if (r < 0)
                bus_subscriber_forget_if_idle(s);
        return r;
}

static int method_subscribe(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        BusFilter filter;
        uint64_t cookie;
        int r;

        r = bus_filter_read(m, &filter, error);
        if (r < 0)
                return r;
        r = subscribe(userdata, m, &filter, &cookie, error);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "t", cookie);
}

static int method_unsubscribe(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        BusSubscriptions *subscriptions = userdata;
        BusSubscriber *s = bus_subscriber_find(&subscriptions->set, sd_bus_message_get_sender(m));
        uint64_t cookie;
        int r;

        r = sd_bus_message_read(m, "t", &cookie);
        if (r < 0)
                return r;
        if (!s || bus_subscriber_remove(s, cookie) < 0)
                return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_SUBSCRIPTION, cookie);
        bus_subscriber_forget_if_idle(s);
        return sd_bus_reply_method_return(m, "");
}

/* The second part of the interface: bus-manager has the first. */
static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS(
                        "Subscribe", SD_BUS_ARGS("a{sv}", filter), SD_BUS_RESULT("t", cookie),
                        method_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                        "Unsubscribe", SD_BUS_ARGS("t", cookie), SD_BUS_NO_RESULT,
                        method_unsubscribe, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("Denials", SD_BUS_ARGS("t", cookie, "aa{sv}", denials), 0),
        SD_BUS_SIGNAL_WITH_ARGS("DomainAdded", SD_BUS_ARGS("t", id, "o", path), 0),
        SD_BUS_SIGNAL_WITH_ARGS("DomainRemoved", SD_BUS_ARGS("t", id, "o", path), 0),
        SD_BUS_SIGNAL_WITH_ARGS("Missed", SD_BUS_ARGS("t", cookie, "t", count), 0),
        SD_BUS_VTABLE_END,
};

void bus_subscriptions_publish(BusSubscriptions *subscriptions, const Change *change) {
        BusSubscriber *s;
        uint64_t hash;

        if (!change->domain || TAILQ_EMPTY(&subscriptions->set.subscribers))
                return;
        hash = change->denial ? denial_access_hash(change->denial) : 0;
        TAILQ_FOREACH(s, &subscriptions->set.subscribers, entry) {
                if (change->denial)
                        bus_subscriber_push_denial(s, change->denial, change->domain, hash);
                bus_subscriber_push_domain(s, change);
        }
}

/* The bus takes nothing for now; when it does again, the connection is looked after in any case. */
static bool is_congested(const BusSubscriptions *subscriptions) {
        uint64_t n;

        return sd_bus_get_n_queued_write(subscriptions->set.bus, &n) < 0 || n > QUEUED_MAX;
}

uint64_t bus_subscriptions_due(const BusSubscriptions *subscriptions) {
        const BusSubscriber *s;
        uint64_t due = UINT64_MAX;

        TAILQ_FOREACH(s, &subscriptions->set.subscribers, entry)
                due = MIN(due, bus_subscriber_due(s));
        return due != UINT64_MAX && is_congested(subscriptions) ? UINT64_MAX : due;
}

void bus_subscriptions_send(BusSubscriptions *subscriptions) {
        uint64_t now = clock_monotonic_usec();
        unsigned n = 0;
        BusSubscriber *s;

        TAILQ_FOREACH(s, &subscriptions->set.subscribers, entry) {
                if (bus_subscriber_due(s) > now)
                        continue;
                if (n++ == BATCHES_MAX || is_congested(subscriptions))
                        break;
                bus_subscriber_send(s);
        }
}

int bus_subscriptions_new(BusSubscriptions **ret, sd_bus *bus, const BusModel *model, Counters *counters) {
        _cleanup_(bus_subscriptions_freep) BusSubscriptions *subscriptions = calloc(1, sizeof(BusSubscriptions));
        int r;

        if (!subscriptions)
                return -ENOMEM;
        subscriptions->set = (BusSubscriberSet) { .bus = bus, .model = model, .counters = counters };
        TAILQ_INIT(&subscriptions->set.subscribers);

        r = sd_bus_add_object_vtable(bus, &subscriptions->slot, BUS_PATH, BUS_MANAGER_INTERFACE, vtable, subscriptions);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(subscriptions);
        return 0;
}

BusSubscriptions *bus_subscriptions_free(BusSubscriptions *subscriptions) {
        if (!subscriptions)
                return NULL;

        sd_bus_slot_unref(subscriptions->slot);
        while (!TAILQ_EMPTY(&subscriptions->set.subscribers))
                bus_subscriber_free(TAILQ_FIRST(&subscriptions->set.subscribers));
        free(subscriptions);
        return NULL;
}
