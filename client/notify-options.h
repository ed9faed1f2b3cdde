/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlock-notify's command line. */
#pragma once

#include <stdbool.h>

#include "client/options.h"

typedef struct NotifyOptions {
        bool all;        /* every domain that landlockd lets the user see */
        const char *bus; /* that landlockd is on: "system", "session" or an address; borrowed */
} NotifyOptions;

/* Permutes argv and borrows from it. */
OptionsResult notify_options_parse(int argc, char **argv, NotifyOptions *ret);
