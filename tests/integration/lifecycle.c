/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line, and what each life-cycle is run in. */

#include "lifecycle.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox-dir.h"

enum {
        EXIT_USAGE = 2,
        EXIT_UNSUPPORTED = 77, /* automake's code for a skipped test */
};

static const Lifecycle *const tables[] = { domain_lifecycles, ruleset_lifecycles, task_lifecycles, mass_lifecycles };

#define FOREACH_LIFECYCLE(l)                               \
        for (size_t _t = 0; _t < ARRAY_SIZE(tables); _t++) \
                for (const Lifecycle *l = tables[_t]; l->name; l++)

unsigned arg_domains = 1000, arg_children = 2000;
static bool arg_hold, arg_list;

static void usage(FILE *out) {
        fputs("Usage: lifecycle [OPTION…] NAME…   go through these life-cycles; \"all\": all that this kernel knows\n"
              "       lifecycle --list             those that this kernel knows\n"
              "\n"
              "Prints two lines of JSON for each: what was made, while it lives (\"held\"), and when all has \"ended\".\n"
              "\n"
              "      --hold         end each only after a line on standard input\n"
              "      --domains=N    of \"many-domains\" (default 1000)\n"
              "      --children=N   of \"fork-storm\" (default 2000)\n"
              "  -h, --help\n",
              out);
}

/* The process that a life-cycle begins with. */
static void lifecycle_child(const Lifecycle *lifecycle, const char *dir, const int held[2], const int unsettled[2])
        __attribute__((noreturn));

static void lifecycle_child(const Lifecycle *lifecycle, const char *dir, const int held[2], const int unsettled[2]) {
        if (dup2(held[0], STDIN_FILENO) < 0 || dup3(unsettled[1], UNSETTLED_FD, O_CLOEXEC) < 0)
                sandbox_die("dup: %m");
        close(held[1]);
        close(unsettled[1]);
        sandbox_dir_enter(dir);
        steps_init();
        lifecycle->run();
        _exit(EXIT_SUCCESS);
}

/* All that were made end up as children of this process or of one that is. */
static bool reap_all(void) {
        bool ok = true;
        int status;

        while (waitpid(-1, &status, __WALL) > 0)
                ok = ok && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
        return ok;
}

static void wait_for_line(void) {
        int c;

        do
                c = getchar();
        while (c != '\n' && c != EOF);
}

static LifecycleTruth *truth_new(void) {
        int fd;

        fd = memfd_create("truth", 0);
        if (fd < 0 || dup2(fd, TRUTH_FD) < 0)
                sandbox_die("shared memory: %m");
        close(fd);
        return lifecycle_truth_map(TRUTH_FD);
}

static bool lifecycle_run(const Lifecycle *lifecycle) {
        LifecycleTruth *truth = truth_new();
        int held[2], unsettled[2];
        char dir[PATH_MAX], c;
        bool ok;

        sandbox_dir_make(dir);
        if (pipe2(held, O_CLOEXEC) < 0 || pipe2(unsettled, O_CLOEXEC) < 0)
                sandbox_die("pipe: %m");
        switch (fork()) {
        case -1:
                sandbox_die("fork: %m");
        case 0:
                lifecycle_child(lifecycle, dir, held, unsettled);
        }
        close(held[0]);
        close(unsettled[1]);
        if (read(unsettled[0], &c, 1) != 0)
                sandbox_die("read: %m");
        close(unsettled[0]);
        lifecycle_truth_print(truth, lifecycle->name, "held");
        if (arg_hold)
                wait_for_line();
        close(held[1]);
        ok = reap_all();
        if (!ok)
                fprintf(stderr, "lifecycle: %s: failed\n", lifecycle->name);
        lifecycle_truth_print(truth, lifecycle->name, "ended");
        lifecycle_truth_free(truth);
        sandbox_dir_remove(dir);
        return ok;
}

static int run_word(const char *word, int abi) {
        bool all = strcmp(word, "all") == 0, any = false;

        FOREACH_LIFECYCLE(lifecycle) {
                if (!all && strcmp(lifecycle->name, word) != 0)
                        continue;
                any = true;
                if (lifecycle->abi <= abi) {
                        if (!lifecycle_run(lifecycle))
                                return EXIT_FAILURE;
                } else if (!all) {
                        fprintf(stderr, "lifecycle: %s: needs Landlock ABI %d, this kernel has %d\n", word,
                                lifecycle->abi, abi);
                        return EXIT_UNSUPPORTED;
                }
        }
        if (any)
                return EXIT_SUCCESS;
        fprintf(stderr, "lifecycle: %s: no such life-cycle, see lifecycle --list\n", word);
        return EXIT_USAGE;
}

static int run_words(char *words[], int abi) {
        int r = EXIT_SUCCESS;

        /* Who loses its parent becomes a child of this process, so that the end of all can be waited for. */
        if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
                sandbox_die("subreaper: %m");
        for (; *words && r == EXIT_SUCCESS; words++)
                r = run_word(*words, abi);
        return r;
}

static int list_lifecycles(int abi) {
        FOREACH_LIFECYCLE(lifecycle)
                if (lifecycle->abi <= abi)
                        puts(lifecycle->name);
        return EXIT_SUCCESS;
}

static unsigned parse_number(const char *name, const char *text, unsigned max) {
        unsigned long n;
        char *end;

        n = strtoul(text, &end, 10);
        if (end == text || *end || n < 1 || n > max) {
                fprintf(stderr, "lifecycle: --%s takes a number from 1 to %u\n", name, max);
                exit(EXIT_USAGE);
        }
        return (unsigned) n;
}

static void parse_options(int argc, char *argv[]) {
        static const struct option options[] = {
                { "hold", no_argument, NULL, 'H' },
                { "list", no_argument, NULL, 'l' },
                { "domains", required_argument, NULL, 'd' },
                { "children", required_argument, NULL, 'c' },
                { "help", no_argument, NULL, 'h' },
                {},
        };
        int c;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case 'H':
                        arg_hold = true;
                        break;
                case 'l':
                        arg_list = true;
                        break;
                case 'd':
                        arg_domains = parse_number("domains", optarg, TRUE_DOMAINS_MAX);
                        break;
                case 'c':
                        arg_children = parse_number("children", optarg, TRUE_TASKS_MAX / 2);
                        break;
                case 'h':
                        usage(stdout);
                        exit(EXIT_SUCCESS);
                default:
                        exit(EXIT_USAGE);
                }
        if (arg_list == (optind < argc)) {
                usage(stderr);
                exit(EXIT_USAGE);
        }
}

int main(int argc, char *argv[]) {
        int abi;

        if (argc == 4 && strcmp(argv[1], "chain") == 0)
                chain_main(argv);
        parse_options(argc, argv);
        abi = landlock_abi_version();
        if (abi < 0) {
                fprintf(stderr, "lifecycle: no Landlock in this kernel: %m\n");
                return EXIT_UNSUPPORTED;
        }
        return arg_list ? list_lifecycles(abi) : run_words(argv + optind, abi);
}
