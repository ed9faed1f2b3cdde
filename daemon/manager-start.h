/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What has to be there before a source or a publisher can be opened. What fails is logged. */
#pragma once

#include "manager.h"
#include "model/status.h"

/* A file that systemd has opened for us, outside of what the service sees of the machine (OpenFile= in the unit); -1 if it
 * has not. */
int manager_find_file(const char *name);

/* Fills in the host, and what its kernel has of Landlock. */
ExitCode manager_describe_system(Status *status);

/* Makes the directory if it is not there, and locks it: the sign that a landlockd runs here. The caller's to close. */
ExitCode manager_open_runtime_dir(const char *path, int *ret_fd);
