/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/notify-options.h"

#include <getopt.h>
#include <stdio.h>

static const char help[] =
        "landlock-notify [OPTION...]\n"
        "\nTell on the desktop what programs were denied by their Landlock sandboxes.\n"
        "\n  -h --help     Show this help and exit\n"
        "     --version  Show the version and exit\n"
        "  -a --all      Tell of all users' programs, as far as landlockd allows it\n"
        "     --bus=BUS  Where landlockd is: system (default), session, or a D-Bus address\n"
        "\nExit codes: 0 the session has ended, or another landlock-notify runs in it;\n"
        "1 failure, 2 wrong usage, 4 not permitted.\n"
        "\nSee landlock-notify(1).\n";

enum {
        OPTION_VERSION = 256,
        OPTION_BUS,
};

static const struct option long_options[] = {
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, OPTION_VERSION },
        { "all", no_argument, NULL, 'a' },
        { "bus", required_argument, NULL, OPTION_BUS },
        {},
};

static OptionsResult wrong(void) {
        fputs("See 'landlock-notify --help'.\n", stderr);
        return OPTIONS_WRONG;
}

OptionsResult notify_options_parse(int argc, char **argv, NotifyOptions *ret) {
        NotifyOptions options = { .bus = "system" };
        int c;

        optind = 0; /* of glibc: begin anew */
        while ((c = getopt_long(argc, argv, "ha", long_options, NULL)) >= 0) {
                switch (c) {
                case 'h':
                        fputs(help, stdout);
                        return OPTIONS_DONE;
                case OPTION_VERSION:
                        puts("landlock-notify " PACKAGE_VERSION);
                        return OPTIONS_DONE;
                case 'a':
                        options.all = true;
                        break;
                case OPTION_BUS:
                        options.bus = optarg;
                        break;
                default: /* getopt_long() has said what is wrong */
                        return wrong();
                }
        }
        if (optind < argc) {
                fprintf(stderr, "%s: there are no arguments besides options.\n", argv[0]);
                return wrong();
        }
        *ret = options;
        return OPTIONS_RUN;
}
