/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `monitor --socket`: landlockd's JSON socket, which has all that happens, one by one and numbered, for those who may
 * read it. */
#pragma once

#include "client/options.h"

/* Until it is interrupted. Says itself what went wrong. */
ExitCode monitor_socket(const Options *options);
