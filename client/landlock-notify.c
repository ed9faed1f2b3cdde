/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlock-notify(1): the command line and its exit code. */
#include <locale.h>

#include "client/notify-agent.h"

int main(int argc, char **argv) {
        NotifyOptions options;

        setlocale(LC_ALL, "");
        switch (notify_options_parse(argc, argv, &options)) {
        case OPTIONS_RUN:
                return notify_agent_run(&options);
        case OPTIONS_DONE:
                return EXIT_CODE_OK;
        case OPTIONS_WRONG:
                return EXIT_CODE_USAGE;
        }
        return EXIT_CODE_FAILURE;
}
