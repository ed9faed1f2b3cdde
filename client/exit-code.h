/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a script can tell apart; documented in --help and landlockctl(1), so only ever added to. */
#pragma once

typedef enum ExitCode {
        EXIT_CODE_OK = 0,
        EXIT_CODE_FAILURE = 1,
        EXIT_CODE_USAGE = 2,
        EXIT_CODE_NOT_FOUND = 3,
        EXIT_CODE_NOT_PERMITTED = 4,
        EXIT_CODE_NOT_RUNNING = 5,
} ExitCode;
