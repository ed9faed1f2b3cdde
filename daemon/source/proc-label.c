/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/proc-label.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/macros.h"
#include "source/proc-task.h"

/* A container's ID is a hash in hexadecimal, of which people use the beginning. */
#define HASH_SIZE 64
#define HASH_SHOWN 12

static void put(ProcLabel *label, size_t *n, Text t) {
        size_t len = MIN(t.len, sizeof(label->buffer) - *n);

        memcpy(label->buffer + *n, t.data, len);
        *n += len;
}

static bool ends_with(Text t, Text suffix) {
        return t.len > suffix.len && memcmp(t.data + t.len - suffix.len, suffix.data, suffix.len) == 0;
}

/* Where in t a hash begins; t.len if there is none. */
static size_t find_hash(Text t) {
        size_t run = 0;

        for (size_t i = 0; i < t.len; i++) {
                run = isxdigit((unsigned char) t.data[i]) ? run + 1 : 0;
                if (run == HASH_SIZE)
                        return i + 1 - HASH_SIZE;
        }
        return t.len;
}

/* The path in the one hierarchy of version 2, or in systemd's own beside those of version 1. */
static Text find_path(Text cgroups) {
        Text line, path = TEXT_NULL;

        while (text_split(&cgroups, '\n', &line)) {
                if (text_take_prefix(&line, TEXT_LITERAL("0::")) && line.len > 1)
                        return line;
                for (size_t i = 0; i < line.len; i++) {
                        Text rest = { line.data + i, line.len - i };

                        if (text_take_prefix(&rest, TEXT_LITERAL(":name=systemd:")) && rest.len > 1)
                                path = rest;
                }
        }
        return path;
}

/* The innermost unit of a path, else its last component, and what that is in. */
static Text find_unit(Text path, Text *ret_around) {
        Text unit = TEXT_NULL, last = TEXT_NULL, before = TEXT_NULL, part;

        while (text_split(&path, '/', &part)) {
                if (part.len == 0)
                        continue;
                before = last;
                last = part;
                if (ends_with(part, TEXT_LITERAL(".service")) || ends_with(part, TEXT_LITERAL(".scope")))
                        unit = part;
        }
        *ret_around = text_known(unit) ? TEXT_NULL : before;
        return text_known(unit) ? unit : last;
}

Text proc_label_format(Text comm, Text cgroups, ProcLabel *label) {
        return proc_label_join(comm, find_path(cgroups), label);
}

Text proc_label_join(Text comm, Text cgroup, ProcLabel *label) {
        Text around, unit = find_unit(cgroup, &around);
        size_t n = 0, hash = find_hash(unit);

        put(label, &n, comm);
        if (unit.len == 0)
                return (Text) { label->buffer, n };
        put(label, &n, TEXT_LITERAL("@"));
        /* A container that is nothing but its ID says who runs it around it. */
        if (hash == 0 && around.len > 0) {
                put(label, &n, around);
                put(label, &n, TEXT_LITERAL("-"));
        }
        put(label, &n, (Text) { unit.data, hash < unit.len ? hash + HASH_SHOWN : unit.len });
        return (Text) { label->buffer, n };
}

bool proc_label_applies(const Fact *fact, uint64_t *ret_domain) {
        switch (fact->type) {
        case FACT_DOMAIN_CREATED:
                *ret_domain = fact->created.domain;
                return true;
        case FACT_DOMAIN_DESCRIBED:
                *ret_domain = fact->described.domain;
                return fact->described.has_creator_pid;
        default:
                return false;
        }
}

int proc_label_read(int64_t tid, uint64_t not_after_usec, ProcLabel *label, Text *ret) {
        _cleanup_close_ int directory = -EBADF, file = -EBADF;
        char path[40], cgroups[4096 + 256];
        ProcTask task;
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%" PRIi64, tid);
        /* One that began after it made the domain is another one with its number. */
        directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0 || proc_task_read_name_at(directory, tid, proc_task_boottime(not_after_usec), &task) < 0 || task.dead)
                return -ESRCH;
        file = openat(directory, "cgroup", O_RDONLY | O_CLOEXEC);
        n = file < 0 ? -1 : read(file, cgroups, sizeof(cgroups));
        if (n < 0)
                return -ESRCH;
        *ret = proc_label_format(task.comm, (Text) { cgroups, n }, label);
        return 0;
}

/* What stays unknown if it has ended is left unknown. */
void proc_label_add(Fact *fact, ProcLabel *label) {
        if (fact->type == FACT_DOMAIN_CREATED)
                (void) proc_label_read(fact->created.creator.tid, fact->time_usec, label, &fact->created.label);
        else
                (void) proc_label_read(fact->described.creator_pid, fact->time_usec, label, &fact->described.label);
}
