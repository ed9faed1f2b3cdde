/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/notify-denial.h"

#include <errno.h>
#include <string.h>

#include "client/event-text.h"
#include "client/memory.h"
#include "client/notify-text.h"
#include "client/notify-words.h"

#define APP_MAX 40
#define OBJECT_MAX 120

/* Bytes of what the ignore list is held against: more than a pattern can tell apart. */
#define RULE_TEXT_MAX 4096

char *notify_denial_app(const char *exe, const char *comm) {
        const char *slash = exe ? strrchr(exe, '/') : NULL, *name = slash ? slash + 1 : exe;

        if (!name || !*name)
                name = comm ?: "";
        return notify_text_shorten(name, APP_MAX);
}

static char *rule_object(const json_t *object, const char *text) {
        const char *kind = json_get_text(object, "kind") ?: "", *comm = json_get_text(object, "comm");

        if (strcmp(kind, "process") == 0)
                text = comm;
        return check_memory(strndup(text ?: "", RULE_TEXT_MAX));
}

int notify_denial_init(NotifyDenial *denial, const json_t *event, uint64_t count) {
        const json_t *object = json_object_get(event, "object"), *subject = json_object_get(event, "subject");
        _cleanup_free_ char *blockers = event_text_names(json_object_get(event, "blockers"));
        _cleanup_free_ char *whole = event_text_object(object);
        _cleanup_free_ char *shown = whole ? notify_text_shorten(whole, OBJECT_MAX) : NULL;
        const char *exe = json_get_text(subject, "exe"), *comm = json_get_text(subject, "comm");
        uint64_t domain;

        if (text_parse_u64(text_from_string(json_get_text(event, "domain")), 16, &domain) < 0)
                return -EBADMSG;

        if (!blockers)
                blockers = check_memory(strdup(""));
        *denial = (NotifyDenial) {
                .domain = domain,
                .count = count,
                .app = notify_denial_app(exe, comm),
                .exe = check_memory(strndup(exe ?: "", RULE_TEXT_MAX)),
                .object = rule_object(object, whole),
                .words = notify_words(blockers, shown),
        };
        denial->blockers = TAKE_PTR(blockers);
        return 0;
}

void notify_denial_clear(NotifyDenial *denial) {
        free(denial->app);
        free(denial->exe);
        free(denial->blockers);
        free(denial->object);
        free(denial->words);
        *denial = (NotifyDenial) {};
}

bool notify_denial_same(const NotifyDenial *a, const NotifyDenial *b) {
        return strcmp(a->app, b->app) == 0 && strcmp(a->exe, b->exe) == 0 && strcmp(a->words, b->words) == 0 &&
               strcmp(a->object, b->object) == 0;
}
