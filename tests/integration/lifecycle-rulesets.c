/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What domains are made from. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lifecycle.h"

#define FS(right) LANDLOCK_ACCESS_FS_##right
#define NET(right) LANDLOCK_ACCESS_NET_##right

static void no_new_privs(void) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                sandbox_die("no_new_privs: %m");
}

static void confine(Ruleset *ruleset) {
        no_new_privs();
        domain_enter(ruleset, 0);
        ruleset_close(ruleset);
}

/* Names that no log, terminal or JSON may take at their word. */
static void run_paths(void) {
        Ruleset ruleset = ruleset_new(&(LandlockRuleset) {
                .handled_access_fs = FS(WRITE_FILE) | FS(READ_FILE) | FS(READ_DIR) | FS(EXECUTE),
        });

        if (mkdir("\" \x1b[m\n\xff", 0700) < 0)
                sandbox_die("mkdir: %m");
        ruleset_allow_path(&ruleset, "/", FS(READ_FILE) | FS(READ_DIR) | FS(EXECUTE));
        ruleset_allow_path(&ruleset, "dir/sub", FS(WRITE_FILE) | FS(READ_FILE));
        ruleset_allow_path(&ruleset, "dir/file", FS(WRITE_FILE));
        ruleset_allow_path(&ruleset, "\" \x1b[m\n\xff", FS(WRITE_FILE));
        ruleset_allow_path(&ruleset, "/proc", FS(READ_DIR));
        /* The same place again adds to what it was granted. */
        ruleset_allow_path(&ruleset, "dir/sub", FS(EXECUTE));
        confine(&ruleset);
        refuse(1);
        hold_and_exit();
}

static void run_ports(void) {
        Ruleset ruleset = ruleset_new(&(LandlockRuleset) { .handled_access_net = NET(BIND_TCP) | NET(CONNECT_TCP) });

        ruleset_allow_port(&ruleset, 0, NET(BIND_TCP));
        ruleset_allow_port(&ruleset, 443, NET(CONNECT_TCP));
        ruleset_allow_port(&ruleset, 8080, NET(BIND_TCP) | NET(CONNECT_TCP));
        ruleset_allow_port(&ruleset, 65535, NET(CONNECT_TCP));
        confine(&ruleset);
        hold_and_exit();
}

static void run_scopes(void) {
        Ruleset ruleset = ruleset_new(
                &(LandlockRuleset) { .scoped = LANDLOCK_SCOPE_SIGNAL | LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET });

        confine(&ruleset);
        hold_and_exit();
}

/* All that the running kernel can handle. */
static LandlockRuleset all_rights(void) {
        static const struct {
                int abi;
                LandlockRuleset rights;
        } news[] = {
                { 1, { .handled_access_fs = (1 << 13) - 1 } },
                { 2, { .handled_access_fs = FS(REFER) } },
                { 3, { .handled_access_fs = FS(TRUNCATE) } },
                { 4, { .handled_access_net = NET(BIND_TCP) | NET(CONNECT_TCP) } },
                { 5, { .handled_access_fs = FS(IOCTL_DEV) } },
                { 6, { .scoped = LANDLOCK_SCOPE_SIGNAL | LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET } },
                { 9, { .handled_access_fs = FS(RESOLVE_UNIX) } },
                { 10, { .handled_access_net = NET(BIND_UDP) | NET(CONNECT_SEND_UDP) } },
        };
        LandlockRuleset all = {};

        for (size_t i = 0; i < ARRAY_SIZE(news) && news[i].abi <= landlock_abi_version(); i++) {
                all.handled_access_fs |= news[i].rights.handled_access_fs;
                all.handled_access_net |= news[i].rights.handled_access_net;
                all.scoped |= news[i].rights.scoped;
        }
        return all;
}

/* One rule for each right. */
static void run_all_rights(void) {
        LandlockRuleset all = all_rights();
        Ruleset ruleset = ruleset_new(&all);

        for (uint64_t bit = 1; bit <= all.handled_access_fs; bit <<= 1)
                ruleset_allow_path(&ruleset, "dir", bit);
        for (uint64_t bit = 1; bit <= all.handled_access_net; bit <<= 1)
                ruleset_allow_port(&ruleset, 1000 + bit, bit);
        confine(&ruleset);
        refuse(1);
        hold_and_exit();
}

static void run_many_rules(void) {
        Ruleset ruleset = ruleset_new(&(LandlockRuleset) {
                .handled_access_fs = FS(READ_DIR) | FS(WRITE_FILE),
                .handled_access_net = NET(CONNECT_TCP),
        });
        char name[16];

        for (unsigned i = 0; i < 400; i++) {
                snprintf(name, sizeof(name), "rule-%u", i);
                if (mkdir(name, 0700) < 0)
                        sandbox_die("%s: %m", name);
                ruleset_allow_path(&ruleset, name, FS(READ_DIR));
        }
        for (unsigned i = 0; i < 100; i++)
                ruleset_allow_port(&ruleset, 1000 + i, NET(CONNECT_TCP));
        confine(&ruleset);
        refuse(1);
        hold_and_exit();
}

/* Each domain has the rules that there were when it was made, whatever is added later. */
static void run_versions(void) {
        static const char *const paths[] = { "dir", "dir/sub", "other", "dir/file" };
        Ruleset ruleset = ruleset_new(&handles_write);

        no_new_privs();
        for (unsigned i = 0; i < ARRAY_SIZE(paths); i++) {
                if (task_fork(0) == 0) {
                        domain_enter(&ruleset, 0);
                        refuse(1);
                        hold_and_exit();
                }
                domains_wait(i + 1);
                ruleset_allow_path(&ruleset, paths[i], FS(WRITE_FILE));
        }
        hold_and_exit();
}

/* Two domains of one process, from one ruleset, with a rule in between. */
static void run_versions_nested(void) {
        Ruleset ruleset = ruleset_new(&handles_write);

        no_new_privs();
        domain_enter(&ruleset, 0);
        ruleset_allow_path(&ruleset, "dir", FS(WRITE_FILE));
        domain_enter(&ruleset, 0);
        refuse(1);
        ruleset_allow_path(&ruleset, "other", FS(WRITE_FILE));
        hold_and_exit();
}

/* No domain is made from it, and rules that the kernel refuses never come to be. */
static void run_unused(void) {
        Ruleset ruleset = ruleset_new(&handles_write);

        ruleset_allow_path(&ruleset, "dir", FS(WRITE_FILE));
        if (landlock_abi_add_path_rule(ruleset.fd, STDIN_FILENO, FS(WRITE_FILE), 0) >= 0 || errno != EBADFD)
                sandbox_die("a rule was added for a pipe");
        if (landlock_abi_add_port_rule(ruleset.fd, 80, NET(BIND_TCP)) >= 0 || errno != EINVAL)
                sandbox_die("a rule was added for what is not handled");
        ruleset_allow_path(&ruleset, "other", FS(WRITE_FILE));
        ruleset_close(&ruleset);
        hold_and_exit();
}

const Lifecycle ruleset_lifecycles[] = {
        { .name = "paths", .abi = 1, .run = run_paths },
        { .name = "ports", .abi = 4, .run = run_ports },
        { .name = "scopes", .abi = 6, .run = run_scopes },
        { .name = "all-rights", .abi = 1, .run = run_all_rights },
        { .name = "many-rules", .abi = 4, .run = run_many_rules },
        { .name = "versions", .abi = 1, .run = run_versions },
        { .name = "versions-nested", .abi = 1, .run = run_versions_nested },
        { .name = "unused", .abi = 4, .run = run_unused },
        {},
};
