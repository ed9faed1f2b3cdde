/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/notify-message.h"

#include <inttypes.h>
#include <string.h>

#include "base/host.h"
#include "client/event-text.h"
#include "client/memory.h"
#include "client/notify-text.h"

#define PATH_MAX_SHOWN 120

void notify_message_clear(NotifyMessage *message) {
        free(message->summary);
        free(message->body);
        *message = (NotifyMessage) {};
}

/* Takes both; NULL adds nothing. */
static char *add_line(char *text, char *line) {
        _cleanup_free_ char *before = text, *more = line;

        if (!more)
                return TAKE_PTR(before);
        return before ? format_text("%s\n%s", before, more) : TAKE_PTR(more);
}

static char *times_text(uint64_t n) {
        return n > 1 ? format_text(" (%" PRIu64 " times)", n) : check_memory(strdup(""));
}

static char *denial_line(const NotifyDomain *domain, const NotifyDenial *denial, const char *app) {
        _cleanup_free_ char *times = times_text(denial->count);
        const char *name = notify_domain_app(domain, denial);

        if (strcmp(name, app) == 0)
                return format_text("Blocked from %s%s", denial->words, times);
        return format_text("%s: blocked from %s%s", name, denial->words, times);
}

static char *others_line(uint64_t n) {
        return n > 0 ? format_text("and %" PRIu64 " other%s", n, n > 1 ? "s" : "") : NULL;
}

/* The newest n_max; the others are counted. */
static char *denial_lines(NotifyDomain *domain, const char *app, size_t n_max) {
        uint64_t n_others = notify_domain_count(domain);
        char *text = NULL;

        for (size_t i = 0; i < MIN(domain->n_denials, n_max); i++) {
                NotifyDenial *denial = &domain->denials[i];

                denial->named = true;
                n_others -= denial->count;
                text = add_line(text, denial_line(domain, denial, app));
        }
        return add_line(text, others_line(n_others));
}

void notify_message_init_domain(NotifyMessage *message, NotifyDomain *domain) {
        const char *app = notify_domain_app(domain, &domain->denials[0]);

        *message = (NotifyMessage) {
                .summary = format_text("%s: denied by its sandbox", app),
                .body = denial_lines(domain, app, NOTIFY_NAMED_MAX),
                .replaces = domain->notification,
                /* That there is more of the same is no reason to interrupt a person again. */
                .urgency = domain->notification == 0 ? NOTIFY_URGENCY_NORMAL : NOTIFY_URGENCY_LOW,
                .details = true,
                .ignore = true,
        };
}

static char *creator_line(const json_t *description) {
        const json_t *creator = json_object_get(description, "creator");
        _cleanup_free_ char *process = event_text_process(creator), *exe = NULL;

        if (json_get_text(creator, "exe"))
                exe = notify_text_shorten(json_get_text(creator, "exe"), PATH_MAX_SHOWN);
        if (!process && !exe)
                return NULL;
        return format_text("The sandbox was set up by %s%s%s%s", process ?: exe, process && exe ? " (" : "",
                           process && exe ? exe : "", process && exe ? ")" : "");
}

static char *count_line(const json_t *description) {
        _cleanup_free_ char *denials = event_text_denials(description, NULL);
        _cleanup_free_ char *time = event_text_time(json_object_get(description, "first_seen"));

        return denials && time ? format_text("Denials since %s: %s", time, denials) : NULL;
}

void notify_message_init_details(NotifyMessage *message, NotifyDomain *domain) {
        const char *app = domain->n_denials > 0 ? notify_domain_app(domain, &domain->denials[0]) : "A program";
        char id[DOMAIN_ID_TEXT_SIZE], *body;

        host_format_domain(domain->id, id);
        body = denial_lines(domain, app, NOTIFY_DENIALS_MAX);
        body = add_line(body, creator_line(domain->description));
        body = add_line(body, count_line(domain->description));
        body = add_line(body, format_text("For all that is known: landlockctl show %s", id));
        *message = (NotifyMessage) {
                .summary = format_text("%s: details of its sandbox", app),
                .body = body,
                .replaces = domain->details,
                .urgency = NOTIFY_URGENCY_LOW,
                .ignore = domain->n_denials > 0,
        };
}

void notify_message_init_several(NotifyMessage *message, const NotifyTable *table, uint64_t now, uint64_t n_domains,
                                 uint64_t n_denials) {
        size_t n_named = 0;
        char *body = NULL;

        for (size_t i = 0; i < table->n_domains && n_named < NOTIFY_NAMED_MAX; i++) {
                const NotifyDomain *domain = table->domains[i];

                if (!notify_domain_due(domain, now))
                        continue;
                body = add_line(body, denial_line(domain, &domain->denials[0], ""));
                n_named++;
        }
        body = add_line(body, format_text("%" PRIu64 " denials in all; landlockctl denials lists them", n_denials));
        *message = (NotifyMessage) {
                .summary = format_text("Denied by %" PRIu64 " sandboxes", n_domains),
                .body = body,
                .urgency = NOTIFY_URGENCY_LOW,
        };
}
