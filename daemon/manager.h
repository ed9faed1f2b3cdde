/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The event loop and the wiring of sources, model and publishers; nothing else. */
#pragma once

#include "base/config.h"
#include "base/macros.h"

typedef struct Manager Manager;

typedef struct ManagerOptions {
        const Config *config;    /* borrowed */
        const char *config_path; /* where it was read, to be read again; NULL: the default */
        const char *bus;         /* "system", "session", "none" or a D-Bus address */
        const char *runtime_dir; /* made if it is not there */
        const char *state_dir;   /* likewise; NULL: the runtime directory */
        bool keep_trace;         /* leave the trace instances to the next landlockd */
} ManagerOptions;

/* Why it did not start, as landlockd(8) documents it. */
typedef enum ExitCode {
        EXIT_CODE_OK = 0,
        EXIT_CODE_FAILURE = 1,
        EXIT_CODE_USAGE = 2,
        EXIT_CODE_NO_PRIVILEGE = 4,
        EXIT_CODE_NO_LANDLOCK = 5,
        EXIT_CODE_CONFIG = 6,
        EXIT_CODE_IN_USE = 7,
} ExitCode;

/* Opens everything. What fails is logged; returns the exit code. */
ExitCode manager_new(Manager **ret, const ManagerOptions *options);
Manager *manager_free(Manager *manager);
DEFINE_CLEANUP(Manager *, manager_free);

/* Removes trace instances that were kept and that nobody has. What fails is logged. */
ExitCode manager_remove_trace(const Config *config);

/* Until SIGTERM or SIGINT. */
ExitCode manager_run(Manager *manager);
