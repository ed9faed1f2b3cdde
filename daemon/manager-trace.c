/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager-trace.h"

#include <string.h>

#include "base/log.h"

/* The next landlockd knows instances by the name in the configuration, and nobody else knows them at all: those that it
 * does not name any more would stay in the kernel until the next boot. With a configuration that is wrong there is no
 * next one. */
static bool next_will_have(const ManagerOptions *options) {
        char error[512];
        Config config;

        config_set_defaults(&config);
        return config_load(&config, options->config_path, error, sizeof(error)) >= 0 &&
               strcmp(config.trace_instance, options->config->trace_instance) == 0;
}

void manager_end_trace(TraceSource *source, const ManagerOptions *options) {
        if (options->keep_trace && next_will_have(options))
                trace_source_leave(source);
        else
                trace_source_free(source);
}

ExitCode manager_remove_trace(const Config *config) {
        int r = trace_source_remove(config);

        if (r < 0)
                log_error(r, "Cannot remove the trace instance %s: %s.", config->trace_instance, strerror(-r));
        return r < 0 ? EXIT_CODE_FAILURE : EXIT_CODE_OK;
}
