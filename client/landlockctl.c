/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlockctl(1): the command line and its exit code, and nothing of what the verbs do. */
#include "client/output.h"
#include "client/verb.h"

int main(int argc, char **argv) {
        Options options;

        output_init();
        switch (options_parse(argc, argv, &options)) {
        case OPTIONS_RUN:
                return output_end(options.verb->run(&options));
        case OPTIONS_DONE:
                return output_end(EXIT_CODE_OK);
        case OPTIONS_WRONG:
                return EXIT_CODE_USAGE;
        }
        return EXIT_CODE_FAILURE;
}
