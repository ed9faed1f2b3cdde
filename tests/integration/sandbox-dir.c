/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sandbox-dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox-die.h"

void sandbox_dir_make(char path[static PATH_MAX]) {
        char template[PATH_MAX];
        const char *tmp = getenv("TMPDIR");

        snprintf(template, sizeof(template), "%s/landlock-XXXXXX", tmp && *tmp ? tmp : "/tmp");
        if (!mkdtemp(template) || !realpath(template, path))
                sandbox_die("%s: %m", template);
}

static void make_file(const char *name, mode_t mode) {
        int fd;

        fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (fd < 0)
                sandbox_die("%s: %m", name);
        close(fd);
}

void sandbox_dir_enter(const char *path) {
        if (chdir(path) < 0)
                sandbox_die("%s: %m", path);
        if (mkdir("dir", 0700) < 0 || mkdir("dir/sub", 0700) < 0 || mkdir("other", 0700) < 0)
                sandbox_die("%s: %m", path);
        make_file("file", 0600);
        make_file("program", 0700);
        make_file("dir/file", 0600);
        make_file("other/file", 0600);
}

/* By file descriptors, as some paths are longer than any system call takes. */
static void remove_tree(int parent_fd, const char *name) {
        const struct dirent *entry;
        DIR *dir;
        int fd;

        fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        dir = fd < 0 ? NULL : fdopendir(fd);
        while (dir && (entry = readdir(dir)))
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
                    unlinkat(dirfd(dir), entry->d_name, 0) < 0)
                        remove_tree(dirfd(dir), entry->d_name);
        if (dir)
                closedir(dir);
        unlinkat(parent_fd, name, AT_REMOVEDIR);
}

void sandbox_dir_remove(const char *path) {
        remove_tree(AT_FDCWD, path);
}
