/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which denials the kernel logs is the sandbox's choice; all of them it counts. A domain none of whose denials
 * is logged is never named at all, and `denials=` of one that is named includes the unlogged ones. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "sandbox.h"

#define LOG(flag) LANDLOCK_RESTRICT_SELF_LOG_##flag

typedef struct LogCase {
        unsigned flags;
        bool logs_same_exec, logs_new_exec;
} LogCase;

/* The process that confines itself is refused, then a program that it starts. */
static void run_log_exec(Sandbox *s) {
        const LogCase *c = s->kind->data;
        Refusal *refusal;
        unsigned domain;
        pid_t child;

        domain = sandbox_restrict(s, &write_ruleset, c->flags);
        sandbox_refuse(s, domain, "fs.write_file", attempt_write)->logged = c->logs_same_exec;
        child = sandbox_exec_attempt(s->program, s->count, false);
        refusal = truth_add(s->truth, domain, "fs.write_file", s->count);
        refusal_set_file(refusal, s->dir, "file");
        refusal->logged = c->logs_new_exec;
        refusal->pid = child;
}

/* The outer domain keeps its own log and takes it from all that are nested in it. */
static void run_log_subdomains(Sandbox *s) {
        unsigned outer, inner;

        outer = sandbox_restrict(s, &write_ruleset, LOG(SUBDOMAINS_OFF));
        inner = sandbox_restrict(s, &read_ruleset, 0);
        sandbox_refuse(s, inner, "fs.read_file", attempt_read)->logged = false;
        sandbox_refuse(s, outer, "fs.write_file", attempt_write);
}

ATTEMPT(write_quiet, open("dir/file", O_WRONLY | O_CLOEXEC))

/* A rule may keep the denials of what is beneath its directory out of the log. */
static void run_log_quiet(Sandbox *s) {
        const LandlockRuleset ruleset = {
                .handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE,
                .quiet_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE,
        };
        int ruleset_fd, dir_fd;
        Refusal *refusal;
        unsigned domain;
        uint64_t n;

        ruleset_fd = landlock_abi_create_ruleset(&ruleset);
        dir_fd = open("dir", O_PATH | O_CLOEXEC);
        if (ruleset_fd < 0 || dir_fd < 0)
                sandbox_die("ruleset: %m");
        if (landlock_abi_add_path_rule(ruleset_fd, dir_fd, 0, LANDLOCK_ADD_RULE_QUIET) < 0)
                sandbox_die("landlock_add_rule: %m");
        domain = sandbox_enter(s, ruleset_fd, 0);
        sandbox_refuse(s, domain, "fs.write_file", attempt_write);
        n = sandbox_attempt(s, attempt_write_quiet, NULL, EACCES);
        refusal = truth_add(s->truth, domain, "fs.write_file", n);
        refusal_set_file(refusal, s->dir, "dir/file");
        refusal->logged = false;
}

#define LOG_KIND(kind, log_flags, same_exec, new_exec)                                                  \
        {                                                                                              \
                .name = (kind), .abi = 7, .run = run_log_exec,                                         \
                .data = &(const LogCase) { (log_flags), (same_exec), (new_exec) },                     \
        }

const Kind log_kinds[] = {
        LOG_KIND("log-default", 0, true, false),
        LOG_KIND("log-all", LOG(NEW_EXEC_ON), true, true),
        LOG_KIND("log-off", LOG(SAME_EXEC_OFF), false, false),
        LOG_KIND("log-new-exec-only", LOG(SAME_EXEC_OFF) | LOG(NEW_EXEC_ON), false, true),
        { .name = "log-subdomains-off", .abi = 7, .run = run_log_subdomains },
        { .name = "log-quiet", .abi = 10, .run = run_log_quiet },
        {},
};
