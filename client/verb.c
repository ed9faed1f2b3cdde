/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/verb.h"

static const char *const list_options[] = { "all", "state", "limit", NULL };
static const char *const ps_options[] = { "domain", NULL };
static const char *const show_options[] = { "limit", NULL };
static const char *const lookup_options[] = { "pidfd", "self", NULL };
static const char *const denials_options[] = { "domain", "limit", "since", "reverse", NULL };
static const char *const monitor_options[] = { "type", "domain", "blocker", "snapshot", "since", "socket", NULL };
static const char *const replay_options[] = { "boot-id", "machine-id", NULL };
static const char *const status_options[] = { "verbose", NULL };

const Verb verbs[] = {
        { "status", "", "What landlockd sees, and whether anything was lost", verb_status, 0, 0, status_options },
        { "list", "", "The domains (this is the default)", verb_list, 0, 0, list_options },
        { "tree", "", "The domains as they are nested, and the processes in them", verb_tree, 0, 0, NULL },
        { "ps", "", "The processes that are in a domain", verb_ps, 0, 0, ps_options },
        { "show", "DOMAIN...", "All about domains, with their latest denials", verb_show, 1, UINT32_MAX, show_options },
        { "lookup", "PID...", "In which domain processes are", verb_lookup, 0, UINT32_MAX, lookup_options },
        { "denials", "", "The latest denials", verb_denials, 0, 0, denials_options },
        { "monitor", "", "Events as they happen", verb_monitor, 0, 0, monitor_options },
        { "replay", "FILE|-", "A saved audit log as events", verb_replay, 1, 1, replay_options },
        {},
};
