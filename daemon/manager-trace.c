/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "base/log.h"
#include "manager.h"
#include "source/trace-source.h"

ExitCode manager_remove_trace(const Config *config) {
        int r = trace_source_remove(config);

        if (r < 0)
                log_error(r, "Cannot remove the trace instance %s: %s.", config->trace_instance, strerror(-r));
        return r < 0 ? EXIT_CODE_FAILURE : EXIT_CODE_OK;
}
