/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A denial as a notification tells it and as the ignore list knows it: what the kernel names, made short texts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "client/json.h"

/* All texts are owned, never NULL, bounded, and escaped as base/text.h does it. */
typedef struct NotifyDenial {
        uint64_t domain;
        uint64_t count; /* how many like this one, at least 1 */
        char *app;      /* what a person calls the program; "" if nothing of it is known */
        char *exe;      /* "" if not known */
        char *blockers; /* "fs.write_file,fs.truncate" */
        char *object;   /* as the ignore list names it: as in words, but a process without its PID; "" if not known */
        char *words;    /* "writing /etc/passwd" */
        bool named;     /* by a notification, so that "Ignore this" means it too */
} NotifyDenial;

/* From an event of bus_json_denial(), which happened that often. -EBADMSG if it names no domain. */
int notify_denial_init(NotifyDenial *denial, const json_t *event, uint64_t count);
void notify_denial_clear(NotifyDenial *denial);

/* Whether a person would call it the same. */
bool notify_denial_same(const NotifyDenial *a, const NotifyDenial *b);

/* The name of a program, bounded: its executable's, else `comm`, else "". Each may be NULL. free() it. */
char *notify_denial_app(const char *exe, const char *comm);
