/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is to be told, domain by domain, and when: a denial makes its domain wait, and however many more come before
 * its turn, they are told together. While a domain goes on being denied things, its turns come at growing intervals.
 *
 * At the caps, what goes first is the domain that was denied something the longest ago, and of a domain the denial
 * that is the oldest; if they waited to be told, they are counted. */
#pragma once

#include "client/notify-denial.h"

#define NOTIFY_DOMAINS_MAX 256
#define NOTIFY_DENIALS_MAX 8

/* How far the answer to "Details" is. */
typedef enum NotifyAnswer {
        NOTIFY_ANSWER_NONE,  /* nobody asks */
        NOTIFY_ANSWER_ASKED, /* landlockd was asked */
        NOTIFY_ANSWER_READY, /* to be shown */
} NotifyAnswer;

typedef struct NotifyDomain {
        uint64_t id;
        NotifyDenial denials[NOTIFY_DENIALS_MAX]; /* since the last notification was closed; the newest first, each once */
        size_t n_denials;
        uint64_t n_dropped;  /* denials that are not among them any more */
        char *creator;       /* the name of the program that made the domain, "" if not known; NULL: not asked for yet */
        bool asking;         /* for it; nothing is shown before */
        bool waiting;        /* there is something to show */
        bool sending;        /* the message that is on its way tells of it */
        bool over;           /* what is there is told and put away: the next denial begins anew */
        uint32_t notification, details; /* what the server calls them; 0: none */
        NotifyAnswer answer;
        json_t *description; /* for the details; NULL if landlockd does not tell */
        uint64_t seen_usec, sent_usec, interval_usec;
} NotifyDomain;

typedef struct NotifyTable {
        NotifyDomain *domains[NOTIFY_DOMAINS_MAX];
        size_t n_domains;
        uint64_t n_untold_domains, n_untold_denials; /* what had to go while it waited */
} NotifyTable;

void notify_table_clear(NotifyTable *table);

/* Takes the denial; now is µs of the monotonic clock. Returns its domain, which waits. */
NotifyDomain *notify_table_add(NotifyTable *table, NotifyDenial *denial, uint64_t now);

/* NULL if there is none. The ID of a notification may be that of the details. */
NotifyDomain *notify_table_find(const NotifyTable *table, uint64_t id);
NotifyDomain *notify_table_find_notification(const NotifyTable *table, uint32_t notification);
NotifyDomain *notify_table_find_answer(const NotifyTable *table); /* that is ready */

/* The domain whose turn it is, which came the longest ago, and how many there are; NULL if there is none yet: then
 * ret_usec is when there will be one, UINT64_MAX for not before something happens. */
NotifyDomain *notify_table_next(const NotifyTable *table, uint64_t now, size_t *ret_n_due, uint64_t *ret_usec);

/* Whether it is this domain's turn. */
bool notify_domain_due(const NotifyDomain *domain, uint64_t now);

/* It is being told of: its next turn comes at an interval from now. */
void notify_domain_begin(NotifyDomain *domain, uint64_t now);

/* Its notification was closed, so what it told is not told again. An answer that is due still has it. */
void notify_domain_close(NotifyDomain *domain);

/* Removes denials that a notification named. If nothing is left, there is nothing to wait for either. */
void notify_domain_drop_named(NotifyDomain *domain);

/* The server that knew them is gone. */
void notify_table_forget_notifications(NotifyTable *table);

/* What a person would call the program that was denied this. Borrowed. */
const char *notify_domain_app(const NotifyDomain *domain, const NotifyDenial *denial);

/* All that were denied since the last notification was closed. */
uint64_t notify_domain_count(const NotifyDomain *domain);
