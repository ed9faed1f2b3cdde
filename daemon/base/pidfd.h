/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pidfd that somebody handed over: which process it holds. Unlike a number it never comes to mean another one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Its number in this PID namespace: of a process, or of the thread for one that holds a thread. -EBADF: `fd` is none.
 * -ESRCH: it has exited, or this namespace does not see it. */
int pidfd_read_pid(int fd, int64_t *ret_pid);

/* Whether its process has not exited. */
bool pidfd_is_alive(int fd);
