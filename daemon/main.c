/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlockd(8): command line and exit code. */
#include <getopt.h>

#include "base/log.h"
#include "manager.h"

typedef struct Arguments {
        const char *config; /* NULL: the default file, if it is there */
        bool remove_trace;
        ManagerOptions manager;
} Arguments;

static void print_help(void) {
        puts("landlockd [OPTION...]\n\n"
             "Watches Landlock: which sandboxes (domains) exist, which processes live in them,\n"
             "and what they were denied. Publishes it on D-Bus and as JSON; see landlockctl(1).\n\n"
             "  --config=FILE       read this instead of " CONFIG_FILE_DEFAULT "\n"
             "  --bus=BUS           system (default), session, none, or a D-Bus address\n"
             "  --runtime-dir=DIR   for the JSON socket, default " RUNSTATEDIR "/landlockd\n"
             "  --state-dir=DIR     for what is kept over a restart, default the runtime directory\n"
             "  --keep-trace        leave the trace instances to the next landlockd\n"
             "  --remove-trace      remove those that were left, and exit\n"
             "  --version           print the version and exit\n"
             "  --help              print this and exit\n\n"
             "Exit codes: 0 ended by a signal as asked, 1 failure, 2 wrong usage,\n"
             "4 privileges missing, 5 no Landlock in this kernel, 6 wrong configuration,\n"
             "7 another landlockd is running. See landlockd(8).");
}

/* Returns -1 to go on, else the exit code. */
static int parse_arguments(int argc, char **argv, Arguments *arguments) {
        enum {
                OPTION_CONFIG = 256,
                OPTION_BUS,
                OPTION_RUNTIME_DIR,
                OPTION_STATE_DIR,
                OPTION_KEEP_TRACE,
                OPTION_REMOVE_TRACE,
                OPTION_VERSION,
                OPTION_HELP,
        };
        static const struct option options[] = {
                { "config", required_argument, NULL, OPTION_CONFIG },
                { "bus", required_argument, NULL, OPTION_BUS },
                { "runtime-dir", required_argument, NULL, OPTION_RUNTIME_DIR },
                { "state-dir", required_argument, NULL, OPTION_STATE_DIR },
                { "keep-trace", no_argument, NULL, OPTION_KEEP_TRACE },
                { "remove-trace", no_argument, NULL, OPTION_REMOVE_TRACE },
                { "version", no_argument, NULL, OPTION_VERSION },
                { "help", no_argument, NULL, OPTION_HELP },
                {},
        };
        int option;

        while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (option) {
                case OPTION_CONFIG:
                        arguments->config = optarg;
                        break;
                case OPTION_BUS:
                        arguments->manager.bus = optarg;
                        break;
                case OPTION_RUNTIME_DIR:
                        arguments->manager.runtime_dir = optarg;
                        break;
                case OPTION_STATE_DIR:
                        arguments->manager.state_dir = optarg;
                        break;
                case OPTION_KEEP_TRACE:
                        arguments->manager.keep_trace = true;
                        break;
                case OPTION_REMOVE_TRACE:
                        arguments->remove_trace = true;
                        break;
                case OPTION_VERSION:
                        puts("landlockd " PACKAGE_VERSION);
                        return EXIT_CODE_OK;
                case OPTION_HELP:
                case 'h':
                        print_help();
                        return EXIT_CODE_OK;
                default:
                        return EXIT_CODE_USAGE;
                }

        if (optind < argc) {
                log_error(0, "landlockd takes no argument like %s: try --help.", argv[optind]);
                return EXIT_CODE_USAGE;
        }
        return -1;
}

int main(int argc, char **argv) {
        _cleanup_(manager_freep) Manager *manager = NULL;
        Config config;
        Arguments arguments = {
                .manager = { .config = &config, .bus = "system", .runtime_dir = RUNSTATEDIR "/landlockd" },
        };
        char error[512];
        ExitCode code;
        int r;

        r = parse_arguments(argc, argv, &arguments);
        if (r >= 0)
                return r;

        config_set_defaults(&config);
        if (config_load(&config, arguments.config, error, sizeof(error)) < 0) {
                log_error(0, "%s", error);
                return EXIT_CODE_CONFIG;
        }
        log_set_max_priority(config.log_priority);

        if (arguments.remove_trace)
                return manager_remove_trace(&config);
        arguments.manager.config_path = arguments.config;
        code = manager_new(&manager, &arguments.manager);
        return code == EXIT_CODE_OK ? manager_run(manager) : code;
}
