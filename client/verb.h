/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a verb is: a function in a file of its own, and the options that it takes. */
#pragma once

#include "client/options.h"

/* Says itself what went wrong, on stderr. */
typedef ExitCode (*VerbFn)(const Options *options);

struct Verb {
        const char *name;
        const char *synopsis; /* what follows the name in --help */
        const char *help;
        VerbFn run;
        unsigned n_args_min, n_args_max;
        const char *const *options; /* long names; NULL-terminated; beside those of every verb */
};

/* Ends with an entry without a name. */
extern const Verb verbs[];

ExitCode verb_status(const Options *options);
ExitCode verb_list(const Options *options);
ExitCode verb_tree(const Options *options);
ExitCode verb_ps(const Options *options);
ExitCode verb_show(const Options *options);
ExitCode verb_lookup(const Options *options);
ExitCode verb_denials(const Options *options);
ExitCode verb_monitor(const Options *options);
ExitCode verb_replay(const Options *options);
