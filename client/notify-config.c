/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/notify-config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/text.h"
#include "client/memory.h"

typedef enum Section {
        SECTION_NONE,
        SECTION_NOTIFY,
        SECTION_IGNORE,
} Section;

typedef struct Parser {
        NotifyConfig *config;
        unsigned line;
        Section section;
        NotifyRule rule; /* of the section being read */
        bool broken;     /* so it is left out */
} Parser;

static void _printf_(2, 3) complain(Parser *parser, const char *format, ...) {
        _cleanup_free_ char *message = NULL;
        va_list args;

        va_start(args, format);
        message = format_text_va(format, args);
        va_end(args);
        log_warning("%s:%u: %s", parser->config->path, parser->line, message);
        parser->broken = true;
}

static void end_section(Parser *parser) {
        if (parser->section == SECTION_IGNORE && !parser->broken) {
                if (!notify_rule_valid(&parser->rule))
                        complain(parser, "[Ignore] ends here and names nothing: Exe=, Blocker= or Object= is missing.");
                else if (!notify_rules_add(&parser->config->ignore, &parser->rule))
                        complain(parser, "more than %u times [Ignore]: this one is left out.", NOTIFY_RULES_MAX);
        }
        notify_rule_clear(&parser->rule);
        parser->section = SECTION_NONE;
        parser->broken = false;
}

static void begin_section(Parser *parser, const char *header) {
        end_section(parser);
        if (strcmp(header, "[Notify]") == 0)
                parser->section = SECTION_NOTIFY;
        else if (strcmp(header, "[Ignore]") == 0)
                parser->section = SECTION_IGNORE;
        else
                complain(parser, "%s is neither [Notify] nor [Ignore].", header);
}

static void set_number(Parser *parser, const char *value) {
        uint64_t n;

        if (text_parse_u64(text_from_string(value), 10, &n) < 0 || n < 1 || n > NOTIFY_PER_MINUTE_MAX)
                complain(parser, "MaxPerMinute=%s: it may be 1 to %u.", value, NOTIFY_PER_MINUTE_MAX);
        else
                parser->config->max_per_minute = n;
}

static void set_pattern(Parser *parser, char **pattern, const char *value) {
        if (*pattern)
                complain(parser, "this is there already: each [Ignore] is one rule.");
        else
                *pattern = check_memory(strdup(value));
}

static void parse_setting(Parser *parser, const char *key, const char *value) {
        if (parser->section == SECTION_NOTIFY && strcmp(key, "MaxPerMinute") == 0)
                set_number(parser, value);
        else if (parser->section == SECTION_IGNORE && strcmp(key, "Exe") == 0)
                set_pattern(parser, &parser->rule.exe, value);
        else if (parser->section == SECTION_IGNORE && strcmp(key, "Blocker") == 0)
                set_pattern(parser, &parser->rule.blockers, value);
        else if (parser->section == SECTION_IGNORE && strcmp(key, "Object") == 0)
                set_pattern(parser, &parser->rule.object, value);
        else if (!parser->broken)
                complain(parser, "there is no setting %s in this section.", key);
}

static char *strip(char *text) {
        char *end = text + strlen(text);

        while (end > text && strchr(" \t\r\n", end[-1]))
                *--end = '\0';
        return text + strspn(text, " \t");
}

static void parse_line(Parser *parser, char *line) {
        char *equals;

        parser->line++;
        line = strip(line);
        if (*line == '\0' || *line == '#' || *line == ';')
                return;
        if (*line == '[') {
                begin_section(parser, line);
                return;
        }
        equals = strchr(line, '=');
        if (!equals) {
                complain(parser, "this is neither [Section] nor KEY=VALUE.");
                return;
        }
        *equals = '\0';
        parse_setting(parser, strip(line), strip(equals + 1));
}

static void parse(NotifyConfig *config, char *content) {
        Parser parser = { .config = config };

        config->max_per_minute = NOTIFY_PER_MINUTE_DEFAULT;
        notify_rules_clear(&config->ignore);
        for (char *line; (line = strsep(&content, "\n"));)
                parse_line(&parser, line);
        end_section(&parser);
}

/* The whole file as a string; "" and all 0 if there is none. */
static int read_file(const char *path, char **ret, NotifyConfigFile *ret_file) {
        _cleanup_free_ char *content = check_memory(calloc(1, NOTIFY_CONFIG_SIZE_MAX + 1));
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        struct stat st = {};
        ssize_t n;

        if (fd < 0 && errno != ENOENT)
                return -errno;
        if (fd >= 0) {
                if (fstat(fd, &st) < 0)
                        return -errno;
                if (!S_ISREG(st.st_mode))
                        return -EINVAL;
                if (st.st_size > NOTIFY_CONFIG_SIZE_MAX)
                        return -EFBIG;
                n = read(fd, content, st.st_size);
                if (n != st.st_size)
                        return n < 0 ? -errno : -EAGAIN; /* it is being written */
        }
        *ret_file = (NotifyConfigFile) { st.st_ino, st.st_size, st.st_mtim };
        *ret = TAKE_PTR(content);
        return 0;
}

static bool changed(const NotifyConfig *config) {
        const NotifyConfigFile *file = &config->file;
        struct stat st = {};

        if (stat(config->path, &st) < 0 && errno != ENOENT)
                return false;
        return st.st_ino != file->ino || (uint64_t) st.st_size != file->size ||
               st.st_mtim.tv_sec != file->modified.tv_sec || st.st_mtim.tv_nsec != file->modified.tv_nsec;
}

static int load(NotifyConfig *config) {
        _cleanup_free_ char *content = NULL;
        int r;

        r = read_file(config->path, &content, &config->file);
        if (r < 0)
                return log_error(r, "Cannot read %s: %m. The settings stay as they are.", config->path);
        parse(config, content);
        return 0;
}

void notify_config_refresh(NotifyConfig *config) {
        if (changed(config))
                (void) load(config);
}

static char *default_path(void) {
        const char *config_home = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

        if (config_home && *config_home == '/')
                return format_text("%s/landlockd/notify.conf", config_home);
        return home && *home == '/' ? format_text("%s/.config/landlockd/notify.conf", home) : NULL;
}

int notify_config_init(NotifyConfig *config, const char *path) {
        *config = (NotifyConfig) { .path = path ? check_memory(strdup(path)) : default_path(),
                                   .max_per_minute = NOTIFY_PER_MINUTE_DEFAULT };
        if (!config->path)
                return log_error(ENOENT, "There is no home directory to keep settings in: HOME is not set.");
        (void) load(config);
        return 0;
}

void notify_config_clear(NotifyConfig *config) {
        notify_rules_clear(&config->ignore);
        free(config->path);
        *config = (NotifyConfig) {};
}

static int make_parents(const char *path) {
        _cleanup_free_ char *copy = check_memory(strdup(path));

        for (char *slash = copy; (slash = strchr(slash + 1, '/'));) {
                *slash = '\0';
                if (mkdir(copy, 0700) < 0 && errno != EEXIST)
                        return -errno;
                *slash = '/';
        }
        return 0;
}

static int write_all(int fd, const char *content) {
        for (size_t n_left = strlen(content); n_left > 0;) {
                ssize_t n = write(fd, content, n_left);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                content += n;
                n_left -= n;
        }
        return fsync(fd) < 0 ? -errno : 0;
}

/* A file that is a link to where its owner keeps such files remains one. */
static int replace_file(const char *path, const char *content) {
        _cleanup_free_ char *real = realpath(path, NULL), *temporary = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

        if (!real)
                real = check_memory(strdup(path));
        temporary = format_text("%s.XXXXXX", real);
        fd = mkostemp(temporary, O_CLOEXEC);
        if (fd < 0)
                return -errno;

        r = write_all(fd, content);
        if (r >= 0 && stat(real, &st) >= 0 && fchmod(fd, st.st_mode & 0777) < 0)
                r = -errno;
        if (r >= 0 && rename(temporary, real) < 0)
                r = -errno;
        if (r < 0)
                unlink(temporary);
        return r;
}

static char *append_rule(char *content, const NotifyRule *rule) {
        _cleanup_free_ char *before = content;
        size_t len = strlen(before);

        return format_text("%s%s%s[Ignore]\n%s%s%s%s%s%s%s%s%s", before, len > 0 && before[len - 1] != '\n' ? "\n" : "",
                           len > 0 ? "\n" : "",
                           rule->exe ? "Exe=" : "", rule->exe ?: "", rule->exe ? "\n" : "",
                           rule->blockers ? "Blocker=" : "", rule->blockers ?: "", rule->blockers ? "\n" : "",
                           rule->object ? "Object=" : "", rule->object ?: "", rule->object ? "\n" : "");
}

int notify_config_add(NotifyConfig *config, const NotifyRule *rules, size_t n_rules) {
        _cleanup_free_ char *content = NULL;
        NotifyConfigFile file;
        int r;

        r = read_file(config->path, &content, &file);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_rules; i++)
                content = append_rule(content, &rules[i]);
        if (strlen(content) > NOTIFY_CONFIG_SIZE_MAX || config->ignore.n + n_rules > NOTIFY_RULES_MAX)
                return -EFBIG;

        r = make_parents(config->path);
        if (r >= 0)
                r = replace_file(config->path, content);
        return r < 0 ? r : load(config);
}
