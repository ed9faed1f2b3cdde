/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/config.h"

#include <errno.h>
#include <glob.h>
#include <ini.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#include "base/log.h"
#include "base/macros.h"
#include "base/text.h"

#define SECTION "Landlockd"

void config_set_defaults(Config *config) {
        *config = (Config) {
                .audit = AUDIT_AUTO,
                .audit_backlog_limit = 8192,
                .audit_receive_buffer = 16 << 20,
                .trace = true,
                .unprivileged_access = true,
                .trace_instance = "landlockd",
                .trace_buffer_size = 4 << 20,
                .bpf = true,
                .max_domains = 65536,
                .max_denials = 8192,
                .max_processes = 65536,
                .max_threads = 262144,
                .max_rulesets = 16384,
                .max_rules = 262144,
                .json_history_size = 16 << 20,
                .json_max_clients = 64,
                .log_priority = LOG_INFO,
        };
}

typedef struct Parser {
        Config *config;
        const char *path;
        FILE *file;
        int line; /* being parsed: Debian's inih does not tell its handler */
        char *error;
        size_t error_size;
        int code; /* -errno of the first error */
} Parser;

/* Notes the first error. Returns what inih takes for one. */
static int _printf_(2, 3) fail(Parser *parser, const char *format, ...) {
        va_list args;
        int n;

        if (parser->code < 0)
                return 0;

        parser->code = -EINVAL;
        n = snprintf(parser->error, parser->error_size, "%s:%d: ", parser->path, parser->line);
        if (n >= 0 && (size_t) n < parser->error_size) {
                va_start(args, format);
                vsnprintf(parser->error + n, parser->error_size - n, format, args);
                va_end(args);
        }
        return 0;
}

/* A number with K, M or G behind it for powers of 1024. */
static int parse_size(const char *s, uint64_t *ret) {
        static const char suffixes[] = "KMG";
        Text digits = text_from_string(s);
        unsigned shift = 0;
        uint64_t value;
        const char *suffix;
        int r;

        if (digits.len > 0 && (suffix = strchr(suffixes, digits.data[digits.len - 1]))) {
                shift = 10 * (suffix - suffixes + 1);
                digits.len--;
        }
        r = text_parse_u64(digits, 10, &value);
        if (r < 0)
                return r;
        if (value > UINT64_MAX >> shift)
                return -ERANGE;

        *ret = value << shift;
        return 0;
}

static int parse_audit(const char *s, AuditMode *ret) {
        if (strcasecmp(s, "auto") == 0)
                *ret = AUDIT_AUTO;
        else if (strcasecmp(s, "yes") == 0)
                *ret = AUDIT_YES;
        else if (strcasecmp(s, "no") == 0)
                *ret = AUDIT_NO;
        else
                return -EINVAL;
        return 0;
}

/* `on` or no. */
static int parse_switch(const char *s, const char *on, bool *ret) {
        if (strcasecmp(s, on) == 0)
                *ret = true;
        else if (strcasecmp(s, "no") == 0)
                *ret = false;
        else
                return -EINVAL;
        return 0;
}

/* A name that needs no quoting anywhere, and is not that of another directory. */
static int parse_trace_instance(const char *s, char ret[static CONFIG_TRACE_INSTANCE_MAX + 1]) {
        size_t len = strlen(s);

        if (len == 0 || len > CONFIG_TRACE_INSTANCE_MAX || s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                                                    "0123456789-_")] != '\0')
                return -EINVAL;
        memcpy(ret, s, len + 1);
        return 0;
}

static const struct {
        const char *key;
        size_t offset;
        uint64_t min, max;
} sizes[] = {
        { "AuditBacklogLimit", offsetof(Config, audit_backlog_limit), 0, UINT32_MAX },
        { "AuditReceiveBuffer", offsetof(Config, audit_receive_buffer), 64 << 10, 1 << 30 },
        { "TraceBufferSize", offsetof(Config, trace_buffer_size), 64 << 10, 1 << 30 },
        { "MaxDomains", offsetof(Config, max_domains), 1, 16 << 20 },
        { "MaxDenials", offsetof(Config, max_denials), 1, 16 << 20 },
        { "MaxProcesses", offsetof(Config, max_processes), 1, 16 << 20 },
        { "MaxThreads", offsetof(Config, max_threads), 1, 16 << 20 },
        { "MaxRulesets", offsetof(Config, max_rulesets), 1, 16 << 20 },
        { "MaxRules", offsetof(Config, max_rules), 1, 16 << 20 },
        { "JsonHistorySize", offsetof(Config, json_history_size), 256 << 10, 1 << 30 },
        { "JsonMaxClients", offsetof(Config, json_max_clients), 1, 4096 },
};

static int set_size(Parser *parser, size_t row, const char *value) {
        uint64_t size;

        if (parse_size(value, &size) < 0)
                return fail(parser, "%s=%s is not a size: write a whole number, with K, M or G behind it if you like.",
                            sizes[row].key, value);
        if (size < sizes[row].min || size > sizes[row].max)
                return fail(parser, "%s=%s is out of range: it may be %llu to %llu.", sizes[row].key, value,
                            (unsigned long long) sizes[row].min, (unsigned long long) sizes[row].max);

        *(uint64_t *) ((char *) parser->config + sizes[row].offset) = size;
        return 1;
}

/* inih's handler: returns 0 for an error. */
static int on_line(void *userdata, const char *section, const char *key, const char *value) {
        Parser *parser = userdata;

        if (strcmp(section, SECTION) != 0)
                return fail(parser, "unknown section [%s]: settings belong into [" SECTION "].", section);

        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
                if (strcmp(key, sizes[i].key) == 0)
                        return set_size(parser, i, value);

        if (strcmp(key, "Audit") == 0) {
                if (parse_audit(value, &parser->config->audit) < 0)
                        return fail(parser, "Audit=%s: it may be auto, yes or no.", value);
                return 1;
        }
        if (strcmp(key, "Trace") == 0) {
                if (parse_switch(value, "auto", &parser->config->trace) < 0)
                        return fail(parser, "Trace=%s: it may be auto or no.", value);
                return 1;
        }
        if (strcmp(key, "Bpf") == 0) {
                if (parse_switch(value, "auto", &parser->config->bpf) < 0)
                        return fail(parser, "Bpf=%s: it may be auto or no.", value);
                return 1;
        }
        if (strcmp(key, "UnprivilegedAccess") == 0) {
                if (parse_switch(value, "own", &parser->config->unprivileged_access) < 0)
                        return fail(parser, "UnprivilegedAccess=%s: it may be own or no.", value);
                return 1;
        }
        if (strcmp(key, "TraceInstance") == 0) {
                if (parse_trace_instance(value, parser->config->trace_instance) < 0)
                        return fail(parser, "TraceInstance=%s: it may be 1 to %d letters, digits, - and _.", value,
                                    CONFIG_TRACE_INSTANCE_MAX);
                return 1;
        }
        if (strcmp(key, "LogLevel") == 0) {
                parser->config->log_priority = log_priority_from_string(value);
                if (parser->config->log_priority < 0)
                        return fail(parser, "LogLevel=%s: it may be err, warning, notice, info or debug.", value);
                return 1;
        }
        return fail(parser, "unknown setting %s: landlockd.conf(5) lists those there are.", key);
}

static char *read_line(char *buffer, int size, void *userdata) {
        Parser *parser = userdata;

        parser->line++;
        return fgets(buffer, size, parser->file);
}

static int load_file(Config *config, const char *path, char *error, size_t error_size) {
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        Parser parser = { .config = config, .path = path, .file = file, .error = error, .error_size = error_size };
        int r;

        if (!file) {
                r = -errno;
                snprintf(error, error_size, "Cannot read the configuration file %s: %s.", path, strerror(-r));
                return r;
        }

        r = ini_parse_stream(read_line, &parser, on_line, &parser);
        if (r != 0 && parser.code == 0) {
                parser.line = MAX(r, 0);
                fail(&parser, "this is neither a [section] nor KEY=VALUE.");
        }
        return parser.code;
}

static int load_drop_ins(Config *config, const char *path, char *error, size_t error_size) {
        _cleanup_free_ char *pattern = NULL;
        glob_t found = {};
        int r;

        if (asprintf(&pattern, "%s.d/*.conf", path) < 0)
                return -ENOMEM;

        /* glob() sorts; no match is no error. */
        r = glob(pattern, 0, NULL, &found) == GLOB_NOSPACE ? -ENOMEM : 0;
        for (size_t i = 0; r >= 0 && i < found.gl_pathc; i++)
                r = load_file(config, found.gl_pathv[i], error, error_size);
        globfree(&found);
        return r;
}

int config_load(Config *config, const char *path, char *error, size_t error_size) {
        int r;

        if (path || access(CONFIG_FILE_DEFAULT, F_OK) >= 0) {
                r = load_file(config, path ?: CONFIG_FILE_DEFAULT, error, error_size);
                if (r < 0)
                        return r;
        }
        return load_drop_ins(config, path ?: CONFIG_FILE_DEFAULT, error, error_size);
}

static uint64_t size_of(const Config *config, size_t row) {
        return *(const uint64_t *) ((const char *) config + sizes[row].offset);
}

void config_compare(const Config *a, const Config *b, void (*fn)(void *userdata, const char *key), void *userdata) {
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
                if (size_of(a, i) != size_of(b, i))
                        fn(userdata, sizes[i].key);
        if (a->audit != b->audit)
                fn(userdata, "Audit");
        if (a->trace != b->trace)
                fn(userdata, "Trace");
        if (a->bpf != b->bpf)
                fn(userdata, "Bpf");
        if (a->unprivileged_access != b->unprivileged_access)
                fn(userdata, "UnprivilegedAccess");
        if (strcmp(a->trace_instance, b->trace_instance) != 0)
                fn(userdata, "TraceInstance");
        if (a->log_priority != b->log_priority)
                fn(userdata, "LogLevel");
}
