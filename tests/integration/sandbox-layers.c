/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domains in domains, and domains of some threads only: which domain a denial is put down to. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "sandbox.h"

/* A denial is put down to the innermost domain that denies any of what was asked, and names only what that
 * one denies. */
static void run_nested(Sandbox *s) {
        unsigned outer, inner;

        outer = sandbox_restrict(s, &write_ruleset, 0);
        sandbox_refuse(s, outer, "fs.write_file", attempt_write);
        inner = sandbox_restrict(s, &read_ruleset, 0);
        sandbox_refuse(s, outer, "fs.write_file", attempt_write);
        sandbox_refuse(s, inner, "fs.read_file", attempt_read);
        sandbox_refuse(s, inner, "fs.read_file", attempt_read_write);
}

/* The same right denied by both: the inner domain shields the outer one. */
static void run_nested_same(Sandbox *s) {
        unsigned inner;

        sandbox_restrict(s, &write_ruleset, 0);
        inner = sandbox_restrict(s, &write_ruleset, 0);
        sandbox_refuse(s, inner, "fs.write_file", attempt_write);
}

/* The inner domain is another process's, and both go on. */
static void run_nested_child(Sandbox *s) {
        unsigned outer;
        pid_t child;

        outer = sandbox_restrict(s, &write_ruleset, 0);
        child = fork();
        if (child < 0)
                sandbox_die("fork: %m");
        if (child == 0) {
                unsigned inner = sandbox_restrict(s, &read_ruleset, 0);

                sandbox_refuse(s, inner, "fs.read_file", attempt_read);
                sandbox_refuse(s, outer, "fs.write_file", attempt_write);
                _exit(EXIT_SUCCESS);
        }
        sandbox_wait(child);
        sandbox_refuse(s, outer, "fs.write_file", attempt_write);
}

/* As many layers as the kernel allows. Each handles reading; every second one writing too, so that the
 * innermost of each sort is the one that denies. */
static void run_nested_max(Sandbox *s) {
        static const LandlockRuleset both = {
                .handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE,
        };

        for (unsigned i = 0; i < TRUTH_DOMAINS_MAX; i++) {
                unsigned domain = sandbox_restrict(s, i % 2 ? &both : &read_ruleset, 0);

                sandbox_refuse(s, domain, "fs.read_file", attempt_read);
                if (i > 0)
                        sandbox_refuse(s, domain - !(i % 2), "fs.write_file", attempt_write);
        }
}

static void run_threads(Sandbox *s) {
        unsigned domain;

        if (s->threads == 1)
                s->threads = 3;
        domain = sandbox_restrict(s, &write_ruleset, 0);
        sandbox_refuse(s, domain, "fs.write_file", attempt_write);
}

static void *confined_thread(void *userdata) {
        Sandbox *s = userdata;
        unsigned domain;

        domain = sandbox_restrict(s, &write_ruleset, 0);
        sandbox_refuse(s, domain, "fs.write_file", attempt_write);
        return NULL;
}

/* A domain belongs to a thread: the others of the process stay free. */
static void run_thread_one(Sandbox *s) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, confined_thread, s) != 0)
                sandbox_die("no thread");
        pthread_join(thread, NULL);
        if (attempt_write(NULL) < 0)
                sandbox_die("a thread outside of the domain was refused");
}

typedef struct SyncedThread {
        Sandbox *sandbox;
        pthread_barrier_t restricted;
} SyncedThread;

static void *synced_thread(void *userdata) {
        SyncedThread *synced = userdata;

        pthread_barrier_wait(&synced->restricted);
        sandbox_refuse(synced->sandbox, 1, "fs.write_file", attempt_write);
        return NULL;
}

/* One thread confines all: the domain is of a thread that never asked for it. */
static void run_threads_sync(Sandbox *s) {
        SyncedThread synced = { .sandbox = s };
        pthread_t thread;

        pthread_barrier_init(&synced.restricted, NULL, 2);
        if (pthread_create(&thread, NULL, synced_thread, &synced) != 0)
                sandbox_die("no thread");
        sandbox_restrict(s, &write_ruleset, LANDLOCK_RESTRICT_SELF_TSYNC);
        pthread_barrier_wait(&synced.restricted);
        pthread_join(thread, NULL);
        sandbox_refuse(s, 1, "fs.write_file", attempt_write);
}

const Kind layer_kinds[] = {
        { .name = "nested", .abi = 1, .run = run_nested },
        { .name = "nested-same", .abi = 1, .run = run_nested_same },
        { .name = "nested-child", .abi = 1, .run = run_nested_child },
        { .name = "nested-max", .abi = 1, .run = run_nested_max },
        { .name = "threads", .abi = 1, .run = run_threads },
        { .name = "thread-one", .abi = 1, .run = run_thread_one },
        { .name = "threads-sync", .abi = 8, .run = run_threads_sync },
        {},
};
