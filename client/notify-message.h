/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a notification says. Texts are plain: markup is the server's affair (client/notify-server.h). */
#pragma once

#include "client/notify-table.h"

/* Denials that a notification names; the details name all that are kept. */
#define NOTIFY_NAMED_MAX 3

/* As the specification of notifications numbers them. */
typedef enum NotifyUrgency {
        NOTIFY_URGENCY_LOW,
        NOTIFY_URGENCY_NORMAL,
} NotifyUrgency;

typedef struct NotifyMessage {
        char *summary, *body;
        uint32_t replaces; /* 0: nothing */
        NotifyUrgency urgency;
        bool details, ignore; /* actions to offer */
} NotifyMessage;

void notify_message_clear(NotifyMessage *message);

/* What was denied in a domain, for the first time or again. What is named is marked so. */
void notify_message_init_domain(NotifyMessage *message, NotifyDomain *domain);

/* The same with all that is known. */
void notify_message_init_details(NotifyMessage *message, NotifyDomain *domain);

/* Of so many domains that people cannot be told of each: names some of those that wait at `now`, which it does not
 * change. n_domains and n_denials are how many there are in all. */
void notify_message_init_several(NotifyMessage *message, const NotifyTable *table, uint64_t now, uint64_t n_domains,
                                 uint64_t n_denials);
