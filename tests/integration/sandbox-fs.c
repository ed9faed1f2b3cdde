/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File system rights, one by one: each kind's domain handles the one right alone and allows it nowhere. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "sandbox.h"

#define FS(right) LANDLOCK_ACCESS_FS_##right

/* On the files that sandbox_dir_enter() makes. */
ATTEMPT(execute, execl("program", "program", NULL))
ATTEMPT(read_dir, open("dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
ATTEMPT(remove_dir, rmdir("dir/sub"))
ATTEMPT(remove_file, unlink("dir/file"))
/* Not 0:0, which is an overlay's whiteout: Linux 7.3 allows that one. */
ATTEMPT(make_char, mknod("dir/new", S_IFCHR | 0600, makedev(1, 3)))
ATTEMPT(make_dir, mkdir("dir/new", 0700))
ATTEMPT(make_reg, open("dir/new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600))
ATTEMPT(make_fifo, mkfifo("dir/new", 0600))
ATTEMPT(make_block, mknod("dir/new", S_IFBLK | 0600, makedev(7, 0)))
ATTEMPT(make_sym, symlink("target", "dir/new"))
ATTEMPT(truncate, truncate("file", 0))
ATTEMPT(link, link("dir/file", "other/new"))
ATTEMPT(rename, rename("dir/file", "other/new"))
ATTEMPT(exchange, renameat2(AT_FDCWD, "dir/file", AT_FDCWD, "other/file", RENAME_EXCHANGE))
ATTEMPT(ftruncate, ftruncate(*(const int *) arg, 0))
ATTEMPT(ioctl, ioctl(*(const int *) arg, TCGETS))

static int attempt_make_sock(const void *arg) {
        const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "dir/new" };
        int fd, r;

        (void) arg;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        r = bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 ? -errno : 0;
        close(fd);
        return r;
}

typedef struct FsCase {
        uint64_t rights;
        Attempt attempt;
        const char *object;   /* what the kernel names: the file, or the directory that it is in */
        const char *blockers; /* NULL: the kind's name */
        const char *object2, *blockers2; /* of a second record in the same event */
        int error;            /* 0: EACCES */
} FsCase;

static void run_fs(Sandbox *s) {
        const FsCase *c = s->kind->data;
        const LandlockRuleset ruleset = { .handled_access_fs = c->rights };
        unsigned domain;
        uint64_t n;

        domain = sandbox_restrict(s, &ruleset, 0);
        n = sandbox_attempt(s, c->attempt, NULL, c->error ?: EACCES);
        refusal_set_file(truth_add(s->truth, domain, c->blockers ?: s->kind->name, n), s->dir, c->object);
        if (c->object2)
                refusal_set_file(truth_add(s->truth, domain, c->blockers2, n), s->dir, c->object2);
}

/* The right that an open file carries is decided when it is opened, so it is opened inside the domain. */
static void run_ftruncate(Sandbox *s) {
        const LandlockRuleset ruleset = { .handled_access_fs = FS(TRUNCATE) };
        unsigned domain;
        uint64_t n;
        int fd;

        domain = sandbox_restrict(s, &ruleset, 0);
        fd = open("file", O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                sandbox_die("file: %m");
        n = sandbox_attempt(s, attempt_ftruncate, &fd, EACCES);
        refusal_set_file(truth_add(s->truth, domain, "fs.truncate", n), s->dir, "file");
}

static void run_ioctl(Sandbox *s) {
        const LandlockRuleset ruleset = { .handled_access_fs = FS(IOCTL_DEV) };
        Refusal *refusal;
        unsigned domain;
        uint64_t n;
        int fd;

        domain = sandbox_restrict(s, &ruleset, 0);
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                sandbox_die("/dev/null: %m");
        n = sandbox_attempt(s, attempt_ioctl, &fd, EACCES);
        refusal = truth_add(s->truth, domain, "fs.ioctl_dev", n);
        refusal_set_file(refusal, NULL, "/dev/null");
        refusal->ioctl_cmd = TCGETS;
}

#define FS_KIND(kind, kind_abi, right_bits, function, object_name, ...)                       \
        {                                                                                     \
                .name = (kind), .abi = (kind_abi), .run = run_fs,                             \
                .data = &(const FsCase) {                                                     \
                        .rights = (right_bits), .attempt = (function), .object = (object_name), \
                        __VA_ARGS__                                                           \
                },                                                                            \
        }

const Kind fs_kinds[] = {
        FS_KIND("fs.execute", 1, FS(EXECUTE), attempt_execute, "program"),
        FS_KIND("fs.write_file", 1, FS(WRITE_FILE), attempt_write, "file"),
        FS_KIND("fs.read_file", 1, FS(READ_FILE), attempt_read, "file"),
        FS_KIND("fs.read_dir", 1, FS(READ_DIR), attempt_read_dir, "dir"),
        FS_KIND("fs.remove_dir", 1, FS(REMOVE_DIR), attempt_remove_dir, "dir"),
        FS_KIND("fs.remove_file", 1, FS(REMOVE_FILE), attempt_remove_file, "dir"),
        FS_KIND("fs.make_char", 1, FS(MAKE_CHAR), attempt_make_char, "dir"),
        FS_KIND("fs.make_dir", 1, FS(MAKE_DIR), attempt_make_dir, "dir"),
        FS_KIND("fs.make_reg", 1, FS(MAKE_REG), attempt_make_reg, "dir"),
        FS_KIND("fs.make_sock", 1, FS(MAKE_SOCK), attempt_make_sock, "dir"),
        FS_KIND("fs.make_fifo", 1, FS(MAKE_FIFO), attempt_make_fifo, "dir"),
        FS_KIND("fs.make_block", 1, FS(MAKE_BLOCK), attempt_make_block, "dir"),
        FS_KIND("fs.make_sym", 1, FS(MAKE_SYM), attempt_make_sym, "dir"),
        FS_KIND("fs.truncate", 3, FS(TRUNCATE), attempt_truncate, "file"),
        { .name = "fs.truncate-fd", .abi = 3, .run = run_ftruncate },
        { .name = "fs.ioctl_dev", .abi = 5, .run = run_ioctl },
        /* Two rights missing at once. */
        FS_KIND("fs.read_write", 1, FS(READ_FILE) | FS(WRITE_FILE), attempt_read_write, "file",
                .blockers = "fs.write_file,fs.read_file"),
        /* Two directories, each a denial with a record of its own in one event. */
        FS_KIND("fs.refer", 2, FS(REFER), attempt_link, "dir", .object2 = "other", .blockers2 = "fs.refer",
                .error = EXDEV),
        FS_KIND("fs.refer-rename", 2, FS(REFER) | FS(REMOVE_FILE) | FS(MAKE_REG), attempt_rename, "dir",
                .blockers = "fs.remove_file,fs.refer", .object2 = "other",
                .blockers2 = "fs.make_reg,fs.refer"),
        FS_KIND("fs.refer-exchange", 2, FS(REFER) | FS(REMOVE_FILE) | FS(MAKE_REG), attempt_exchange, "dir",
                .blockers = "fs.remove_file,fs.make_reg,fs.refer", .object2 = "other",
                .blockers2 = "fs.remove_file,fs.make_reg,fs.refer"),
        {},
};
