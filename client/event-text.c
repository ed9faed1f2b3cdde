/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/event-text.h"

#include <string.h>
#include <time.h>

#include "client/memory.h"

static char *time_text(const json_t *time, int n_fraction) {
        const char *text = json_string_value(time), *end;
        struct tm tm = {};
        char local[sizeof("2026-11-22 00:28:34")];
        time_t seconds;

        if (!text)
                return NULL;
        end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
        if (!end || strlen(end) != strlen(".891000Z") || end[0] != '.' || end[7] != 'Z')
                return check_memory(strdup(text));

        seconds = timegm(&tm);
        if (!localtime_r(&seconds, &tm) || strftime(local, sizeof(local), "%Y-%m-%d %H:%M:%S", &tm) == 0)
                return check_memory(strdup(text));
        return format_text("%s%.*s", local, n_fraction, end);
}

char *event_text_time(const json_t *time) {
        return time_text(time, 0);
}

char *event_text_time_exact(const json_t *time) {
        return time_text(time, strlen(".891"));
}

char *event_text_process(const json_t *process) {
        const char *comm = json_get_text(process, "comm");
        const json_t *pid = json_object_get(process, "pid");

        if (json_is_integer(pid))
                return format_text("%s[%" JSON_INTEGER_FORMAT "]", comm ?: "?", json_integer_value(pid));
        return comm ? check_memory(strdup(comm)) : NULL;
}

char *event_text_names(const json_t *list) {
        char *text = NULL;
        json_t *name;
        size_t i;

        json_array_foreach((json_t *) list, i, name) {
                char *longer = format_text("%s%s%s", text ?: "", text ? "," : "", json_string_value(name) ?: "?");

                free(text);
                text = longer;
        }
        return text;
}

static char *file_text(const json_t *object) {
        const char *name = json_get_text(object, "path") ?: json_get_text(object, "name");
        const char *ioctl = json_get_text(object, "ioctl_cmd");
        const char *dev = json_get_text(object, "dev") ?: json_get_text(object, "dev_number");
        const json_t *ino = json_object_get(object, "ino");

        if (name && ioctl)
                return format_text("%s (ioctl %s)", name, ioctl);
        if (name && (json_get_text(object, "path") || !dev))
                return check_memory(strdup(name));
        if (json_is_integer(ino))
                return format_text("%s (inode %" JSON_INTEGER_FORMAT " on %s)", name ?: "?", json_integer_value(ino),
                                   dev ?: "?");
        return name || dev ? format_text("%s (on %s)", name ?: "?", dev ?: "?") : NULL;
}

/* "127.0.0.1:80", "[::1]:80", "*:80" */
static char *endpoint_text(const json_t *endpoint) {
        const char *address = json_get_text(endpoint, "address");
        const json_t *port = json_object_get(endpoint, "port");
        bool colons = address && strchr(address, ':');

        if (!json_is_integer(port))
                return address ? check_memory(strdup(address)) : NULL;
        return format_text("%s%s%s:%" JSON_INTEGER_FORMAT, colons ? "[" : "", address ?: "*", colons ? "]" : "",
                           json_integer_value(port));
}

static char *network_text(const json_t *object) {
        _cleanup_free_ char *local = endpoint_text(json_object_get(object, "local"));
        _cleanup_free_ char *remote = endpoint_text(json_object_get(object, "remote"));
        const char *interface = json_get_text(object, "interface");

        if (!local && !remote)
                return interface ? check_memory(strdup(interface)) : NULL;
        return format_text("%s%s%s%s%s", local ?: "", local && remote ? " -> " : "", remote ?: "",
                           interface ? " on " : "", interface ?: "");
}

/* An abstract name begins with a NUL, written "@" as everywhere else. */
static char *socket_text(const json_t *object) {
        const char *path = json_get_text(object, "path"), *nul = "\\x00";

        if (!path)
                return NULL;
        if (strncmp(path, nul, strlen(nul)) == 0)
                return format_text("@%s", path + strlen(nul));
        return check_memory(strdup(path));
}

char *event_text_object(const json_t *object) {
        const char *kind = json_get_text(object, "kind") ?: "";

        if (strcmp(kind, "file") == 0)
                return file_text(object);
        if (strcmp(kind, "network") == 0)
                return network_text(object);
        if (strcmp(kind, "socket") == 0)
                return socket_text(object);
        if (strcmp(kind, "process") == 0)
                return event_text_process(object);
        return NULL;
}

char *event_text_rule(const json_t *rule) {
        const json_t *port = json_object_get(rule, "port");

        if (json_is_integer(port))
                return format_text("port %" JSON_INTEGER_FORMAT, json_integer_value(port));
        return file_text(rule);
}

char *event_text_denials(const json_t *domain, Style *ret_style) {
        const json_t *denials = json_object_get(domain, "denials");
        json_int_t seen = json_get_number(denials, "seen"), kernel = json_get_number(denials, "kernel");
        Style style = kernel > seen ? STYLE_WARNING : STYLE_NONE;

        if (ret_style)
                *ret_style = style;
        if (!json_is_integer(json_object_get(denials, "seen")))
                return NULL;
        if (kernel > seen)
                return format_text("%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT, seen, kernel);
        return format_text("%" JSON_INTEGER_FORMAT, seen);
}

static char *denial_message(const json_t *event) {
        _cleanup_free_ char *process = event_text_process(json_object_get(event, "subject"));
        _cleanup_free_ char *names = event_text_names(json_object_get(event, "blockers"));
        _cleanup_free_ char *object = event_text_object(json_object_get(event, "object"));
        json_int_t count = json_get_number(event, "count");
        _cleanup_free_ char *times =
                count > 1 ? format_text(" (%" JSON_INTEGER_FORMAT " times)", count) : check_memory(strdup(""));
        bool incomplete = json_is_true(json_object_get(event, "incomplete"));

        return format_text("%s %s %s%s%s", process ?: "?", names ?: "?", object ?: "-", times,
                           incomplete ? " (parts of the record are missing)" : "");
}

static char *creator_text(const json_t *event) {
        const json_t *creator = json_object_get(event, "creator"), *uid = json_object_get(creator, "uid");
        _cleanup_free_ char *process = event_text_process(creator);
        const char *exe = json_get_text(creator, "exe");
        _cleanup_free_ char *user = json_is_integer(uid)
                ? format_text(" of uid %" JSON_INTEGER_FORMAT, json_integer_value(uid))
                : check_memory(strdup(""));

        if (!process && !exe)
                return check_memory(strdup("maker unknown"));
        return format_text("made by %s%s%s%s%s", process ?: exe, user, process && exe ? " (" : "",
                           process && exe ? exe : "", process && exe ? ")" : "");
}

static char *domain_message(const json_t *event, Style *ret_style) {
        const char *change = json_get_text(event, "change") ?: json_get_text(event, "state") ?: "?";
        _cleanup_free_ char *denials = event_text_denials(event, ret_style);
        _cleanup_free_ char *creator = NULL;

        if (strcmp(change, "freed") == 0)
                return format_text("freed; denials seen: %s", denials ?: "?");
        if (strcmp(change, "evicted") == 0)
                return check_memory(strdup("forgotten: landlockd's table is full"));

        creator = creator_text(event);
        if (json_get_text(event, "change"))
                return format_text("%s, %s", change, creator);
        return format_text("%s, %s; denials seen: %s", change, creator, denials ?: "?");
}

static char *process_message(const json_t *event) {
        _cleanup_free_ char *process = event_text_process(event);
        const char *exe = json_get_text(event, "exe"), *change = json_get_text(event, "change");

        return format_text("%s%s%s%s%s (known: %s)", change ?: "", change ? ": " : "", process ?: "?", exe ? " " : "",
                           exe ?: "", json_get_text(event, "known") ?: "?");
}

char *event_text_handled(const json_t *handled) {
        static const char *const classes[] = { "fs", "net", "scope" };
        _cleanup_(json_decrefp) json_t *all = check_memory(json_array());

        for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
                if (json_array_extend(all, json_object_get(handled, classes[i])) < 0 &&
                    json_is_array(json_object_get(handled, classes[i])))
                        out_of_memory();
        return event_text_names(all);
}

static char *ruleset_message(const json_t *event) {
        const json_t *rules = json_object_get(event, "rules"), *rule = json_array_get(rules, 0);
        const char *change = json_get_text(event, "change") ?: "";
        _cleanup_free_ char *handled = event_text_handled(json_object_get(event, "handled"));

        if (strcmp(change, "rule-added") == 0) {
                _cleanup_free_ char *object = event_text_rule(rule);
                _cleanup_free_ char *access = event_text_names(json_object_get(rule, "access"));

                return format_text("rule %" JSON_INTEGER_FORMAT " added: %s %s", json_get_number(rule, "version"),
                                   object ?: "?", access ?: "-");
        }
        if (strcmp(change, "freed") == 0)
                return format_text("freed; rules: %" JSON_INTEGER_FORMAT, json_get_number(event, "rules_total"));
        return format_text("%s%shandles %s; rules: %" JSON_INTEGER_FORMAT, change, *change ? ", " : "",
                           handled ?: "?", json_get_number(event, "rules_total"));
}

static char *lost_message(const json_t *event) {
        _cleanup_free_ char *since = event_text_time_exact(json_object_get(event, "since"));
        _cleanup_free_ char *until = event_text_time_exact(json_object_get(event, "until"));
        const json_t *count = json_object_get(event, "count");
        _cleanup_free_ char *number = json_is_integer(count)
                ? format_text("%" JSON_INTEGER_FORMAT, json_integer_value(count))
                : check_memory(strdup("an unknown number of"));

        if (strcmp(json_get_text(event, "cause") ?: "", "missed") == 0)
                return format_text("%s denials and changes of domains were not told: there were too many at once, or this "
                                   "was read too slowly", number);
        return format_text("%s: %s %s lost (%s)%s%s%s%s", json_get_text(event, "source") ?: "?", number,
                           json_get_text(event, "unit") ?: "events", json_get_text(event, "cause") ?: "cause unknown",
                           since ? " from " : "", since ?: "", until ? " to " : "", until ?: "");
}

static json_int_t repaired(const json_t *event, const char *what, const char *how) {
        return json_integer_value(json_object_get(json_object_get(event, what), how));
}

static char *reconciled_message(const json_t *event) {
        return format_text("reconciled with the kernel: domains +%" JSON_INTEGER_FORMAT " -%" JSON_INTEGER_FORMAT
                           ", processes +%" JSON_INTEGER_FORMAT " -%" JSON_INTEGER_FORMAT,
                           repaired(event, "domains", "added"), repaired(event, "domains", "removed"),
                           repaired(event, "processes", "added"), repaired(event, "processes", "removed"));
}

/* The sources are what decides what can be seen at all. */
static char *hello_message(const json_t *event) {
        const json_t *abi = json_object_get(json_object_get(event, "landlock"), "abi");
        const char *version = json_get_text(event, "version") ?: "?";
        char *text = json_is_integer(abi)
                ? format_text("landlockd %s, Landlock ABI %" JSON_INTEGER_FORMAT, version, json_integer_value(abi))
                : format_text("landlockd %s, Landlock ABI unknown", version);
        json_t *source;
        size_t i;

        json_array_foreach(json_object_get(event, "sources"), i, source) {
                const char *reason = json_get_text(source, "reason");
                char *longer = format_text("%s; %s %s%s%s%s", text, json_get_text(source, "name") ?: "?",
                                           json_get_text(source, "state") ?: "?", reason && *reason ? " (" : "",
                                           reason ?: "", reason && *reason ? ")" : "");

                free(text);
                text = longer;
        }
        return text;
}

char *event_text_message(const json_t *event, Style *ret_style) {
        const char *type = json_get_text(event, "type") ?: "";

        *ret_style = STYLE_NONE;
        if (strcmp(type, "denial") == 0) {
                *ret_style = STYLE_WARNING;
                return denial_message(event);
        }
        if (strcmp(type, "lost") == 0) {
                *ret_style = STYLE_BAD;
                return lost_message(event);
        }
        if (strcmp(type, "reconciled") == 0)
                return reconciled_message(event);
        if (strcmp(type, "domain") == 0)
                return domain_message(event, ret_style);
        if (strcmp(type, "process") == 0)
                return process_message(event);
        if (strcmp(type, "ruleset") == 0)
                return ruleset_message(event);
        if (strcmp(type, "hello") == 0) {
                *ret_style = STYLE_DIM;
                return hello_message(event);
        }
        /* Of a newer landlockd: shown as it is, not dropped. */
        return check_memory(json_dumps(event, JSON_COMPACT));
}

void event_text_print(const json_t *event) {
        Style style;
        _cleanup_free_ char *time = event_text_time_exact(json_object_get(event, "time"));
        _cleanup_free_ char *message = event_text_message(event, &style);
        _cleanup_free_ char *clean_time = output_clean(time), *clean_type = output_clean(json_get_text(event, "type"));
        const char *id = json_get_text(event, "domain") ?: json_get_text(event, "ruleset");
        _cleanup_free_ char *clean_id = output_clean(id);
        _cleanup_free_ char *clean = output_clean(message);

        printf("%-23s %s%-7s%s %-9s %s\n", clean_time, output_style(style), clean_type, output_style_end(style),
               clean_id, clean);
}
