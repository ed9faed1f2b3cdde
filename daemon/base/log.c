/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static int max_priority = LOG_INFO;

void log_set_max_priority(int priority) {
        max_priority = priority;
}

int log_priority_from_string(const char *name) {
        static const char *const names[] = {
                [LOG_ERR] = "err", [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
                [LOG_INFO] = "info", [LOG_DEBUG] = "debug",
        };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (names[i] && strcasecmp(names[i], name) == 0)
                        return i;
        return -EINVAL;
}

int log_full(int priority, int error, const char *format, ...) {
        _cleanup_free_ char *escaped = NULL;
        char message[1024];
        va_list args;

        if (priority > max_priority)
                return -abs(error);

        errno = abs(error);
        va_start(args, format);
        vsnprintf(message, sizeof(message), format, args);
        va_end(args);

        if (text_escape(text_from_string(message), &escaped) < 0)
                return -abs(error);
        /* systemd sets JOURNAL_STREAM when stderr is the journal: sd-daemon(3) priorities then. */
        if (getenv("JOURNAL_STREAM"))
                fprintf(stderr, "<%d>%s\n", priority, escaped);
        else
                fprintf(stderr, "%s: %s\n", program_invocation_short_name, escaped);
        return -abs(error);
}
