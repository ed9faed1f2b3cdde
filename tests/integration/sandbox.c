/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line, and the process and directory that each kind is run in. */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "sandbox-dir.h"
#include "sandbox.h"

static const Kind *const tables[] = {
        fs_kinds, topology_kinds, net_kinds, unix_kinds, task_kinds, layer_kinds, log_kinds, hostile_kinds,
};

#define FOREACH_KIND(kind)                                     \
        for (size_t _t = 0; _t < ARRAY_SIZE(tables); _t++)     \
                for (const Kind *kind = tables[_t]; kind->name; kind++)

static bool arg_json, arg_list;
static uint64_t arg_count = 1;
static unsigned arg_threads = 1, arg_domains = 100, arg_hold_sec;

static void usage(FILE *out) {
        fputs("Usage: sandbox [OPTION…] KIND…   be refused in these ways; \"all\": in every way there is here\n"
              "       sandbox --list           ways that this kernel knows; on stderr, those that it does not\n"
              "       sandbox [OPTION…] flood  one domain, refused in a tight loop\n"
              "       sandbox [OPTION…] many   many domains at once, each refused once\n"
              "       sandbox [OPTION…] demo   a few refusals, told in words\n"
              "\n"
              "Ends with 0 if the kernel refused exactly what it had to, and prints what that was; else with 1,\n"
              "or 77 if this kernel cannot do it.\n"
              "\n"
              "      --json          print JSON, one line for each kind\n"
              "      --count=N       make each access N times (default 1)\n"
              "      --threads=N     in N threads at once (default 1)\n"
              "      --domains=N     of \"many\" (default 100)\n"
              "      --hold=SECONDS  keep the domains that long after the last refusal\n"
              "  -h, --help\n",
              out);
}

/* Returns why the kind cannot be run here, NULL if it can. */
static const char *kind_unsupported(const Kind *kind, int abi) {
        static char reason[64];

        if (kind->abi > abi) {
                snprintf(reason, sizeof(reason), "needs Landlock ABI %d, this kernel has %d", kind->abi, abi);
                return reason;
        }
        return kind->unsupported ? kind->unsupported() : NULL;
}

static int list_kinds(int abi) {
        FOREACH_KIND(kind) {
                const char *reason = kind_unsupported(kind, abi);

                if (reason)
                        fprintf(stderr, "%s: %s\n", kind->name, reason);
                else
                        puts(kind->name);
        }
        return EXIT_SUCCESS;
}

/* A kind that was run, and whose domains may still live. */
typedef struct Run {
        pid_t pid;
        char dir[PATH_MAX];
} Run;

static volatile sig_atomic_t interrupted;

static void interrupt(int sig) {
        (void) sig;
        interrupted = 1;
}

static void run_child(Sandbox *s, int done_fd, unsigned hold_sec) __attribute__((noreturn));

static void run_child(Sandbox *s, int done_fd, unsigned hold_sec) {
        s->truth->pid = getpid();
        sandbox_dir_enter(s->dir);
        s->kind->run(s);
        if (write(done_fd, "", 1) != 1)
                sandbox_die("%s: %m", s->kind->name);
        close(done_fd);
        sleep(hold_sec);
        _exit(EXIT_SUCCESS);
}

static void run_start(Run *run, Sandbox *s, int *ret_done_fd) {
        int done[2];

        sandbox_dir_make(run->dir);
        s->dir = run->dir;
        if (pipe2(done, O_CLOEXEC) < 0)
                sandbox_die("pipe: %m");
        run->pid = fork();
        if (run->pid < 0)
                sandbox_die("fork: %m");
        if (run->pid == 0) {
                close(done[0]);
                run_child(s, done[1], arg_hold_sec);
        }
        close(done[1]);
        *ret_done_fd = done[0];
}

/* Waits for the last refusal of the kind and prints what it was refused. */
static bool run_report(const Sandbox *s, int done_fd) {
        bool ok;
        char c;

        ok = read(done_fd, &c, 1) == 1;
        close(done_fd);
        if (!ok)
                fprintf(stderr, "sandbox: %s: failed\n", s->kind->name);
        else
                truth_print(s->truth, s->kind->name, arg_json);
        return ok;
}

static void run_end(Run *run) {
        do {
                if (interrupted)
                        kill(run->pid, SIGKILL);
        } while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR);
        sandbox_dir_remove(run->dir);
}

/* Domains live on while the kinds after theirs are run. */
static bool run_kinds(const Kind *const *kinds, size_t n_kinds, const char *program) {
        Run *runs;
        size_t n_runs = 0;
        bool ok = true;

        runs = calloc(n_kinds, sizeof(*runs));
        if (!runs)
                sandbox_die("out of memory");
        while (n_runs < n_kinds && !interrupted) {
                Sandbox s = {
                        .kind = kinds[n_runs],
                        .program = program,
                        .count = arg_count,
                        .threads = arg_threads,
                        .truth = truth_new(),
                };
                int done_fd;

                run_start(&runs[n_runs++], &s, &done_fd);
                ok = run_report(&s, done_fd) && ok;
                truth_free(s.truth);
        }
        for (size_t i = 0; i < n_runs; i++)
                run_end(&runs[i]);
        free(runs);
        return ok && !interrupted;
}

/* Appends the kinds that the word names. Returns an exit code. */
static int kinds_add(const char *word, int abi, const Kind **kinds, size_t *n_kinds) {
        bool all = strcmp(word, "all") == 0;
        size_t n_before = *n_kinds;

        FOREACH_KIND(kind) {
                const char *reason;

                if (!all && strcmp(kind->name, word) != 0)
                        continue;
                reason = kind_unsupported(kind, abi);
                if (reason && !all) {
                        fprintf(stderr, "sandbox: %s: %s\n", word, reason);
                        return EXIT_UNSUPPORTED;
                }
                if (!reason)
                        kinds[(*n_kinds)++] = kind;
        }
        if (*n_kinds > n_before)
                return EXIT_SUCCESS;
        fprintf(stderr, "sandbox: %s: no such kind, see sandbox --list\n", word);
        return EXIT_USAGE;
}

static int run_words(char *words[], size_t n_words, int abi, const char *program) {
        const Kind **kinds;
        size_t n_kinds = 0, n_all = 0;
        int r = EXIT_SUCCESS;

        FOREACH_KIND(kind)
                n_all++;
        kinds = calloc(n_words * n_all, sizeof(*kinds));
        if (!kinds)
                sandbox_die("out of memory");
        for (size_t i = 0; i < n_words && r == EXIT_SUCCESS; i++)
                r = kinds_add(words[i], abi, kinds, &n_kinds);
        if (r == EXIT_SUCCESS)
                r = run_kinds(kinds, n_kinds, program) ? EXIT_SUCCESS : EXIT_FAILURE;
        free(kinds);
        return r;
}

/* Ends with a clear word rather than a wrapped-around number. */
static uint64_t parse_number(const char *name, const char *text, uint64_t min, uint64_t max) {
        unsigned long long n;
        char *end;

        errno = 0;
        n = strtoull(text, &end, 10);
        if (errno || end == text || *end || *text == '-' || n < min || n > max) {
                fprintf(stderr, "sandbox: --%s takes a number from %ju to %ju\n", name, (uintmax_t) min,
                        (uintmax_t) max);
                exit(EXIT_USAGE);
        }
        return n;
}

static void parse_options(int argc, char *argv[]) {
        static const struct option options[] = {
                { "json", no_argument, NULL, 'j' },
                { "list", no_argument, NULL, 'l' },
                { "count", required_argument, NULL, 'c' },
                { "threads", required_argument, NULL, 't' },
                { "domains", required_argument, NULL, 'd' },
                { "hold", required_argument, NULL, 's' },
                { "help", no_argument, NULL, 'h' },
                {},
        };
        int c, index;

        while ((c = getopt_long(argc, argv, "h", options, &index)) >= 0)
                switch (c) {
                case 'j':
                        arg_json = true;
                        break;
                case 'l':
                        arg_list = true;
                        break;
                case 'c':
                        arg_count = parse_number("count", optarg, 1, UINT32_MAX);
                        break;
                case 't':
                        arg_threads = (unsigned) parse_number("threads", optarg, 1, THREADS_MAX);
                        break;
                case 'd':
                        arg_domains = (unsigned) parse_number("domains", optarg, 1, 30000);
                        break;
                case 's':
                        arg_hold_sec = (unsigned) parse_number("hold", optarg, 0, INT_MAX);
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

static int dispatch(char *words[], size_t n_words, int abi) {
        char program[PATH_MAX] = {};

        if (arg_list)
                return list_kinds(abi);
        if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
                sandbox_die("/proc/self/exe: %m");
        if (n_words == 1 && strcmp(words[0], "demo") == 0)
                return sandbox_demo(abi, arg_hold_sec);
        if (n_words == 1 && strcmp(words[0], "flood") == 0)
                return sandbox_flood(arg_count, arg_threads, arg_json);
        if (n_words == 1 && strcmp(words[0], "many") == 0)
                return sandbox_many(arg_domains, arg_hold_sec, arg_json);
        return run_words(words, n_words, abi, program);
}

int main(int argc, char *argv[]) {
        const struct sigaction action = { .sa_handler = interrupt };
        int abi;

        if (argc > 2 && (strcmp(argv[1], "attempt") == 0 || strcmp(argv[1], "confined-attempt") == 0))
                return sandbox_exec_main(argc, argv);
        parse_options(argc, argv);
        abi = landlock_abi_version();
        if (abi < 0) {
                fprintf(stderr, "sandbox: no Landlock in this kernel: %m\n");
                return EXIT_UNSUPPORTED;
        }
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        return dispatch(argv + optind, (size_t) (argc - optind), abi);
}
