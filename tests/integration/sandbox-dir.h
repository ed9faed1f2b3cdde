/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The directory that a kind works in, with the files that its accesses are about. All end the process on
 * failure, but for the removal, which does what it can. */
#pragma once

#include <limits.h>

/* Makes an empty one under $TMPDIR or /tmp and writes its absolute path. */
void sandbox_dir_make(char path[static PATH_MAX]);

/* Makes it the working directory and fills it. */
void sandbox_dir_enter(const char *path);

/* Removes it with all that is in it. */
void sandbox_dir_remove(const char *path);
