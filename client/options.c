/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/options.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/macros.h"
#include "client/memory.h"
#include "client/output.h"
#include "client/verb.h"

#define DEFAULT_VERB "list"
#define DEFAULT_SOCKET RUNSTATEDIR "/landlockd/telemetry.sock"

/* What getopt_long() returns for each; the short form is only another name of it. */
enum {
        OPTION_FIRST = 256,
        OPTION_HELP = OPTION_FIRST,
        OPTION_VERSION,
        OPTION_BUS,
        OPTION_JSON,
        OPTION_J,
        OPTION_NO_PAGER,
        OPTION_NO_LEGEND,
        OPTION_FULL,
        OPTION_N_COMMON,
        OPTION_VERBOSE = OPTION_N_COMMON,
        OPTION_ALL,
        OPTION_STATE,
        OPTION_LIMIT,
        OPTION_DOMAIN,
        OPTION_SINCE,
        OPTION_REVERSE,
        OPTION_SOCKET,
        OPTION_TYPE,
        OPTION_BLOCKER,
        OPTION_SNAPSHOT,
        OPTION_BOOT_ID,
        OPTION_MACHINE_ID,
        OPTION_PIDFD,
        OPTION_SELF,
        OPTION_END,
};

static const struct option long_options[] = {
        { "help", no_argument, NULL, OPTION_HELP },
        { "version", no_argument, NULL, OPTION_VERSION },
        { "bus", required_argument, NULL, OPTION_BUS },
        { "json", required_argument, NULL, OPTION_JSON },
        { "no-pager", no_argument, NULL, OPTION_NO_PAGER },
        { "no-legend", no_argument, NULL, OPTION_NO_LEGEND },
        { "full", no_argument, NULL, OPTION_FULL },
        { "verbose", no_argument, NULL, OPTION_VERBOSE },
        { "all", no_argument, NULL, OPTION_ALL },
        { "state", required_argument, NULL, OPTION_STATE },
        { "limit", required_argument, NULL, OPTION_LIMIT },
        { "domain", required_argument, NULL, OPTION_DOMAIN },
        { "since", required_argument, NULL, OPTION_SINCE },
        { "reverse", no_argument, NULL, OPTION_REVERSE },
        { "socket", optional_argument, NULL, OPTION_SOCKET },
        { "type", required_argument, NULL, OPTION_TYPE },
        { "blocker", required_argument, NULL, OPTION_BLOCKER },
        { "snapshot", no_argument, NULL, OPTION_SNAPSHOT },
        { "boot-id", required_argument, NULL, OPTION_BOOT_ID },
        { "machine-id", required_argument, NULL, OPTION_MACHINE_ID },
        { "pidfd", required_argument, NULL, OPTION_PIDFD },
        { "self", no_argument, NULL, OPTION_SELF },
        {},
};

static const struct {
        char letter;
        int option;
} short_options[] = {
        { 'h', OPTION_HELP },
        { 'j', OPTION_J },
        { 'l', OPTION_FULL },
        { 'v', OPTION_VERBOSE },
        { 'a', OPTION_ALL },
        { 'n', OPTION_LIMIT },
        { 'r', OPTION_REVERSE },
};

static const char option_help[] =
        "\nOptions of every verb:\n"
        "  -h --help              Show this help and exit\n"
        "     --version           Show the version and exit\n"
        "     --bus=BUS           Where landlockd is: system (default), session, or a\n"
        "                         D-Bus address\n"
        "     --json=MODE         Print JSON: pretty, short (one line) or off\n"
        "  -j                     --json=pretty on a terminal, else --json=short\n"
        "     --no-pager          Do not pipe the output into a pager\n"
        "     --no-legend         Print no headings and no hints\n"
        "  -l --full              Do not shorten the last column to the terminal's width\n"
        "\nOptions of some verbs:\n"
        "  -v --verbose           status: all counters, with their meaning\n"
        "  -a --all               list: freed domains too, as --state=any\n"
        "     --state=STATE       list: allocated (default), deallocated or any\n"
        "  -n --limit=N           list, show, denials: at most N domains or denials\n"
        "     --domain=DOMAIN     ps, denials, monitor: only this domain's\n"
        "     --since=N           denials, monitor: from this cursor on; monitor --socket:\n"
        "                         what followed the event with this number, first\n"
        "  -r --reverse           denials: the newest first\n"
        "     --type=TYPE,...     monitor: only events of these types\n"
        "     --blocker=NAME,...  monitor: only denials by these blockers\n"
        "     --snapshot          monitor: the live domains, first\n"
        "     --socket[=PATH]     monitor: all events, each by itself, from landlockd's JSON\n"
        "                         socket, which root may read\n"
        "                         (default " DEFAULT_SOCKET ")\n"
        "     --pidfd=FD          lookup: the process that this inherited pidfd holds\n"
        "     --self              lookup: landlockctl itself, and so who started it\n"
        "     --boot-id=UUID      replay: the boot that the log is of\n"
        "     --machine-id=ID     replay: the machine that the log is of\n"
        "\nA DOMAIN is written as its ID in hex, with or without 0x, or as its UUID.\n"
        "\nExit codes: 0 success, 1 failure, 2 wrong usage, 3 no such domain or nothing\n"
        "found, 4 not permitted, 5 landlockd is not running.\n"
        "\nSee landlockctl(1).\n";

static void print_help(void) {
        printf("landlockctl [OPTION...] [VERB] [ARGUMENT...]\n"
               "\nWatch Landlock domains and what they deny, as landlockd sees them.\n"
               "\nVerbs:\n");
        for (const Verb *v = verbs; v->name; v++)
                printf("  %-8s %-13s %s\n", v->name, v->synopsis, v->help);
        fputs(option_help, stdout);
}

static _printf_(1, 2) OptionsResult wrong(const char *format, ...) {
        _cleanup_free_ char *message = NULL;
        va_list args;

        va_start(args, format);
        message = format_text_va(format, args);
        va_end(args);

        output_error("%s See 'landlockctl --help'.", message);
        return OPTIONS_WRONG;
}

/* 8-4-4-4-12 hex digits; made lower case. */
static bool uuid_text_parse(const char *text, char ret[static UUID_TEXT_SIZE]) {
        if (strlen(text) != UUID_TEXT_SIZE - 1)
                return false;
        for (size_t i = 0; i < UUID_TEXT_SIZE; i++) {
                bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

                if (i < UUID_TEXT_SIZE - 1 && (hyphen ? text[i] != '-' : !isxdigit((unsigned char) text[i])))
                        return false;
                ret[i] = (char) tolower((unsigned char) text[i]);
        }
        return true;
}

int domain_name_parse(const char *text, DomainName *ret) {
        DomainName name = { .text = text };
        Text hex = text_from_string(text);

        if (uuid_text_parse(text, name.uuid)) {
                name.is_uuid = true;
                *ret = name;
                return 0;
        }

        if (text_has_prefix(hex, TEXT_LITERAL("0x")) || text_has_prefix(hex, TEXT_LITERAL("0X")))
                hex = (Text) { hex.data + 2, hex.len - 2 };
        if (text_parse_u64(hex, 16, &name.id) < 0)
                return -EINVAL;
        host_format_domain(name.id, name.hex);
        *ret = name;
        return 0;
}

bool options_want_domain(const Options *options, const char *hex, const char *uuid) {
        for (size_t i = 0; i < options->n_domains; i++) {
                const DomainName *name = &options->domains[i];
                const char *wanted = name->is_uuid ? name->uuid : name->hex, *text = name->is_uuid ? uuid : hex;

                if (text && strcmp(wanted, text) == 0)
                        return true;
        }
        return options->n_domains == 0;
}

bool options_want_type(const Options *options, const char *type) {
        for (size_t i = 0; i < options->types.n; i++)
                if (strcmp(options->types.names[i], type) == 0)
                        return true;
        return options->types.n == 0;
}

static OptionsResult parse_domains(char *value, Options *options) {
        for (char *name; (name = strsep(&value, ","));) {
                if (options->n_domains == OPTIONS_FILTER_MAX)
                        return wrong("More than %u domains.", OPTIONS_FILTER_MAX);
                if (domain_name_parse(name, &options->domains[options->n_domains]) < 0)
                        return wrong("'%s' is no domain: neither an ID in hex nor a UUID.", name);
                options->n_domains++;
        }
        return OPTIONS_RUN;
}

static OptionsResult parse_names(char *value, NameList *list) {
        for (char *name; (name = strsep(&value, ","));) {
                if (list->n == OPTIONS_FILTER_MAX)
                        return wrong("More than %u names in one filter.", OPTIONS_FILTER_MAX);
                if (!*name)
                        return wrong("An empty name in a filter.");
                list->names[list->n++] = name;
        }
        return OPTIONS_RUN;
}

static OptionsResult parse_json(const char *value, Options *options) {
        if (strcmp(value, "pretty") == 0)
                options->json = JSON_PRETTY;
        else if (strcmp(value, "short") == 0)
                options->json = JSON_SHORT;
        else if (strcmp(value, "off") == 0)
                options->json = JSON_OFF;
        else
                return wrong("'%s' is no JSON mode: pretty, short or off.", value);
        return OPTIONS_RUN;
}

static OptionsResult parse_state(const char *value, Options *options) {
        if (strcmp(value, "allocated") != 0 && strcmp(value, "deallocated") != 0 && strcmp(value, "any") != 0)
                return wrong("'%s' is no state: allocated, deallocated or any.", value);
        options->state = value;
        return OPTIONS_RUN;
}

/* The daemon gives at most 1000 at a time; the next ones are had by the cursor. */
static OptionsResult parse_limit(const char *value, Options *options) {
        uint64_t n;

        if (text_parse_u64(text_from_string(value), 10, &n) < 0 || n < 1 || n > 1000)
                return wrong("'%s' is no limit: a number from 1 to 1000.", value);
        options->limit = n;
        return OPTIONS_RUN;
}

static OptionsResult parse_since(const char *value, Options *options) {
        if (text_parse_u64(text_from_string(value), 10, &options->since) < 0)
                return wrong("'%s' is no number to go on from.", value);
        options->has_since = true;
        return OPTIONS_RUN;
}

static OptionsResult parse_pidfd(const char *value, Options *options) {
        uint64_t n;

        if (text_parse_u64(text_from_string(value), 10, &n) < 0 || n > INT32_MAX || fcntl((int) n, F_GETFD) < 0)
                return wrong("'%s' is no open file descriptor: --pidfd=3 3<...", value);
        options->pidfd = (int) n;
        return OPTIONS_RUN;
}

static OptionsResult parse_boot_id(const char *value, Options *options) {
        if (!uuid_text_parse(value, options->host.boot_id))
                return wrong("'%s' is no boot ID: a UUID, as in /proc/sys/kernel/random/boot_id.", value);
        options->host.has_boot_id = true;
        return OPTIONS_RUN;
}

static OptionsResult parse_machine_id(const char *value, Options *options) {
        size_t size = sizeof(options->host.machine_id);

        if (strlen(value) != size - 1 || strspn(value, "0123456789abcdef") != size - 1)
                return wrong("'%s' is no machine ID: 32 lower-case hex digits, as in /etc/machine-id.", value);
        memcpy(options->host.machine_id, value, size);
        options->host.has_machine_id = true;
        return OPTIONS_RUN;
}

static OptionsResult parse_option(int option, char *value, Options *options) {
        switch (option) {
        case OPTION_BUS:
                options->bus = value;
                return *value ? OPTIONS_RUN : wrong("--bus= needs system, session or an address.");
        case OPTION_JSON:
                return parse_json(value, options);
        case OPTION_J:
                options->json = isatty(STDOUT_FILENO) ? JSON_PRETTY : JSON_SHORT;
                return OPTIONS_RUN;
        case OPTION_NO_PAGER:
                options->pager = false;
                return OPTIONS_RUN;
        case OPTION_NO_LEGEND:
                options->legend = false;
                return OPTIONS_RUN;
        case OPTION_FULL:
                options->full = true;
                return OPTIONS_RUN;
        case OPTION_VERBOSE:
                options->verbose = true;
                return OPTIONS_RUN;
        case OPTION_ALL:
                options->state = "any";
                return OPTIONS_RUN;
        case OPTION_STATE:
                return parse_state(value, options);
        case OPTION_LIMIT:
                return parse_limit(value, options);
        case OPTION_DOMAIN:
                return parse_domains(value, options);
        case OPTION_SINCE:
                return parse_since(value, options);
        case OPTION_REVERSE:
                options->reverse = true;
                return OPTIONS_RUN;
        case OPTION_SOCKET:
                options->socket = value ?: DEFAULT_SOCKET;
                return OPTIONS_RUN;
        case OPTION_TYPE:
                return parse_names(value, &options->types);
        case OPTION_BLOCKER:
                return parse_names(value, &options->blockers);
        case OPTION_SNAPSHOT:
                options->snapshot = true;
                return OPTIONS_RUN;
        case OPTION_PIDFD:
                return parse_pidfd(value, options);
        case OPTION_SELF:
                options->self = true;
                return OPTIONS_RUN;
        case OPTION_BOOT_ID:
                return parse_boot_id(value, options);
        case OPTION_MACHINE_ID:
                return parse_machine_id(value, options);
        case OPTION_HELP:
                print_help();
                return OPTIONS_DONE;
        case OPTION_VERSION:
                puts("landlockctl " PACKAGE_VERSION);
                return OPTIONS_DONE;
        default: /* getopt_long() has said what is wrong */
                return OPTIONS_WRONG;
        }
}

static int option_from_letter(int letter) {
        for (size_t i = 0; i < ARRAY_SIZE(short_options); i++)
                if (short_options[i].letter == letter)
                        return short_options[i].option;
        return letter;
}

static const char *option_name(int option) {
        for (const struct option *o = long_options; o->name; o++)
                if (o->val == option)
                        return o->name;
        return "j";
}

static bool verb_takes(const Verb *verb, int option) {
        if (option < OPTION_N_COMMON)
                return true;
        for (const char *const *name = verb->options; name && *name; name++)
                if (strcmp(*name, option_name(option)) == 0)
                        return true;
        return false;
}

static OptionsResult find_verb(const char *name, const Verb **ret) {
        for (const Verb *v = verbs; v->name; v++)
                if (strcmp(v->name, name) == 0) {
                        *ret = v;
                        return OPTIONS_RUN;
                }
        return wrong("There is no verb '%s'.", name);
}

static OptionsResult check_verb(const Options *options, uint64_t given) {
        const Verb *verb = options->verb;

        for (int option = OPTION_FIRST; option < OPTION_END; option++)
                if (given & UINT64_C(1) << (option - OPTION_FIRST) && !verb_takes(verb, option))
                        return wrong("'%s' does not take --%s.", verb->name, option_name(option));
        if (options->n_args < verb->n_args_min)
                return wrong("'%s' needs an argument: landlockctl %s %s.", verb->name, verb->name, verb->synopsis);
        if (options->n_args > verb->n_args_max)
                return wrong("'%s' takes no argument '%s'.", verb->name, options->args[verb->n_args_max]);
        return OPTIONS_RUN;
}

OptionsResult options_parse(int argc, char **argv, Options *ret) {
        Options options = { .bus = "system", .legend = true, .pager = true, .state = "allocated", .pidfd = -EBADF };
        const char *name = DEFAULT_VERB;
        OptionsResult result;
        uint64_t given = 0;
        int c;

        optind = 0; /* of glibc: begin anew */
        while ((c = getopt_long(argc, argv, "hjlvan:r", long_options, NULL)) >= 0) {
                c = option_from_letter(c);
                result = parse_option(c, optarg, &options);
                if (result != OPTIONS_RUN)
                        return result;
                given |= UINT64_C(1) << (c - OPTION_FIRST);
        }

        if (optind < argc)
                name = argv[optind++];
        options.args = argv + optind;
        options.n_args = argc - optind;

        result = find_verb(name, &options.verb);
        if (result == OPTIONS_RUN)
                result = check_verb(&options, given);
        if (result == OPTIONS_RUN)
                *ret = options;
        return result;
}
