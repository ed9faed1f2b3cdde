/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/status.h"

#include <assert.h>

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
