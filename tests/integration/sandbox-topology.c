/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of the mount tree, all refused to whoever is in a domain that handles any file system right. They
 * are tried in a mount namespace of their own: granted by mistake, they would hurt nobody. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "sandbox.h"

/* "dir" is the root of a mount of its own. */
ATTEMPT(mount, mount("none", "other", "tmpfs", 0, NULL))
ATTEMPT(umount, umount2("dir", 0))
ATTEMPT(pivot_root, syscall(SYS_pivot_root, "dir", "dir"))

/* Once refused, a file system context is spent: each attempt takes a new one. */
static int attempt_reconfigure(const void *arg) {
        int fd, r;

        (void) arg;
        fd = fspick(AT_FDCWD, "dir", 0);
        r = fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0 ? -errno : 0;
        close(fd);
        return r;
}

static int attempt_move_mount(const void *arg) {
        int fd, r;

        (void) arg;
        fd = open_tree(AT_FDCWD, "dir", OPEN_TREE_CLONE);
        r = move_mount(fd, "", AT_FDCWD, "other", MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
        close(fd);
        return r;
}

typedef struct TopologyCase {
        Attempt attempt;
        const char *path; /* what the kernel names; NULL: the root of a file system, by its name alone */
} TopologyCase;

static void private_mounts(void) {
        if (unshare(CLONE_NEWNS) < 0)
                sandbox_die("no mount namespace: %m");
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                sandbox_die("mounts of the namespace: %m");
        if (mount("none", "dir", "tmpfs", 0, NULL) < 0)
                sandbox_die("tmpfs: %m");
}

static void run_topology(Sandbox *s) {
        const TopologyCase *c = s->kind->data;
        Refusal *refusal;
        unsigned domain;
        uint64_t n;

        private_mounts();
        domain = sandbox_restrict(s, &write_ruleset, 0);
        n = sandbox_attempt(s, c->attempt, NULL, EPERM);
        refusal = truth_add(s->truth, domain, "fs.change_topology", n);
        if (c->path) {
                refusal_set_file(refusal, s->dir, c->path);
                return;
        }
        refusal_set_file(refusal, NULL, "dir"); /* for its inode number */
        refusal->path_len = 0;
        refusal->name[0] = '/';
}

static const char *no_mount_namespace(void) {
        int status = -1;
        pid_t pid;

        pid = fork();
        if (pid == 0)
                _exit(unshare(CLONE_NEWNS) < 0);
        return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ?
                NULL : "needs a mount namespace of its own, which takes CAP_SYS_ADMIN";
}

#define TOPOLOGY_KIND(kind, function, ...)                                                             \
        {                                                                                              \
                .name = (kind), .abi = 1, .unsupported = no_mount_namespace, .run = run_topology,      \
                .data = &(const TopologyCase) { .attempt = (function), __VA_ARGS__ },                  \
        }

const Kind topology_kinds[] = {
        TOPOLOGY_KIND("fs.change_topology", attempt_mount, .path = "other"),
        TOPOLOGY_KIND("fs.change_topology-umount", attempt_umount),
        TOPOLOGY_KIND("fs.change_topology-remount", attempt_reconfigure),
        TOPOLOGY_KIND("fs.change_topology-pivot_root", attempt_pivot_root, .path = "dir"),
        TOPOLOGY_KIND("fs.change_topology-move_mount", attempt_move_mount, .path = "other"),
        {},
};
