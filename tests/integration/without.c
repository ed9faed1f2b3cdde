/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a program as if the kernel lacked something: its system calls fail as they do on such a kernel. */

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define FAIL(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* Built without CONFIG_SECURITY_LANDLOCK. */
static struct sock_filter landlock[] = {
        LOAD(nr), UNLESS(SYS_landlock_create_ruleset, 1), FAIL(ENOSYS), ALLOW,
};

/* landlock missing in lsm= on the kernel's command line. */
static struct sock_filter landlock_enabled[] = {
        LOAD(nr), UNLESS(SYS_landlock_create_ruleset, 1), FAIL(EOPNOTSUPP), ALLOW,
};

/* Built without CONFIG_AUDIT. */
static struct sock_filter audit[] = {
        LOAD(nr), UNLESS(SYS_socket, 5), LOAD(args[0]), UNLESS(AF_NETLINK, 3),
        LOAD(args[2]), UNLESS(NETLINK_AUDIT, 1), FAIL(EPROTONOSUPPORT), ALLOW,
};

/* Of Debian or Ubuntu, for whoever has no CAP_SYS_ADMIN. */
static struct sock_filter perf[] = {
        LOAD(nr), UNLESS(SYS_perf_event_open, 1), FAIL(EACCES), ALLOW,
};

static const struct {
        const char *name;
        struct sock_fprog program;
} filters[] = {
        { "landlock", { sizeof(landlock) / sizeof(landlock[0]), landlock } },
        { "landlock-enabled", { sizeof(landlock_enabled) / sizeof(landlock_enabled[0]), landlock_enabled } },
        { "audit", { sizeof(audit) / sizeof(audit[0]), audit } },
        { "perf", { sizeof(perf) / sizeof(perf[0]), perf } },
};

int main(int argc, char *argv[]) {
        const struct sock_fprog *program = NULL;

        for (size_t i = 0; argc > 2 && i < sizeof(filters) / sizeof(filters[0]); i++)
                if (strcmp(argv[1], filters[i].name) == 0)
                        program = &filters[i].program;
        if (!program) {
                fputs("Usage: without landlock|landlock-enabled|audit|perf PROGRAM [ARGUMENT…]\n", stderr);
                return 2;
        }

        /* As root, so that the program's privileges stay what they are. */
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program) < 0) {
                perror("without: cannot filter system calls");
                return 1;
        }
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        return 1;
}
