/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names chosen to mislead whoever reads the log: a sandboxed program picks its paths, its comm and its
 * arguments itself. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "sandbox.h"

/* The octal escapes are UTF-8: U+202E turns the text that follows it around, U+2028 breaks the line. */
static const char *const hostile_names[] = {
        "double\"quote",
        "new\nline",
        "bad\xff\xfeutf8",
        "turn\342\200\256txt.exe",
        "break\342\200\250line",
        "back\\slash\\x41",
        "with space",
        "x domain=1 blockers=ptrace",
        "\x1b[31mred\x1b[0m",
        "tab\there",
        "delete\x7f",
        "6465616462656566", /* looks like hex, is not */
        "equal=sign,comma;semicolon",
        "<b>markup&amp;",
        "caf\303\251", /* fine UTF-8, yet not ASCII */
        "%s%n",
};

ATTEMPT(write_name, open(arg, O_WRONLY | O_CLOEXEC))

static void make_file(const char *name) {
        int fd;

        fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                sandbox_die("%s: %m", name);
        close(fd);
}

static void refuse_name(Sandbox *s, unsigned domain, const char *dir, const char *name) {
        uint64_t n;

        n = sandbox_attempt(s, attempt_write_name, name, EACCES);
        refusal_set_file(truth_add(s->truth, domain, "fs.write_file", n), dir, name);
}

static void run_path(Sandbox *s) {
        unsigned domain;

        for (size_t i = 0; i < ARRAY_SIZE(hostile_names); i++)
                make_file(hostile_names[i]);
        domain = sandbox_restrict(s, &write_ruleset, 0);
        for (size_t i = 0; i < ARRAY_SIZE(hostile_names); i++)
                refuse_name(s, domain, s->dir, hostile_names[i]);
}

/* Goes down n directories of the longest name there is, appending to path. */
static void descend(char *path, size_t size, unsigned n) {
        char name[NAME_MAX + 1];

        memset(name, 'd', NAME_MAX);
        name[NAME_MAX] = 0;
        for (unsigned i = 0; i < n; i++) {
                size_t len = strlen(path);

                if (mkdir(name, 0700) < 0 || chdir(name) < 0)
                        sandbox_die("long directory: %m");
                snprintf(path + len, size - len, "/%s", name);
        }
}

/* Almost as long as the kernel's buffer for a path. */
static void run_path_long(Sandbox *s) {
        char path[TRUTH_PATH_MAX];

        snprintf(path, sizeof(path), "%s", s->dir);
        descend(path, sizeof(path), 15);
        make_file("new\nline");
        refuse_name(s, sandbox_restrict(s, &write_ruleset, 0), path, "new\nline");
}

/* Longer than that: the kernel says that it is, and nothing of the path. */
static void run_path_too_long(Sandbox *s) {
        char path[TRUTH_PATH_MAX];
        Refusal *refusal;
        unsigned domain;
        uint64_t n;

        snprintf(path, sizeof(path), "%s", s->dir);
        descend(path, sizeof(path), 17);
        make_file("file");
        domain = sandbox_restrict(s, &write_ruleset, 0);
        n = sandbox_attempt(s, attempt_write, NULL, EACCES);
        refusal = truth_add(s->truth, domain, "fs.write_file", n);
        refusal_set_file(refusal, NULL, "file"); /* for its inode number */
        refusal->path_len = (size_t) snprintf(refusal->path, sizeof(refusal->path), "<too_long>");
}

static void run_path_deleted(Sandbox *s) {
        Refusal *refusal;
        unsigned domain;
        char link[32];
        uint64_t n;
        int fd;

        make_file("gone");
        fd = open("gone", O_PATH | O_CLOEXEC);
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        if (fd < 0 || unlink("gone") < 0)
                sandbox_die("gone: %m");
        domain = sandbox_restrict(s, &write_ruleset, 0);
        n = sandbox_attempt(s, attempt_write_name, link, EACCES);
        refusal = truth_add(s->truth, domain, "fs.write_file", n);
        refusal_set_file(refusal, NULL, link); /* for its inode number */
        refusal->path_len = (size_t) snprintf(refusal->path, sizeof(refusal->path), "%s/gone (deleted)", s->dir);
}

static void run_comm(Sandbox *s) {
        if (prctl(PR_SET_NAME, s->kind->data) < 0)
                sandbox_die("comm: %m");
        sandbox_refuse(s, sandbox_restrict(s, &write_ruleset, 0), "fs.write_file", attempt_write);
}

static void copy_program(const char *from, const char *to) {
        int in, out;
        ssize_t n;

        in = open(from, O_RDONLY | O_CLOEXEC);
        out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
        if (in < 0 || out < 0)
                sandbox_die("%s: %m", to);
        do {
                n = sendfile(out, in, NULL, 1 << 20);
        } while (n > 0);
        if (n < 0)
                sandbox_die("%s: %m", to);
        close(in);
        close(out);
}

/* A program with an evil name and evil arguments confines itself. */
static void run_exe(Sandbox *s) {
        static const char name[] = "evil\" exe=\"sh\n\xff";
        Refusal *refusal;
        pid_t child;

        copy_program(s->program, name);
        child = sandbox_exec_attempt(name, s->count, true);
        refusal = truth_add(s->truth, truth_add_domain(s->truth, child), "fs.write_file", s->count);
        refusal_set_file(refusal, s->dir, "file");
        refusal->pid = child;
}

const Kind hostile_kinds[] = {
        { .name = "hostile-path", .abi = 1, .run = run_path },
        { .name = "hostile-path-long", .abi = 1, .run = run_path_long },
        { .name = "hostile-path-too-long", .abi = 1, .run = run_path_too_long },
        { .name = "hostile-path-deleted", .abi = 1, .run = run_path_deleted },
        { .name = "hostile-comm", .abi = 1, .run = run_comm, .data = "\" pid=1\n\xff\x1b[m" },
        { .name = "hostile-comm-empty", .abi = 1, .run = run_comm, .data = "" },
        { .name = "hostile-comm-hex", .abi = 1, .run = run_comm, .data = "deadbeef" },
        { .name = "hostile-exe", .abi = 1, .run = run_exe },
        {},
};
