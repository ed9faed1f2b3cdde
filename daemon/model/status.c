/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/status.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

const char *source_state_to_string(SourceState state) {
        switch (state) {
        case SOURCE_OFF:
                return "off";
        case SOURCE_UNAVAILABLE:
                return "unavailable";
        case SOURCE_DEGRADED:
                return "degraded";
        case SOURCE_ACTIVE:
                return "active";
        }
        assert(false);
        return NULL;
}

void source_status_set(SourceStatus *status, SourceState state, const char *format, ...) {
        va_list args;

        status->state = state;
        va_start(args, format);
        vsnprintf(status->reason, sizeof(status->reason), format, args);
        va_end(args);
}

void source_status_log(const SourceStatus *status) {
        bool complete = status->state == SOURCE_ACTIVE || status->state == SOURCE_OFF;

        log_full(complete ? LOG_INFO : LOG_WARNING, 0, "Source %s is %s%s%s", status->name, source_state_to_string(status->state),
                 status->reason[0] ? ": " : ".", status->reason);
}
