/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/trace-event.h"

#define FIELD_SPELLINGS_MAX 3

static const struct {
        const char *spellings[FIELD_SPELLINGS_MAX]; /* the current one first */
        bool text;
        TraceEventField instead; /* of an older kernel: with it, nothing is missing */
} field_specs[FIELD_MAX] = {
        [FIELD_COMMON_FLAGS] = { .spellings = { "common_flags" } },
        [FIELD_COMMON_PID] = { .spellings = { "common_pid" } },
        [FIELD_DOMAIN] = { .spellings = { "domain_id" } },
        [FIELD_PARENT] = { .spellings = { "parent_id" } },
        [FIELD_RULESET] = { .spellings = { "ruleset_id" } },
        [FIELD_RULESET_VERSION] = { .spellings = { "ruleset_version" } },
        [FIELD_HANDLED_FS] = { .spellings = { "handled_fs" } },
        [FIELD_HANDLED_NET] = { .spellings = { "handled_net" } },
        [FIELD_SCOPED] = { .spellings = { "scoped" } },
        [FIELD_ACCESS_RIGHTS] = { .spellings = { "access_rights" } },
        [FIELD_DEV] = { .spellings = { "dev" } },
        [FIELD_INO] = { .spellings = { "ino" } },
        [FIELD_PATHNAME] = { .spellings = { "pathname" }, .text = true },
        [FIELD_PORT] = { .spellings = { "port" }, .instead = FIELD_DPORT },
        [FIELD_SPORT] = { .spellings = { "sport" } },
        [FIELD_DPORT] = { .spellings = { "dport" } },
        [FIELD_DENIALS] = { .spellings = { "denials" } },
        [FIELD_PROCESS_WIDE] = { .spellings = { "process_wide" } },
        [FIELD_NO_NEW_PRIVS] = { .spellings = { "no_new_privs" } },
        [FIELD_SAME_EXEC] = { .spellings = { "same_exec" } },
        [FIELD_LOGGED] = { .spellings = { "logged" }, .instead = FIELD_LOG_NEW_EXEC },
        [FIELD_LOG_SAME_EXEC] = { .spellings = { "log_same_exec" } },
        [FIELD_LOG_NEW_EXEC] = { .spellings = { "log_new_exec" } },
        [FIELD_BLOCKERS_TYPE] = { .spellings = { "blockers_type" } },
        [FIELD_BLOCKERS] = { .spellings = { "blockers_access", "blockers" } },
        [FIELD_OTHER_DOMAIN] = { .spellings = { "tracee_domain_id", "target_domain_id", "peer_domain_id" } },
        [FIELD_OTHER_PID] = { .spellings = { "tracee_pid", "target_pid", "peer_pid" } },
        [FIELD_OTHER_COMM] = { .spellings = { "tracee_comm", "target_comm", "comm" }, .text = true },
        [FIELD_SUN_PATH] = { .spellings = { "sun_path" }, .text = true },
        [FIELD_TID] = { .spellings = { "child_pid", "pid" } },
        [FIELD_OLD_TID] = { .spellings = { "old_pid" } },
        [FIELD_CLONE_FLAGS] = { .spellings = { "clone_flags" } },
        [FIELD_FILENAME] = { .spellings = { "filename" }, .text = true },
        [FIELD_RULESET_FD] = { .spellings = { "ruleset_fd" } },
        [FIELD_FLAGS] = { .spellings = { "flags" } },
        [FIELD_RETURNED] = { .spellings = { "ret" } },
};

#define LANDLOCK(name) { "landlock", "landlock_" name }
#define F(name) FIELD_BIT(name)
#define DENIAL_HAS (F(COMMON_FLAGS) | F(COMMON_PID) | F(SAME_EXEC) | F(LOGGED))
#define DENIAL_HAD (F(LOG_SAME_EXEC) | F(LOG_NEW_EXEC))

/* What include/trace/events/landlock.h, task.h and sched.h have, and had, and what CONFIG_FTRACE_SYSCALLS makes. */
const TraceEventSpec trace_event_specs[] = {
        [EVENT_CREATE_RULESET] = {
                .spellings = { LANDLOCK("create_ruleset") },
                .needs = F(RULESET) | F(HANDLED_FS) | F(HANDLED_NET) | F(SCOPED) | F(COMMON_PID),
                .lost = "rulesets",
        },
        [EVENT_ADD_RULE_PATH_BENEATH] = {
                .spellings = { LANDLOCK("add_rule_path_beneath"), LANDLOCK("add_rule_fs") },
                .needs = F(RULESET) | F(RULESET_VERSION) | F(ACCESS_RIGHTS),
                .has = F(DEV) | F(INO) | F(PATHNAME),
                .lost = "rules for paths",
        },
        [EVENT_ADD_RULE_NET_PORT] = {
                .spellings = { LANDLOCK("add_rule_net_port"), LANDLOCK("add_rule_net") },
                .needs = F(RULESET) | F(RULESET_VERSION) | F(ACCESS_RIGHTS) | F(PORT),
                .lost = "rules for ports",
        },
        [EVENT_FREE_RULESET] = {
                .spellings = { LANDLOCK("free_ruleset") },
                .needs = F(RULESET) | F(RULESET_VERSION),
                .lost = "the end of rulesets",
        },
        [EVENT_CREATE_DOMAIN] = {
                .spellings = { LANDLOCK("create_domain"), LANDLOCK("restrict_self") },
                .needs = F(DOMAIN) | F(PARENT) | F(RULESET) | F(RULESET_VERSION) | F(COMMON_PID),
                .tells_domains = true,
                .lost = "domains before their first logged denial",
        },
        [EVENT_ENFORCE_DOMAIN] = {
                .spellings = { LANDLOCK("enforce_domain") },
                .needs = F(DOMAIN) | F(PROCESS_WIDE) | F(NO_NEW_PRIVS) | F(COMMON_PID),
                .tells_domains = true,
                .lost = "which threads entered a domain",
        },
        [EVENT_FREE_DOMAIN] = {
                .spellings = { LANDLOCK("free_domain") },
                .needs = F(DOMAIN),
                .has = F(DENIALS),
                .lost = "the end of domains without a logged denial",
        },
        [EVENT_DENY_ACCESS_FS] = {
                .spellings = { LANDLOCK("deny_access_fs") },
                .needs = F(DOMAIN) | F(BLOCKERS),
                .has = DENIAL_HAS | F(DEV) | F(INO) | F(PATHNAME),
                .had = DENIAL_HAD | F(BLOCKERS_TYPE),
                .tells_denials = true,
                .lost = "file system denials that are not logged",
        },
        [EVENT_DENY_ACCESS_NET] = {
                .spellings = { LANDLOCK("deny_access_net") },
                .needs = F(DOMAIN) | F(BLOCKERS),
                .has = DENIAL_HAS | F(PORT),
                .had = DENIAL_HAD | F(BLOCKERS_TYPE) | F(SPORT) | F(DPORT),
                .tells_denials = true,
                .lost = "network denials that are not logged",
        },
        [EVENT_DENY_PTRACE] = {
                .spellings = { LANDLOCK("deny_ptrace") },
                .needs = F(DOMAIN),
                .has = DENIAL_HAS | F(OTHER_DOMAIN) | F(OTHER_PID) | F(OTHER_COMM),
                .had = DENIAL_HAD,
                .tells_denials = true,
                .lost = "ptrace denials that are not logged",
        },
        [EVENT_DENY_SCOPE_SIGNAL] = {
                .spellings = { LANDLOCK("deny_scope_signal") },
                .needs = F(DOMAIN),
                .has = DENIAL_HAS | F(OTHER_DOMAIN) | F(OTHER_PID) | F(OTHER_COMM),
                .had = DENIAL_HAD,
                .tells_denials = true,
                .lost = "signal denials that are not logged",
        },
        [EVENT_DENY_SCOPE_ABSTRACT_UNIX_SOCKET] = {
                .spellings = { LANDLOCK("deny_scope_abstract_unix_socket") },
                .needs = F(DOMAIN),
                .has = DENIAL_HAS | F(OTHER_DOMAIN) | F(OTHER_PID) | F(SUN_PATH),
                .had = DENIAL_HAD,
                .tells_denials = true,
                .lost = "abstract socket denials that are not logged",
        },
        [EVENT_RESTRICT_SELF_CALLED] = {
                .spellings = { { "syscalls", "sys_enter_landlock_restrict_self" } },
                .needs = F(COMMON_PID) | F(RULESET_FD) | F(FLAGS),
                .stands_in = true,
                .lost = "for which threads a domain is made",
        },
        [EVENT_RESTRICT_SELF_RETURNED] = {
                .spellings = { { "syscalls", "sys_exit_landlock_restrict_self" } },
                .needs = F(COMMON_PID) | F(RETURNED),
                .stands_in = true,
                .lost = "that a domain is made",
        },
        [EVENT_TASK_FORK] = {
                .buffer = TRACE_BUFFER_TASKS,
                .spellings = { { "task", "task_newtask" }, { "sched", "sched_process_fork" } },
                .needs = F(COMMON_PID) | F(TID),
                .has = F(CLONE_FLAGS),
                .lost = "children of sandboxed processes",
        },
        [EVENT_TASK_EXEC] = {
                .buffer = TRACE_BUFFER_TASKS,
                .spellings = { { "sched", "sched_process_exec" } },
                .needs = F(TID) | F(OLD_TID),
                .has = F(FILENAME),
                .lost = "programs that sandboxed processes execute",
        },
        [EVENT_TASK_EXIT] = {
                .buffer = TRACE_BUFFER_TASKS,
                .spellings = { { "sched", "sched_process_exit" } },
                .needs = F(TID),
                .lost = "the end of sandboxed processes",
        },
};
const size_t n_trace_event_specs = EVENT_MAX;

static_assert(ARRAY_SIZE(trace_event_specs) == EVENT_MAX, "every event has a spec");
static_assert(FIELD_MAX <= 64, "sets of fields are bits of an uint64_t");

int trace_event_find(Text group, const char *name, size_t *ret_spelling) {
        for (int i = 0; i < EVENT_MAX; i++)
                for (size_t j = 0; j < TRACE_EVENT_SPELLINGS_MAX; j++) {
                        const TraceEventName *known = &trace_event_specs[i].spellings[j];

                        if (known->group && text_equal(group, text_from_string(known->group)) &&
                            strcmp(name, known->name) == 0) {
                                *ret_spelling = j;
                                return i;
                        }
                }
        return -ENOENT;
}

static bool find_field(const TraceFormat *format, TraceEventField field, TraceField *ret) {
        for (size_t i = 0; i < FIELD_SPELLINGS_MAX && field_specs[field].spellings[i]; i++)
                if (trace_format_find(format, field_specs[field].spellings[i], field_specs[field].text, ret) == 0)
                        return true;
        return false;
}

TraceEvent trace_event_resolve(const TraceEventSpec *spec, const TraceFormat *format) {
        TraceEvent event = { .spec = spec, .id = trace_format_id(format), .size_min = sizeof(event.id) };
        uint64_t fields = spec->needs | spec->has | spec->had;

        for (TraceEventField field = 0; field < FIELD_MAX; field++)
                if ((fields & UINT64_C(1) << field) && find_field(format, field, &event.fields[field]))
                        event.size_min = MAX(event.size_min, trace_field_end(&event.fields[field]));
        return event;
}

static bool has_field(const TraceEvent *event, TraceEventField field) {
        TraceEventField instead = field_specs[field].instead;

        return event->fields[field].kind != TRACE_FIELD_ABSENT ||
               (instead && event->fields[instead].kind != TRACE_FIELD_ABSENT);
}

bool trace_event_name_missing(const TraceEvent *event, uint64_t wanted, char *buffer, size_t size) {
        size_t len = 0;

        for (TraceEventField field = 0; field < FIELD_MAX && len < size; field++)
                if ((wanted & UINT64_C(1) << field) && !has_field(event, field))
                        len += snprintf(buffer + len, size - len, "%s%s", len > 0 ? ", " : "",
                                        field_specs[field].spellings[0]);
        return len > 0;
}
