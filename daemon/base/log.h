/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages to whoever runs the daemon: stderr, with syslog priorities when that is the journal. */
#pragma once

#include <syslog.h>

#include "base/macros.h"

/* Messages above this priority (LOG_DEBUG is the highest) are dropped. LOG_INFO at first. */
void log_set_max_priority(int priority);

/* "debug", "info", "notice", "warning", "err"; -EINVAL for anything else. */
int log_priority_from_string(const char *name);

/* printf with %m of `error` (an errno of either sign, 0: none). Control bytes in the text are escaped.
 * Returns -abs(error), so that `return log_error(r, "...")` reads well. */
int log_full(int priority, int error, const char *format, ...) _printf_(3, 4);

#define log_debug(...) log_full(LOG_DEBUG, 0, __VA_ARGS__)
#define log_info(...) log_full(LOG_INFO, 0, __VA_ARGS__)
#define log_notice(...) log_full(LOG_NOTICE, 0, __VA_ARGS__)
#define log_warning(...) log_full(LOG_WARNING, 0, __VA_ARGS__)
#define log_error(error, ...) log_full(LOG_ERR, (error), __VA_ARGS__)
