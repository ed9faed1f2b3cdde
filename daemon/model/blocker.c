/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/blocker.h"

#include <assert.h>
#include <errno.h>

static const Text names[BLOCKER_MAX] = {
#define X(name, text) [BLOCKER_##name] = { text, sizeof(text) - 1 },
        BLOCKERS(X)
#undef X
};

Text blocker_name(Blocker blocker) {
        assert(blocker < BLOCKER_MAX);
        return names[blocker];
}

int blocker_from_name(Text name, Blocker *ret) {
        for (Blocker b = 0; b < BLOCKER_MAX; b++)
                if (text_equal(names[b], name)) {
                        *ret = b;
                        return 0;
                }
        return -EINVAL;
}
