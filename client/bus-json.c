/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/bus-json.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/host.h"
#include "client/clean-text.h"
#include "client/memory.h"

static json_t *new_text(const char *text) {
        _cleanup_free_ char *clean = clean_text(text_from_string(text), false);

        return check_memory(json_string(clean));
}

/* jansson's integers are signed. What lies above them is an inode number of an exotic file system; it keeps its
 * size, if not its last digits. */
static json_t *new_u64(uint64_t value) {
        return check_memory(value > INT64_MAX ? json_real((double) value) : json_integer((json_int_t) value));
}

static int read_value(sd_bus_message *m, json_t **ret);

static int read_basic(sd_bus_message *m, char type, json_t **ret) {
        union {
                uint8_t y;
                int b;
                int16_t n;
                uint16_t q;
                int32_t i;
                uint32_t u;
                int64_t x;
                uint64_t t;
                double d;
                const char *s;
        } value;
        int r;

        r = sd_bus_message_read_basic(m, type, &value);
        if (r < 0)
                return r;

        switch (type) {
        case SD_BUS_TYPE_BYTE:
                *ret = new_u64(value.y);
                return 1;
        case SD_BUS_TYPE_BOOLEAN:
                *ret = json_boolean(value.b);
                return 1;
        case SD_BUS_TYPE_INT16:
                *ret = check_memory(json_integer(value.n));
                return 1;
        case SD_BUS_TYPE_UINT16:
                *ret = new_u64(value.q);
                return 1;
        case SD_BUS_TYPE_INT32:
                *ret = check_memory(json_integer(value.i));
                return 1;
        case SD_BUS_TYPE_UINT32:
                *ret = new_u64(value.u);
                return 1;
        case SD_BUS_TYPE_INT64:
                *ret = check_memory(json_integer(value.x));
                return 1;
        case SD_BUS_TYPE_UINT64:
                *ret = new_u64(value.t);
                return 1;
        case SD_BUS_TYPE_DOUBLE:
                *ret = json_real(value.d);
                return *ret ? 1 : -EBADMSG; /* JSON has no infinity */
        case SD_BUS_TYPE_STRING:
        case SD_BUS_TYPE_OBJECT_PATH:
        case SD_BUS_TYPE_SIGNATURE:
                *ret = new_text(value.s);
                return 1;
        default:
                return -EBADMSG;
        }
}

/* "at" is what a register held, not a number to count with: hex. */
static int read_words(sd_bus_message *m, json_t *list) {
        char word[DOMAIN_ID_TEXT_SIZE];
        uint64_t value;
        int r;

        while ((r = sd_bus_message_read_basic(m, 't', &value)) > 0) {
                host_format_domain(value, word);
                json_add(list, json_string(word));
        }
        return r;
}

static int read_list(sd_bus_message *m, json_t *list) {
        json_t *value;
        int r;

        while ((r = read_value(m, &value)) > 0)
                json_add(list, value);
        return r;
}

static int read_entry(sd_bus_message *m, json_t *object) {
        _cleanup_free_ char *name = NULL;
        const char *key;
        json_t *value;
        int r;

        r = sd_bus_message_read_basic(m, 's', &key);
        if (r < 0)
                return r;
        name = clean_text(text_from_string(key), false);
        r = read_value(m, &value);
        if (r <= 0)
                return r < 0 ? r : -EBADMSG;
        json_put(object, name, value);
        return 1;
}

static int read_entries(sd_bus_message *m, const char *contents, json_t *object) {
        _cleanup_free_ char *entry = check_memory(strndup(contents + 1, strlen(contents) - 2));
        int r;

        while ((r = sd_bus_message_enter_container(m, 'e', entry)) > 0) {
                r = read_entry(m, object);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r;
}

/* Borrows the container's contents from the message, so it must be entered before they are read. */
static int read_container(sd_bus_message *m, char type, const char *contents, json_t **ret) {
        bool map = type == 'a' && contents[0] == '{';
        _cleanup_(json_decrefp) json_t *value = check_memory(map ? json_object() : json_array());
        int r;

        r = sd_bus_message_enter_container(m, type, contents);
        if (r < 0)
                return r;
        if (map)
                r = read_entries(m, contents, value);
        else if (type == 'a' && strcmp(contents, "t") == 0)
                r = read_words(m, value);
        else
                r = read_list(m, value);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(value);
        return 1;
}

static int read_variant(sd_bus_message *m, const char *contents, json_t **ret) {
        _cleanup_(json_decrefp) json_t *value = NULL;
        int r;

        r = sd_bus_message_enter_container(m, 'v', contents);
        if (r < 0)
                return r;
        r = read_value(m, &value);
        if (r <= 0)
                return r < 0 ? r : -EBADMSG;
        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(value);
        return 1;
}

/* Returns 1, 0 at the end of the container, or -errno. How deep values nest is limited by sd-bus. */
static int read_value(sd_bus_message *m, json_t **ret) {
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r <= 0)
                return r;

        switch (type) {
        case SD_BUS_TYPE_ARRAY:
        case SD_BUS_TYPE_STRUCT:
                return read_container(m, type, contents, ret);
        case SD_BUS_TYPE_VARIANT:
                return read_variant(m, contents, ret);
        default:
                return read_basic(m, type, ret);
        }
}

int bus_json_read(sd_bus_message *m, json_t **ret) {
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r <= 0)
                return r;
        if (type != 'a' || strncmp(contents, "{s", 2) != 0)
                return -EBADMSG;
        return read_container(m, type, contents, ret);
}

/* How a property's value is written as a member. NULL: not of the right type. */
typedef json_t *(*Convert)(const json_t *value);

static json_t *copy(const json_t *value) {
        return check_memory(json_deep_copy(value));
}

static json_t *convert_time(const json_t *value) {
        char text[CLOCK_FORMAT_SIZE];

        if (!json_is_integer(value))
                return NULL;
        clock_format_rfc3339(json_integer_value(value), text);
        return check_memory(json_string(text));
}

static json_t *convert_text(const json_t *value) {
        return json_is_string(value) ? copy(value) : NULL;
}

/* Where nothing can be absent, "" and 0 stand for what is not known. */
static json_t *convert_known_text(const json_t *value) {
        return json_string_length(value) > 0 ? copy(value) : NULL;
}

static json_t *convert_known_number(const json_t *value) {
        return json_number_value(value) > 0 ? copy(value) : NULL;
}

static json_t *convert_number(const json_t *value) {
        return json_is_number(value) ? copy(value) : NULL;
}

static json_t *convert_list(const json_t *value) {
        return json_is_array(value) ? copy(value) : NULL;
}

static json_t *convert_object(const json_t *value) {
        return json_is_object(value) ? copy(value) : NULL;
}

static json_t *convert_true(const json_t *value) {
        return json_is_true(value) ? copy(value) : NULL;
}

static void convert_member(json_t *object, const char *member, Convert convert) {
        json_t *value = json_object_get(object, member), *converted;

        if (!value)
                return;
        converted = convert(value);
        if (converted)
                json_put(object, member, converted);
        else
                json_object_del(object, member);
}

static json_t *convert_hex_0x(const json_t *value) {
        char text[sizeof("0x") + 16];

        if (!json_is_integer(value))
                return NULL;
        snprintf(text, sizeof(text), "0x%" PRIx64, (uint64_t) json_integer_value(value));
        return check_memory(json_string(text));
}

/* "0100644" */
static json_t *convert_mode(const json_t *value) {
        char text[32];

        if (!json_is_integer(value))
                return NULL;
        snprintf(text, sizeof(text), "0%" PRIo64, (uint64_t) json_integer_value(value));
        return check_memory(json_string(text));
}

static json_t *convert_bool(const json_t *value) {
        return json_is_boolean(value) ? copy(value) : NULL;
}

/* Of a domain; 0 is none. */
static json_t *convert_id(const json_t *value) {
        char hex[DOMAIN_ID_TEXT_SIZE];

        if (!json_is_integer(value) || json_integer_value(value) == 0)
                return NULL;
        host_format_domain(json_integer_value(value), hex);
        return check_memory(json_string(hex));
}

static json_t *convert_no_id(const json_t *value) {
        return json_is_integer(value) && json_integer_value(value) == 0 ? json_true() : NULL;
}

/* The objects of domains as their IDs. */
static json_t *convert_paths_to_ids(const json_t *value) {
        json_t *list, *path;
        size_t i;

        if (!json_is_array(value))
                return NULL;
        list = check_memory(json_array());
        json_array_foreach((json_t *) value, i, path) {
                const char *text = json_string_value(path), *id = text ? strrchr(text, '_') : NULL;

                if (id)
                        json_add(list, json_string(id + 1));
        }
        return list;
}

static json_t *convert_denied_object(const json_t *value) {
        json_t *object = convert_object(value);
        bool outside;

        if (!object)
                return NULL;
        convert_member(object, "ioctl_cmd", convert_hex_0x);
        outside = convert_no_id(json_object_get(object, "domain"));
        convert_member(object, "domain", convert_id);
        if (outside)
                json_put(object, "outside", json_true());
        return object;
}

static json_t *convert_paths(const json_t *value) {
        json_t *paths = convert_list(value), *path;
        size_t i;

        json_array_foreach(paths, i, path)
                if (json_is_object(path))
                        convert_member(path, "mode", convert_mode);
        return paths;
}

/* Each struct of the list as an object. */
static json_t *convert_structs(const json_t *value, const char *const *members, const Convert *converts, size_t n) {
        json_t *list, *item;
        size_t i;

        if (!json_is_array(value))
                return NULL;
        list = check_memory(json_array());
        json_array_foreach(value, i, item) {
                json_t *object = check_memory(json_object());

                for (size_t field = 0; field < n; field++) {
                        json_t *converted = converts[field](json_array_get(item, field));

                        if (converted)
                                json_put(object, members[field], converted);
                }
                json_add(list, object);
        }
        return list;
}

static json_t *convert_processes(const json_t *value) {
        static const char *const members[] = { "pid", "comm", "known", "last_seen" };
        static const Convert converts[] = { convert_number, convert_known_text, convert_text, convert_time };

        return convert_structs(value, members, converts, ARRAY_SIZE(members));
}

static json_t *convert_threads(const json_t *value) {
        static const char *const members[] = { "tid", "domain" };
        static const Convert converts[] = { convert_number, convert_id };

        return convert_structs(value, members, converts, ARRAY_SIZE(members));
}

static json_t *convert_sources(const json_t *value) {
        static const char *const members[] = { "name", "state", "reason" };
        static const Convert converts[] = { convert_text, convert_text, convert_known_text };

        return convert_structs(value, members, converts, ARRAY_SIZE(members));
}

/* A property becomes the member, of the object `group` where there is one. */
typedef struct Member {
        const char *property, *group, *member;
        Convert convert;
} Member;

static json_t *get_group(json_t *object, const char *group) {
        if (!group)
                return object;
        if (!json_object_get(object, group))
                json_put(object, group, json_object());
        return json_object_get(object, group);
}

static void convert_members(json_t *object, const json_t *properties, const Member *members, size_t n) {
        for (size_t i = 0; i < n; i++) {
                const json_t *value = json_object_get(properties, members[i].property);
                json_t *converted = value ? members[i].convert(value) : NULL;

                if (converted)
                        json_put(get_group(object, members[i].group), members[i].member, converted);
        }
}

json_t *bus_json_domain(const json_t *properties) {
        static const Member members[] = {
                { "HexID", NULL, "domain", convert_text },
                { "UUID", NULL, "domain_uuid", convert_text },
                { "State", NULL, "state", convert_text },
                { "Mode", NULL, "mode", convert_text },
                { "Label", NULL, "label", convert_text },
                { "Parent", NULL, "parent", convert_id },
                { "Parent", NULL, "outermost", convert_no_id },
                { "Children", NULL, "children", convert_paths_to_ids },
                { "CreatorPID", "creator", "pid", convert_number },
                { "CreatorTID", "creator", "tid", convert_number },
                { "CreatorUID", "creator", "uid", convert_number },
                { "CreatorComm", "creator", "comm", convert_text },
                { "CreatorExe", "creator", "exe", convert_text },
                { "Ruleset", "ruleset", "id", convert_text },
                { "RulesetVersion", "ruleset", "version", convert_number },
                { "RulesCount", "ruleset", "rules", convert_number },
                { "RulesUnknown", "ruleset", "rules_unknown", convert_number },
                { "HandledAccessFS", "handled", "fs", convert_list },
                { "HandledAccessNet", "handled", "net", convert_list },
                { "Scoped", "handled", "scope", convert_list },
                { "Rules", NULL, "rules", convert_list },
                { "ProcessWide", "enforcement", "process_wide", convert_bool },
                { "NoNewPrivs", "enforcement", "no_new_privs", convert_bool },
                { "Created", NULL, "created", convert_time },
                { "FirstSeen", NULL, "first_seen", convert_time },
                { "LastSeen", NULL, "last_seen", convert_time },
                { "Freed", NULL, "freed", convert_time },
                { "DenialsSeen", "denials", "seen", convert_number },
                { "DenialsKernel", "denials", "kernel", convert_number },
                { "DenialsUnseen", "denials", "unseen", convert_number },
                { "Blockers", NULL, "blockers", convert_object },
                { "Processes", NULL, "processes", convert_processes },
                { "ProcessesCount", NULL, "processes_count", convert_number },
                { "ThreadsCount", NULL, "threads_count", convert_number },
                { "Origins", NULL, "origin", convert_list },
        };
        json_t *domain = check_memory(json_object());

        convert_members(domain, properties, members, ARRAY_SIZE(members));
        return domain;
}

json_t *bus_json_process(const json_t *properties) {
        static const Member members[] = {
                { "HexID", NULL, "domain", convert_text },
                { "UUID", NULL, "domain_uuid", convert_text },
                { "PID", NULL, "pid", convert_number },
                { "UID", NULL, "uid", convert_number },
                { "Comm", NULL, "comm", convert_text },
                { "Exe", NULL, "exe", convert_text },
                { "Known", NULL, "known", convert_text },
                { "ThreadsCount", NULL, "threads", convert_number },
                { "FirstSeen", NULL, "first_seen", convert_time },
                { "LastSeen", NULL, "last_seen", convert_time },
        };
        json_t *process = check_memory(json_object());

        convert_members(process, properties, members, ARRAY_SIZE(members));
        return process;
}

json_t *bus_json_denial(uint64_t cursor, const json_t *properties) {
        static const Member members[] = {
                { "Time", NULL, "time", convert_time },
                { "HexID", NULL, "domain", convert_text },
                { "UUID", NULL, "domain_uuid", convert_text },
                { "Count", NULL, "count", convert_known_number },
                { "Last", NULL, "last", convert_time },
                { "Blockers", NULL, "blockers", convert_list },
                { "Object", NULL, "object", convert_denied_object },
                { "Subject", NULL, "subject", convert_object },
                { "Syscall", NULL, "syscall", convert_object },
                { "Paths", NULL, "paths", convert_paths },
                { "PathsDropped", NULL, "paths_dropped", convert_number },
                { "Key", NULL, "key", convert_text },
                { "AuditSerial", NULL, "audit_serial", convert_number },
                { "SameExec", NULL, "same_exec", convert_bool },
                { "Logged", NULL, "logged", convert_bool },
                { "Incomplete", NULL, "incomplete", convert_true },
                { "Origins", NULL, "origin", convert_list },
        };
        json_t *denial = check_memory(json_object());

        json_put(denial, "denial", new_u64(cursor));
        convert_members(denial, properties, members, ARRAY_SIZE(members));
        return denial;
}

json_t *bus_json_lookup(const json_t *properties) {
        static const Member members[] = {
                { "PID", NULL, "pid", convert_number },
                { "StartTime", NULL, "started", convert_time },
                { "HexID", NULL, "domain", convert_text },
                { "Domain", NULL, "outside", convert_no_id },
                { "UUID", NULL, "domain_uuid", convert_text },
                { "NestedDomain", NULL, "nested_domain", convert_id },
                { "Known", NULL, "known", convert_text },
                { "Threads", NULL, "threads", convert_threads },
        };
        json_t *lookup = check_memory(json_object());

        convert_members(lookup, properties, members, ARRAY_SIZE(members));
        return lookup;
}

json_t *bus_json_status(const json_t *properties) {
        static const Member members[] = {
                { "Version", NULL, "version", convert_text },
                { "BootID", NULL, "boot_id", convert_known_text },
                { "MachineID", NULL, "machine_id", convert_known_text },
                { "Started", NULL, "started", convert_time },
                { "LandlockABI", "landlock", "abi", convert_known_number },
                { "LandlockErrata", "landlock", "errata", convert_number },
                { "Sources", NULL, "sources", convert_sources },
                { "Counters", NULL, "counters", convert_object },
                { "LiveDomains", "tables", "domains_live", convert_number },
                { "FreedDomains", "tables", "domains_freed", convert_number },
        };
        json_t *status = check_memory(json_object());

        convert_members(status, properties, members, ARRAY_SIZE(members));
        return status;
}
