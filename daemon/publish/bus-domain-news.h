/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one subscriber is still to be told of domains: those that came, went and changed.
 *
 * Kept is not what happened but which domains the subscriber knows, so that much that happens to one becomes one signal,
 * and so that one comes when the subscriber first may see it, which can be later than it was made: at first nobody may
 * have told whose it is. */
#pragma once

#include <sys/queue.h>
#include <systemd/sd-bus.h>

#include "base/id-map.h"
#include "model/change.h"
#include "publish/bus-view.h"

/* Live domains that one subscriber is told about. */
#define BUS_NEWS_DOMAINS_MAX 8192

typedef struct BusDomainNewsEntry BusDomainNewsEntry;
typedef TAILQ_HEAD(BusDomainNewsList, BusDomainNewsEntry) BusDomainNewsList;

typedef struct BusDomainNews {
        IdMap by_id;
        BusDomainNewsList quiet;   /* nothing to tell */
        BusDomainNewsList moves;   /* came or went */
        BusDomainNewsList changes; /* changed; all are told together, and seldom */
        size_t n_entries;
        uint64_t changes_after_usec; /* monotonic */
        uint64_t n_missed;         /* for want of room; whoever tells sets it to 0 */
} BusDomainNews;

void bus_domain_news_init(BusDomainNews *news);

/* Forgets everything; what that was starts anew. */
void bus_domain_news_clear(BusDomainNews *news);

/* The subscriber can know of the domain: it is there already. */
void bus_domain_news_know(BusDomainNews *news, uint64_t id);

/* Something happened to a domain that the subscriber may see and asked about. */
void bus_domain_news_push(BusDomainNews *news, const Change *change);

/* When there is something to tell, in µs of the monotonic clock: UINT64_MAX: nothing, 0: already. */
uint64_t bus_domain_news_due(const BusDomainNews *news);

/* Sends it to that name, as much as there is room for; what does not fit stays. `now` in µs of the monotonic clock. Returns
 * the number of signals. */
uint64_t bus_domain_news_send(BusDomainNews *news, sd_bus *bus, const char *name, const BusView *view, BusRoom *room, uint64_t now);
