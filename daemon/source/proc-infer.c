/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/proc-infer.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "source/proc-task.h"

/* Threads that one call may report, and processes that it looks into. */
#define INFERRED_MAX 4096

/* Who is whose child, on a kernel whose threads do not list their children (CONFIG_PROC_CHILDREN). */
typedef struct Family {
        struct {
                int64_t pid, parent;
        } *members;
        size_t n, n_max;
        bool known;
} Family;

typedef struct Inference {
        uint64_t domain;
        FactSink sink;
        uint64_t time_usec, boot_usec; /* the thread still lived then, or later */
        int64_t pids[INFERRED_MAX]; /* processes to look into */
        size_t n_pids, n_reported;
        Family family;
        ProcTask task;
} Inference;

static void report(Inference *inference) {
        /* Audit named the process from which this one was found. */
        const Fact fact = {
                .type = FACT_TASK_SEEN,
                .origins = ORIGIN_AUDIT,
                .time_usec = inference->time_usec,
                .boot_usec = inference->boot_usec,
                .seen = { .domain = inference->domain, .task = proc_task_describe(&inference->task),
                          .attribution = ATTRIBUTION_INFERRED },
        };

        inference->sink.fn(inference->sink.userdata, &fact);
        inference->n_reported++;
}

static void add_process(Inference *inference, int64_t pid) {
        if (inference->n_pids < INFERRED_MAX)
                inference->pids[inference->n_pids++] = pid;
}

static int64_t parent_of(int64_t pid) {
        _cleanup_fclose_ FILE *file = NULL;
        int64_t parent = 0;
        char path[40];

        snprintf(path, sizeof(path), "/proc/%" PRIi64 "/stat", pid);
        file = fopen(path, "re");
        /* The name is not escaped: what ends it is the last parenthesis, of at most 64 characters. */
        if (file) {
                char buffer[512];
                size_t n = fread(buffer, 1, sizeof(buffer) - 1, file);
                const char *end;

                buffer[n] = '\0';
                end = strrchr(buffer, ')');
                if (!end || sscanf(end, ") %*c %" SCNd64, &parent) != 1)
                        return 0;
        }
        return parent;
}

static void add_member(Family *family, int64_t pid) {
        void *members;

        if (family->n == family->n_max) {
                size_t n_max = MAX(2 * family->n_max, (size_t) 256);

                members = reallocarray(family->members, n_max, sizeof(*family->members));
                if (!members)
                        return;
                family->members = members;
                family->n_max = n_max;
        }
        family->members[family->n].pid = pid;
        family->members[family->n++].parent = parent_of(pid);
}

static void learn_family(Family *family) {
        DIR *proc = opendir("/proc");
        struct dirent *entry;
        int64_t pid;

        family->known = true;
        if (!proc)
                return;
        while ((entry = readdir(proc)))
                if (text_parse_i64(text_from_string(entry->d_name), &pid) >= 0)
                        add_member(family, pid);
        closedir(proc);
}

/* Takes the processes that a thread forked; false if it does not list them. */
static bool add_listed_children(Inference *inference, int thread) {
        _cleanup_fclose_ FILE *file = NULL;
        int fd = openat(thread, "children", O_RDONLY | O_CLOEXEC);
        int64_t pid;

        if (fd < 0)
                return false;
        file = fdopen(fd, "r");
        if (!file) {
                close(fd);
                return false;
        }
        while (fscanf(file, "%" SCNd64, &pid) == 1)
                add_process(inference, pid);
        return true;
}

static void add_family_children(Inference *inference, int64_t pid) {
        if (!inference->family.known)
                learn_family(&inference->family);
        for (size_t i = 0; i < inference->family.n; i++)
                if (inference->family.members[i].parent == pid)
                        add_process(inference, inference->family.members[i].pid);
}

static void infer_process(Inference *inference, int64_t pid, uint64_t not_after_boottime_usec) {
        bool listed = true;
        char path[40];
        struct dirent *entry;
        int64_t tid;
        DIR *threads;

        snprintf(path, sizeof(path), "/proc/%" PRIi64 "/task", pid);
        threads = opendir(path);
        if (!threads)
                return;
        while (inference->n_reported < INFERRED_MAX && (entry = readdir(threads))) {
                _cleanup_close_ int thread = -EBADF;

                if (text_parse_i64(text_from_string(entry->d_name), &tid) < 0)
                        continue;
                inference->time_usec = clock_realtime_usec();
                inference->boot_usec = clock_boottime_usec();
                thread = openat(dirfd(threads), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (thread < 0 || proc_task_read_at(thread, tid, not_after_boottime_usec, &inference->task) < 0)
                        continue;
                if (!inference->task.dead)
                        report(inference);
                listed = add_listed_children(inference, thread) && listed;
                /* Only the first one has to be as old as the word of it. */
                not_after_boottime_usec = UINT64_MAX;
        }
        closedir(threads);
        if (!listed)
                add_family_children(inference, pid);
}

void proc_infer(uint64_t domain, int64_t pid, uint64_t not_after_usec, FactSink sink) {
        const uint64_t not_after_boottime_usec = proc_task_boottime(not_after_usec);
        Inference *inference = malloc(sizeof(Inference));

        if (!inference)
                return;
        inference->domain = domain;
        inference->sink = sink;
        inference->n_pids = inference->n_reported = 0;
        inference->family = (Family) {};
        add_process(inference, pid);
        for (size_t i = 0; i < inference->n_pids; i++)
                infer_process(inference, inference->pids[i],
                              i == 0 && not_after_boottime_usec > 0 ? not_after_boottime_usec : UINT64_MAX);
        if (inference->n_pids == INFERRED_MAX || inference->n_reported == INFERRED_MAX)
                log_notice("Domain %" PRIx64 " may have more processes than the %d that were looked for.", domain, INFERRED_MAX);
        free(inference->family.members);
        free(inference);
}
