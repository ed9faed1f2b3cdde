/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/proc-survivor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "source/proc-task.h"

/* Generations of processes that are looked for. */
#define GENERATIONS_MAX 64

typedef struct Search {
        FactSink sink;
        ProcTask task;
} Search;

static void report_thread(Search *search, uint64_t domain, Attribution attribution) {
        const Fact fact = {
                .type = FACT_TASK_SEEN,
                .time_usec = clock_realtime_usec(),
                .boot_usec = clock_boottime_usec(),
                .seen = { .domain = domain, .task = proc_task_describe(&search->task), .attribution = attribution },
        };

        search->sink.fn(search->sink.userdata, &fact);
}

static void report_gone(Search *search, const ProcSurvivor *survivor) {
        const Fact fact = {
                .type = FACT_PROCESS_GONE,
                .time_usec = clock_realtime_usec(),
                .gone = { survivor->domain, survivor->pid },
        };

        search->sink.fn(search->sink.userdata, &fact);
}

/* Calls for each living thread; returns how many there are. */
static size_t for_each_thread(Search *search, int64_t pid, void (*fn)(Search *search, uint64_t domain, Attribution attribution),
                              uint64_t domain, Attribution attribution) {
        char path[40];
        struct dirent *entry;
        size_t n = 0;
        int64_t tid;
        DIR *threads;

        snprintf(path, sizeof(path), "/proc/%" PRIi64 "/task", pid);
        threads = opendir(path);
        while (threads && (entry = readdir(threads))) {
                _cleanup_close_ int thread = -EBADF;

                if (text_parse_i64(text_from_string(entry->d_name), &tid) < 0)
                        continue;
                thread = openat(dirfd(threads), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (thread < 0 || proc_task_read_at(thread, tid, UINT64_MAX, &search->task) < 0 || search->task.dead)
                        continue;
                n++;
                if (fn)
                        fn(search, domain, attribution);
        }
        if (threads)
                closedir(threads);
        return n;
}

/* Whether it is the process that was seen then; one whose leading thread has exited is there still. */
static bool lives(Search *search, const ProcSurvivor *survivor) {
        if (proc_task_read(survivor->pid, proc_task_boottime(survivor->seen_usec), &search->task) < 0)
                return false;
        return !search->task.dead || for_each_thread(search, survivor->pid, NULL, 0, 0) > 0;
}

/* Which of its threads are in the domain is known if all are, or as many as there were. */
static void report(Search *search, ProcSurvivor *survivor) {
        Attribution attribution = survivor->attribution;

        if (!lives(search, survivor)) {
                report_gone(search, survivor);
                survivor->n_threads = 0;
                return;
        }
        if (survivor->n_threads == 0)
                return;
        if (!survivor->whole && for_each_thread(search, survivor->pid, NULL, 0, 0) != survivor->n_threads)
                attribution = ATTRIBUTION_INFERRED;
        for_each_thread(search, survivor->pid, report_thread, survivor->domain, attribution);
}

/* ---- what they forked ---- */

typedef struct Child {
        int64_t pid, parent;
        uint64_t domain; /* 0: not known to be in one */
} Child;

static int by_pid(const void *a, const void *b) {
        int64_t x = ((const ProcSurvivor *) a)->pid, y = ((const ProcSurvivor *) b)->pid;

        return (x > y) - (x < y);
}

static int child_by_pid(const void *a, const void *b) {
        int64_t x = ((const Child *) a)->pid, y = ((const Child *) b)->pid;

        return (x > y) - (x < y);
}

static int64_t parent_of(int64_t pid) {
        _cleanup_fclose_ FILE *file = NULL;
        char path[40], line[128];
        int64_t parent = 0;

        snprintf(path, sizeof(path), "/proc/%" PRIi64 "/status", pid);
        file = fopen(path, "re");
        while (file && fgets(line, sizeof(line), file))
                if (sscanf(line, "PPid:\t%" SCNd64, &parent) == 1)
                        break;
        return parent;
}

/* All processes that began after that time; the caller frees *ret. */
static size_t find_young(Search *search, uint64_t since_usec, Child **ret) {
        uint64_t boottime_usec = proc_task_boottime(since_usec);
        size_t n = 0, n_max = 0;
        Child *children = NULL;
        struct dirent *entry;
        int64_t pid;
        DIR *proc = opendir("/proc");

        while (proc && (entry = readdir(proc))) {
                /* What was there before is not read. */
                if (text_parse_i64(text_from_string(entry->d_name), &pid) < 0 ||
                    proc_task_read(pid, boottime_usec, &search->task) != -ESRCH)
                        continue;
                if (n == n_max) {
                        void *more = reallocarray(children, n_max = MAX(2 * n_max, (size_t) 64), sizeof(Child));

                        if (!more)
                                break;
                        children = more;
                }
                children[n++] = (Child) { .pid = pid, .parent = parent_of(pid) };
        }
        if (proc)
                closedir(proc);
        *ret = children;
        return n;
}

/* The domain of a process whose threads are all in one; 0. */
static uint64_t domain_of(const ProcSurvivor *survivors, size_t n, const Child *children, size_t n_children, int64_t pid) {
        const ProcSurvivor key = { .pid = pid }, *survivor = bsearch(&key, survivors, n, sizeof(key), by_pid);
        const Child child_key = { .pid = pid }, *child;

        if (survivor)
                return survivor->n_threads > 0 ? survivor->domain : 0;
        child = bsearch(&child_key, children, n_children, sizeof(child_key), child_by_pid);
        return child ? child->domain : 0;
}

static void report_children(Search *search, const ProcSurvivor *survivors, size_t n, uint64_t since_usec) {
        _cleanup_free_ Child *children = NULL;
        size_t n_children = find_young(search, since_usec, &children);
        bool found = n_children > 0;

        if (n_children > 0)
                qsort(children, n_children, sizeof(Child), child_by_pid);
        for (unsigned generation = 0; found && generation < GENERATIONS_MAX; generation++) {
                found = false;
                for (size_t i = 0; i < n_children; i++) {
                        if (children[i].domain != 0)
                                continue;
                        children[i].domain = domain_of(survivors, n, children, n_children, children[i].parent);
                        if (children[i].domain == 0)
                                continue;
                        found = true;
                        for_each_thread(search, children[i].pid, report_thread, children[i].domain, ATTRIBUTION_INFERRED);
                }
        }
}

void proc_survivor_report(ProcSurvivor *survivors, size_t n, uint64_t since_usec, FactSink sink) {
        _cleanup_free_ Search *search = malloc(sizeof(Search));
        bool followed = false;

        if (!search || n == 0)
                return;
        search->sink = sink;
        qsort(survivors, n, sizeof(ProcSurvivor), by_pid);
        for (size_t i = 0; i < n; i++) {
                report(search, &survivors[i]);
                followed |= survivors[i].n_threads > 0;
        }
        if (followed)
                report_children(search, survivors, n, since_usec);
}
