/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlock-notify's event loop, and what it decides: which denial a person is told of, and when. */
#pragma once

#include "client/exit-code.h"
#include "client/notify-options.h"

/* Runs until the session ends or a signal asks it to. Says itself what goes wrong. */
ExitCode notify_agent_run(const NotifyOptions *options);
