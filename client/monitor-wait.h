/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What both kinds of `monitor` wait with: for events, for Ctrl-C, and for the end of whoever reads what is printed. */
#pragma once

#include <stdint.h>

/* From here on SIGINT and SIGTERM arrive in monitor_wait() and at no other time. */
void monitor_wait_begin(void);

/* Waits for these poll(2) events of the descriptor, or until that time in µs of the monotonic clock (UINT64_MAX: for
 * any time). Returns 1; 0 when it is over, since it was interrupted or nobody reads the output any more; -errno. */
int monitor_wait(int fd, short events, uint64_t until_usec);

/* Writes out what was printed. -errno. */
int monitor_flush(void);
