/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-domain-news.h"

#include <stdbool.h>

#include "base/clock.h"
#include "publish/bus-domain.h"

/* Between two times that the changes of one domain are told. */
#define CHANGES_USEC USEC_PER_SEC

/* Header and path of one signal: well above what they come to. */
#define SIGNAL_FIXED_BYTES 512

typedef enum News {
        NEWS_ADDED = 1 << 0,
        NEWS_REMOVED = 1 << 1,
        NEWS_DENIALS = 1 << 2,
        NEWS_PROCESSES = 1 << 3,
        NEWS_CHILDREN = 1 << 4,
        NEWS_ALL = 1 << 5, /* any of its properties */
} News;

struct BusDomainNewsEntry {
        uint64_t id;
        unsigned news; /* NEWS_* that are still to be told */
        BusDomainNewsList *list;
        TAILQ_ENTRY(BusDomainNewsEntry) entry;
};

void bus_domain_news_init(BusDomainNews *news) {
        *news = (BusDomainNews) {};
        TAILQ_INIT(&news->quiet);
        TAILQ_INIT(&news->moves);
        TAILQ_INIT(&news->changes);
}

static void forget(BusDomainNews *news, BusDomainNewsEntry *e) {
        TAILQ_REMOVE(e->list, e, entry);
        id_map_remove(&news->by_id, e->id);
        news->n_entries--;
        free(e);
}

void bus_domain_news_clear(BusDomainNews *news) {
        BusDomainNewsList *const lists[] = { &news->quiet, &news->moves, &news->changes };

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                while (!TAILQ_EMPTY(lists[i]))
                        forget(news, TAILQ_FIRST(lists[i]));
        id_map_done(&news->by_id);
        bus_domain_news_init(news);
}

static void move(BusDomainNewsEntry *e, BusDomainNewsList *list) {
        if (e->list == list)
                return;
        if (e->list)
                TAILQ_REMOVE(e->list, e, entry);
        TAILQ_INSERT_TAIL(list, e, entry);
        e->list = list;
}

static BusDomainNewsEntry *add(BusDomainNews *news, uint64_t id) {
        BusDomainNewsEntry *e;

        if (news->n_entries == BUS_NEWS_DOMAINS_MAX)
                return NULL;
        e = calloc(1, sizeof(BusDomainNewsEntry));
        if (!e)
                return NULL;
        e->id = id;
        if (id_map_put(&news->by_id, id, e) < 0) {
                free(e);
                return NULL;
        }
        move(e, &news->quiet);
        news->n_entries++;
        return e;
}

void bus_domain_news_know(BusDomainNews *news, uint64_t id) {
        if (!id_map_get(&news->by_id, id))
                add(news, id);
}

static unsigned news_of(const Change *change) {
        switch (change->type) {
        case CHANGE_DOMAIN_ADDED:
                return NEWS_ADDED;
        case CHANGE_DOMAIN_UPDATED:
                return NEWS_ALL;
        case CHANGE_DOMAIN_FREED:
        case CHANGE_DOMAIN_EVICTED:
                return NEWS_REMOVED;
        case CHANGE_DENIAL:
                return NEWS_DENIALS;
        case CHANGE_PROCESS_ADDED:
        case CHANGE_PROCESS_UPDATED:
        case CHANGE_PROCESS_GONE:
                return NEWS_PROCESSES;
        default:
                return 0;
        }
}

static void note(BusDomainNews *news, BusDomainNewsEntry *e, unsigned what) {
        e->news |= what;
        move(e, e->news & (NEWS_ADDED | NEWS_REMOVED) ? &news->moves : &news->changes);
}

/* Who knows the parent is told that it has another child, or one less. */
static void note_parent(BusDomainNews *news, const Domain *domain) {
        BusDomainNewsEntry *e = domain->has_parent ? id_map_get(&news->by_id, domain->parent_id) : NULL;

        if (e)
                note(news, e, NEWS_CHILDREN);
}

void bus_domain_news_push(BusDomainNews *news, const Change *change) {
        unsigned what = news_of(change);
        BusDomainNewsEntry *e;

        if (what == 0)
                return;
        e = id_map_get(&news->by_id, change->domain->id);
        if (!e) {
                /* Of one that has gone, the end is not told to who never knew that it was there. */
                if (what != NEWS_ADDED && (what == NEWS_REMOVED || change->domain->state != DOMAIN_ALLOCATED))
                        return;
                e = add(news, change->domain->id);
                if (!e) {
                        news->n_missed++;
                        return;
                }
                what = NEWS_ADDED;
        } else if (what == NEWS_ADDED) {
                /* Evicted and seen again. */
                e->news &= ~NEWS_REMOVED;
                what = e->news & NEWS_ADDED ? NEWS_ADDED : NEWS_ALL;
        }
        note(news, e, what);
        if (what & (NEWS_ADDED | NEWS_REMOVED))
                note_parent(news, change->domain);
}

uint64_t bus_domain_news_due(const BusDomainNews *news) {
        if (!TAILQ_EMPTY(&news->moves))
                return 0;
        return TAILQ_EMPTY(&news->changes) ? UINT64_MAX : news->changes_after_usec;
}

/* ---- signals ---- */

typedef struct Sending {
        sd_bus *bus;
        const char *name;
        const BusView *view;
        BusRoom *room;
        uint64_t n; /* signals sent */
} Sending;

static int new_signal(const Sending *s, const char *path, const char *interface, const char *member, sd_bus_message **ret) {
        return bus_signal_new(s->bus, s->name, path, interface, member, ret);
}

static int send_signal(Sending *s, sd_bus_message *m) {
        int r = sd_bus_send(s->bus, m, NULL);

        if (r < 0)
                return r;
        s->n++;
        return 0;
}

static int send_moved(Sending *s, const char *member, uint64_t id, const char *path) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_signal(s, BUS_PATH, BUS_MANAGER_INTERFACE, member, &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "to", id, path);
        if (r < 0)
                return r;
        return send_signal(s, m);
}

static int send_interfaces_added(Sending *s, const Domain *domain, const char *path) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_signal(s, BUS_PATH, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "o", path);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sa{sv}}");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'e', "sa{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", BUS_DOMAIN_INTERFACE);
        if (r >= 0)
                r = bus_append_domain(m, s->view, domain);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;
        return send_signal(s, m);
}

static int send_interfaces_removed(Sending *s, const char *path) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_signal(s, BUS_PATH, "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "oas", path, 1, BUS_DOMAIN_INTERFACE);
        if (r < 0)
                return r;
        return send_signal(s, m);
}

/* Values, but for lists that may be long: those are asked for by who wants them. */
static int append_changed(sd_bus_message *m, const BusView *view, const Domain *domain, unsigned news) {
        const char *names[8];
        size_t n = 0;

        if (news & NEWS_ALL)
                return bus_append_domain(m, view, domain);
        if (news & (NEWS_DENIALS | NEWS_PROCESSES))
                names[n++] = "LastSeen";
        if (news & NEWS_DENIALS) {
                names[n++] = "DenialsSeen";
                names[n++] = "Blockers";
        }
        if (news & NEWS_PROCESSES) {
                names[n++] = "ProcessesCount";
                names[n++] = "ThreadsCount";
        }
        names[n] = NULL;
        return bus_append_domain_properties(m, view, domain, names);
}

static int append_invalidated(sd_bus_message *m, unsigned news) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "s");
        if (r >= 0 && (news & NEWS_ALL))
                r = sd_bus_message_append(m, "s", "Rules");
        else if (r >= 0 && (news & NEWS_PROCESSES))
                r = sd_bus_message_append(m, "s", "Processes");
        if (r >= 0 && (news & NEWS_CHILDREN) && !(news & NEWS_ALL))
                r = sd_bus_message_append(m, "s", "Children");
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static int send_changed(Sending *s, const Domain *domain, unsigned news) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        char path[BUS_DOMAIN_PATH_SIZE];
        int r;

        bus_domain_format_path(domain->id, path);
        r = new_signal(s, path, "org.freedesktop.DBus.Properties", "PropertiesChanged", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", BUS_DOMAIN_INTERFACE);
        if (r >= 0)
                r = append_changed(m, s->view, domain, news);
        if (r >= 0)
                r = append_invalidated(m, news);
        if (r < 0)
                return r;
        return send_signal(s, m);
}

/* One that came and went in between is told in numbers, since it never had an object that could have been asked. */
static int send_move(Sending *s, uint64_t id, unsigned news, const Domain *domain) {
        bool had_object = !(news & NEWS_ADDED), has_object = !(news & NEWS_REMOVED);
        char path[BUS_DOMAIN_PATH_SIZE];
        int r = 0;

        bus_domain_format_path(id, path);
        if (!had_object && has_object)
                r = send_interfaces_added(s, domain, path);
        if (r >= 0 && !had_object)
                r = send_moved(s, "DomainAdded", id, path);
        if (r >= 0 && had_object)
                r = send_interfaces_removed(s, path);
        if (r >= 0 && !has_object)
                r = send_moved(s, "DomainRemoved", id, path);
        return r;
}

/* It may be evicted, with its end still to be told; but if it is there, it must be seen. */
static bool may_be_told(const Sending *s, const BusDomainNewsEntry *e, const Domain *domain) {
        return domain ? bus_caller_sees_domain(s->view->caller, domain) : e->news & NEWS_REMOVED;
}

/* Returns whether there was room. */
static bool tell(BusDomainNews *news, Sending *s, BusDomainNewsEntry *e) {
        const Domain *domain = domain_table_get(s->view->table, e->id);
        unsigned what = e->news;
        int r;

        if (!may_be_told(s, e, domain)) {
                forget(news, e);
                return true;
        }
        if (!bus_room_take(s->room, 2 * SIGNAL_FIXED_BYTES + (domain ? bus_domain_bytes(domain) : 0)))
                return false;

        r = what & (NEWS_ADDED | NEWS_REMOVED) ? send_move(s, e->id, what, domain) : send_changed(s, domain, what);
        if (r < 0)
                news->n_missed++;
        e->news = 0;
        if (what & NEWS_REMOVED)
                forget(news, e);
        else
                move(e, &news->quiet);
        return true;
}

/* One always fits: with all that it may have of processes and children, a domain stays well below 512 KiB. */
static void tell_list(BusDomainNews *news, Sending *s, BusDomainNewsList *list) {
        while (!TAILQ_EMPTY(list))
                if (!tell(news, s, TAILQ_FIRST(list)))
                        break;
}

uint64_t bus_domain_news_send(
                BusDomainNews *news, sd_bus *bus, const char *name, const BusView *view, BusRoom *room, uint64_t now) {
        Sending s = { .bus = bus, .name = name, .view = view, .room = room };

        tell_list(news, &s, &news->moves);
        if (!TAILQ_EMPTY(&news->changes) && news->changes_after_usec <= now) {
                tell_list(news, &s, &news->changes);
                if (TAILQ_EMPTY(&news->changes))
                        news->changes_after_usec = now + CHANGES_USEC;
        }
        return s.n;
}
