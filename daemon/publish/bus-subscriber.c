/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-subscriber.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "publish/bus-denial.h"

/* Between two batches: denials in a row become few signals. */
#define BATCH_USEC (250 * USEC_PER_MSEC)

/* No limit: until it has answered, nothing is sent to it, and when it has gone the bus tells. */
#define PING_TIMEOUT_USEC UINT64_MAX

/* ---- who it is ---- */

/* Whether it is in a domain can change, and asking is not free: as often as there may be a batch. */
static void locate(BusSubscriber *s, uint64_t now) {
        const BusCaller *caller = bus_access_find_caller(s->set->model->access, s->name);

        s->may_ask = caller;
        if (caller)
                s->caller = *caller;
        s->located_usec = now;
}

static bool may_ask(BusSubscriber *s) {
        uint64_t now = clock_monotonic_usec();

        if (now - s->located_usec >= BATCH_USEC)
                locate(s, now);
        return s->may_ask;
}

static int on_gone(_unused_ sd_bus_track *track, void *userdata) {
        BusSubscriber *s = userdata;

        bus_access_forget(s->set->model->access, s->name);
        bus_subscriber_free(s);
        return 0;
}

/* ---- what it is told ---- */

void bus_subscriber_push_denial(BusSubscriber *s, const Denial *denial, const Domain *domain, uint64_t hash) {
        BusSubscription *subscription;
        bool sees = false;

        TAILQ_FOREACH(subscription, &s->subscriptions, entry) {
                if (!bus_filter_match_denial(&subscription->filter, denial, domain))
                        continue;
                sees = sees || (may_ask(s) && bus_caller_sees_denial(&s->caller, s->set->model->table, denial));
                if (!sees)
                        return;
                bus_queue_push(&subscription->queue, denial, hash, &s->room);
                s->waiting = true;
        }
}

static bool wants_domain(const BusSubscriber *s, const Domain *domain) {
        const BusSubscription *subscription;

        TAILQ_FOREACH(subscription, &s->subscriptions, entry)
                if (bus_filter_match_domain(&subscription->filter, domain))
                        return true;
        return false;
}

void bus_subscriber_push_domain(BusSubscriber *s, const Change *change) {
        if (s->n_domain_subscriptions > 0 && wants_domain(s, change->domain) && may_ask(s) &&
            bus_caller_sees_domain(&s->caller, change->domain))
                bus_domain_news_push(&s->news, change);
}

/* What is there already can be listed: after the subscription, so that nothing is missed in between. */
static void know_domains(BusSubscriber *s) {
        const DomainTable *table = s->set->model->table;
        const Domain *domain;

        TAILQ_FOREACH(domain, &table->live, entry)
                if (wants_domain(s, domain) && may_ask(s) && bus_caller_sees_domain(&s->caller, domain))
                        bus_domain_news_know(&s->news, domain->id);
}

static int new_signal(const BusSubscriber *s, const BusSubscription *subscription, const char *member, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = bus_signal_new(s->set->bus, s->name, BUS_PATH, BUS_MANAGER_INTERFACE, member, &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "t", subscription->cookie);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

static int send_signal(const BusSubscriber *s, sd_bus_message *m) {
        int r = sd_bus_send(s->set->bus, m, NULL);

        if (r >= 0)
                s->set->counters->bus_signals++;
        return r;
}

static int append_entry(sd_bus_message *m, const BusView *view, const BusQueueEntry *entry) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = bus_append_denial_entries(m, view, entry->denial);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}{sv}{sv}{sv}", "ID", "t", entry->denial->seq, "Count", "t", entry->count,
                                          "First", "t", entry->first_usec, "Last", "t", entry->last_usec);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

/* Those that it may still see. Returns how many denials that are. */
static int append_entries(sd_bus_message *m, const BusView *view, const BusQueue *queue, uint64_t *ret_n) {
        uint64_t n = 0;
        int r;

        r = sd_bus_message_open_container(m, 'a', "a{sv}");
        for (size_t i = 0; r >= 0 && i < queue->n_entries; i++) {
                const BusQueueEntry *entry = &queue->entries[i];

                if (!bus_caller_sees_denial(view->caller, view->table, entry->denial))
                        continue;
                r = append_entry(m, view, entry);
                n += entry->count;
        }
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;
        *ret_n = n;
        return 0;
}

/* Returns how many denials it was told of. */
static uint64_t send_denials(BusSubscriber *s, const BusSubscription *subscription) {
        const BusView view = bus_view_of(s->set->model, &s->caller);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        uint64_t n;

        if (!s->may_ask || subscription->queue.n_entries == 0 || new_signal(s, subscription, "Denials", &m) < 0 ||
            append_entries(m, &view, &subscription->queue, &n) < 0 || n == 0 || send_signal(s, m) < 0)
                return 0;
        return n;
}

static void send_missed(BusSubscriber *s, const BusSubscription *subscription, uint64_t n) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        /* If this cannot be sent either, there is no bus any more. */
        if (s->may_ask && new_signal(s, subscription, "Missed", &m) >= 0 && sd_bus_message_append(m, "t", n) >= 0)
                (void) send_signal(s, m);
}

static void send_subscription(BusSubscriber *s, BusSubscription *subscription) {
        uint64_t n = bus_queue_count(&subscription->queue), n_missed = subscription->queue.n_missed, n_told;

        n_told = send_denials(s, subscription);
        n_missed += n - n_told;
        if (subscription->filter.domains)
                n_missed += s->news.n_missed;
        if (n_missed > 0)
                send_missed(s, subscription, n_missed);
        s->set->counters->bus_denials_told += n_told;
        s->set->counters->bus_missed += n_missed;
        bus_queue_clear(&subscription->queue);
}

/* An error is an answer too: it tells as well what it has read. */
static int on_answer(_unused_ sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        BusSubscriber *s = userdata;

        s->ping = sd_bus_slot_unref(s->ping);
        bus_subscriber_forget_if_idle(s);
        return 1;
}

static int send_ping(BusSubscriber *s) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(s->set->bus, &m, s->name, "/", "org.freedesktop.DBus.Peer", "Ping");
        if (r < 0)
                return r;
        return sd_bus_call_async(s->set->bus, &s->ping, m, on_answer, s, PING_TIMEOUT_USEC);
}

uint64_t bus_subscriber_due(const BusSubscriber *s) {
        uint64_t due = s->waiting || s->news.n_missed > 0 ? 0 : bus_domain_news_due(&s->news);

        return s->ping || due == UINT64_MAX ? UINT64_MAX : MAX(due, s->not_before_usec);
}

static void send_news(BusSubscriber *s, uint64_t now) {
        const BusView view = bus_view_of(s->set->model, &s->caller);
        BusRoom room = { SIZE_MAX, BUS_BATCH_BYTES_MAX };

        /* Who may not ask any more is told nothing; if it may again, all is new to it. */
        if (s->may_ask)
                s->set->counters->bus_signals += bus_domain_news_send(&s->news, s->set->bus, s->name, &view, &room, now);
        else
                bus_domain_news_clear(&s->news);
}

void bus_subscriber_send(BusSubscriber *s) {
        BusSubscription *subscription;
        uint64_t now = clock_monotonic_usec();

        locate(s, now);
        send_news(s, now);
        TAILQ_FOREACH(subscription, &s->subscriptions, entry)
                send_subscription(s, subscription);
        s->news.n_missed = 0;
        s->waiting = false;
        s->room = BUS_BATCH_BYTES_MAX;
        s->not_before_usec = now + BATCH_USEC;
        /* Without memory for it, there is a batch that was not asked about. */
        (void) send_ping(s);
}

/* ---- which ones there are ---- */

int bus_subscriber_new(BusSubscriber **ret, BusSubscriberSet *set, const char *name, uid_t uid) {
        BusSubscriber *s = calloc(1, sizeof(BusSubscriber));
        int r;

        if (!s)
                return -ENOMEM;
        s->set = set;
        s->uid = uid;
        s->room = BUS_BATCH_BYTES_MAX;
        bus_domain_news_init(&s->news);
        TAILQ_INIT(&s->subscriptions);
        TAILQ_INSERT_TAIL(&set->subscribers, s, entry);
        set->n_subscribers++;

        s->name = strdup(name);
        r = s->name ? sd_bus_track_new(set->bus, &s->track, on_gone, s) : -ENOMEM;
        if (r >= 0)
                r = sd_bus_track_add_name(s->track, name);
        if (r < 0) {
                bus_subscriber_free(s);
                return r;
        }
        /* From now on it stays known who that is. */
        locate(s, clock_monotonic_usec());
        *ret = s;
        return 0;
}

static void subscription_end(BusSubscriber *s, BusSubscription *subscription) {
        TAILQ_REMOVE(&s->subscriptions, subscription, entry);
        s->n_subscriptions--;
        s->n_domain_subscriptions -= subscription->filter.domains;
        if (s->n_domain_subscriptions == 0)
                bus_domain_news_clear(&s->news);
        s->set->counters->bus_subscriptions_ended++;
        bus_queue_done(&subscription->queue);
        free(subscription);
}

BusSubscriber *bus_subscriber_free(BusSubscriber *s) {
        if (!s)
                return NULL;

        while (!TAILQ_EMPTY(&s->subscriptions))
                subscription_end(s, TAILQ_FIRST(&s->subscriptions));
        TAILQ_REMOVE(&s->set->subscribers, s, entry);
        s->set->n_subscribers--;
        sd_bus_slot_unref(s->ping);
        sd_bus_track_unref(s->track);
        free(s->name);
        free(s);
        return NULL;
}

BusSubscriber *bus_subscriber_find(const BusSubscriberSet *set, const char *name) {
        BusSubscriber *s;

        TAILQ_FOREACH(s, &set->subscribers, entry)
                if (strcmp(s->name, name) == 0)
                        break;
        return s;
}

int bus_subscriber_add(BusSubscriber *s, const BusFilter *filter, uint64_t *ret_cookie) {
        BusSubscription *subscription = calloc(1, sizeof(BusSubscription));

        if (!subscription)
                return -ENOMEM;
        subscription->cookie = ++s->last_cookie;
        subscription->filter = *filter;
        TAILQ_INSERT_TAIL(&s->subscriptions, subscription, entry);
        s->n_subscriptions++;
        if (filter->domains) {
                s->n_domain_subscriptions++;
                know_domains(s);
        }
        s->set->counters->bus_subscriptions++;
        *ret_cookie = subscription->cookie;
        return 0;
}

int bus_subscriber_remove(BusSubscriber *s, uint64_t cookie) {
        BusSubscription *subscription;

        TAILQ_FOREACH(subscription, &s->subscriptions, entry)
                if (subscription->cookie == cookie) {
                        subscription_end(s, subscription);
                        return 0;
                }
        return -ENOENT;
}

void bus_subscriber_forget_if_idle(BusSubscriber *s) {
        if (s->n_subscriptions == 0 && !s->ping)
                bus_subscriber_free(s);
}
