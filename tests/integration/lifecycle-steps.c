/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps that life-cycles are made of. Each does one thing, checks what the kernel answered, and tells it to the
 * truth. */

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lifecycle.h"

const LandlockRuleset handles_write = { .handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE };
const LandlockRuleset handles_read = { .handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE };

static LifecycleTruth *truth;

/* Where a thread is, with its number among those of its process that this program knows. */
typedef struct Position {
        pid_t tid;
        int domain;
        unsigned n_before_exec; /* domains below this index were entered before the last execve(2) */
} Position;

enum { THREADS_MAX = 64 };

static _Thread_local Position here = { .domain = OUTSIDE };

/* The process's threads; of a dead one NULL. */
static Position *threads[THREADS_MAX];
static unsigned n_threads_ever, n_threads;
static pthread_mutex_t threads_lock = PTHREAD_MUTEX_INITIALIZER;

static void tell_task(pid_t tid, int domain, TrueWay way) {
        lifecycle_truth_add_task(truth, &(TrueTask) { .pid = getpid(), .tid = tid, .domain = domain, .way = way });
}

/* The calling thread begins to exist, in the domain that `here` names. */
static void thread_begin(void) {
        here.tid = gettid();
        pthread_mutex_lock(&threads_lock);
        if (n_threads_ever == THREADS_MAX)
                sandbox_die("more than %d threads", THREADS_MAX);
        threads[n_threads_ever++] = &here;
        n_threads++;
        pthread_mutex_unlock(&threads_lock);
        tell_task(here.tid, here.domain, WAY_FORKED);
}

static void thread_end(void) {
        pthread_mutex_lock(&threads_lock);
        for (unsigned i = 0; i < n_threads_ever; i++)
                if (threads[i] == &here)
                        threads[i] = NULL;
        n_threads--;
        pthread_mutex_unlock(&threads_lock);
}

/* The calling thread is the only one of a new process. */
static void process_begin(void) {
        n_threads_ever = n_threads = 0;
        pthread_mutex_init(&threads_lock, NULL);
        thread_begin();
}

void steps_init(void) {
        truth = lifecycle_truth_map(TRUTH_FD);
        process_begin();
}

/* --- rulesets and domains ---------------------------------------------------------------------------------------- */

Ruleset ruleset_new(const LandlockRuleset *attr) {
        Ruleset ruleset = { .attr = *attr };

        ruleset.fd = landlock_abi_create_ruleset(attr);
        if (ruleset.fd < 0)
                sandbox_die("landlock_create_ruleset: %m");
        ruleset.index = lifecycle_truth_add_ruleset(
                truth, &(TrueRuleset) { .pid = getpid(), .tid = gettid(), .attr = *attr });
        return ruleset;
}

/* The kernel numbers a ruleset's rules from 1. */
static unsigned next_version(const Ruleset *ruleset) {
        return atomic_fetch_add(&truth->rulesets[ruleset->index].n_rules, 1) + 1;
}

void ruleset_allow_path(const Ruleset *ruleset, const char *path, uint64_t access) {
        TrueRule rule = { .ruleset = ruleset->index, .access = access };
        struct stat st;
        char *real;
        int fd;

        fd = open(path, O_PATH | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                sandbox_die("%s: %m", path);
        if (landlock_abi_add_path_rule(ruleset->fd, fd, access, 0) < 0)
                sandbox_die("landlock_add_rule: %m");
        close(fd);
        real = realpath(path, NULL);
        if (!real || strlen(real) >= sizeof(rule.path))
                sandbox_die("%s: %m", path);
        strcpy(rule.path, real);
        free(real);
        rule.dev_major = major(st.st_dev);
        rule.dev_minor = minor(st.st_dev);
        rule.ino = st.st_ino;
        rule.version = next_version(ruleset);
        lifecycle_truth_add_rule(truth, &rule);
}

void ruleset_allow_port(const Ruleset *ruleset, uint64_t port, uint64_t access) {
        if (landlock_abi_add_port_rule(ruleset->fd, port, access) < 0)
                sandbox_die("landlock_add_rule: %m");
        lifecycle_truth_add_rule(truth, &(TrueRule) {
                .ruleset = ruleset->index,
                .version = next_version(ruleset),
                .access = access,
                .is_port = true,
                .port = port,
        });
}

void ruleset_close(Ruleset *ruleset) {
        close(ruleset->fd);
        ruleset->fd = -1;
}

/* All threads of the process are where the calling one is. */
static void gather_threads(void) {
        for (unsigned i = 0; i < n_threads_ever; i++)
                if (threads[i] && threads[i] != &here) {
                        threads[i]->domain = here.domain;
                        tell_task(threads[i]->tid, here.domain, WAY_ENFORCED);
                }
}

unsigned domain_enter(const Ruleset *ruleset, unsigned flags) {
        bool sync = flags & LANDLOCK_RESTRICT_SELF_TSYNC;
        TrueDomain domain = {
                .pid = getpid(),
                .tid = gettid(),
                .parent = here.domain,
                .ruleset = ruleset->index,
                .ruleset_version = truth->rulesets[ruleset->index].n_rules,
                .process_wide = sync || n_threads == 1,
                .no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
        };

        if (landlock_abi_restrict_self(ruleset->fd, flags) < 0)
                sandbox_die("landlock_restrict_self: %m");
        here.domain = (int) lifecycle_truth_add_domain(truth, &domain);
        tell_task(domain.tid, here.domain, WAY_ENFORCED);
        if (sync)
                gather_threads();
        return (unsigned) here.domain;
}

unsigned domain_make(const LandlockRuleset *attr) {
        Ruleset ruleset = ruleset_new(attr);
        unsigned domain;

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                sandbox_die("no_new_privs: %m");
        domain = domain_enter(&ruleset, 0);
        ruleset_close(&ruleset);
        return domain;
}

void domains_wait(unsigned n) {
        while (truth->n_domains < n)
                usleep(1000);
}

void domain_set_by_file(unsigned domain) {
        truth->domains[domain].by_file = true;
}

/* --- denials ----------------------------------------------------------------------------------------------------- */

static void tell_denials(pid_t tid, unsigned count, bool same_exec) {
        int domain = here.domain;

        /* The innermost that handles it is the one that denies. */
        while (domain != OUTSIDE && !(truth->rulesets[truth->domains[domain].ruleset].attr.handled_access_fs &
                                      LANDLOCK_ACCESS_FS_WRITE_FILE))
                domain = truth->domains[domain].parent;
        if (domain == OUTSIDE)
                sandbox_die("no domain handles writing");
        lifecycle_truth_add_denial(truth, &(TrueDenial) {
                .pid = getpid(),
                .tid = tid,
                .domain = (unsigned) domain,
                .count = count,
                .same_exec = same_exec && (unsigned) domain >= here.n_before_exec,
        });
}

void refuse(unsigned times) {
        for (unsigned i = 0; i < times; i++)
                if (open("file", O_WRONLY | O_CLOEXEC) >= 0 || errno != EACCES)
                        sandbox_die("writing to \"file\" was not refused");
        tell_denials(gettid(), times, true);
}

/* --- processes and threads --------------------------------------------------------------------------------------- */

pid_t task_fork(uint64_t flags) {
        struct clone_args args = {
                .flags = flags,
                .exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
        };
        pid_t pid;

        pid = (pid_t) syscall(SYS_clone3, &args, sizeof(args));
        if (pid < 0)
                sandbox_die("clone3: %m");
        if (flags & CLONE_NEWPID) {
                if (pid > 0)
                        task_made(pid);
        } else if (pid == 0)
                process_begin();
        return pid;
}

pid_t task_run(void (*fn)(void)) {
        pid_t pid;

        pid = task_fork(0);
        if (pid > 0)
                return pid;
        fn();
        _exit(EXIT_SUCCESS);
}

void task_made(pid_t pid) {
        lifecycle_truth_add_task(
                truth, &(TrueTask) { .pid = pid, .tid = pid, .domain = here.domain, .way = WAY_FORKED });
}

typedef struct ThreadStart {
        void (*fn)(void);
        Position position;
        pthread_barrier_t begun;
} ThreadStart;

static void *thread_main(void *userdata) {
        ThreadStart *start = userdata;
        void (*fn)(void) = start->fn;

        here = start->position;
        thread_begin();
        pthread_barrier_wait(&start->begun);
        fn();
        thread_end();
        return NULL;
}

void thread_run(void (*fn)(void)) {
        ThreadStart start = { .fn = fn, .position = here };
        pthread_t thread;

        pthread_barrier_init(&start.begun, NULL, 2);
        if (pthread_create(&thread, NULL, thread_main, &start) != 0 || pthread_detach(thread) != 0)
                sandbox_die("no thread");
        pthread_barrier_wait(&start.begun);
        pthread_barrier_destroy(&start.begun);
}

void threads_wait_for_end(void) {
        struct stat st;

        /* Two links are the directory's own. */
        while (stat("/proc/self/task", &st) < 0 || st.st_nlink > 3)
                usleep(1000);
}

void reap(pid_t pid) {
        int status;

        if (waitpid(pid, &status, 0) < 0)
                sandbox_die("waitpid: %m");
        if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS)
                sandbox_die("child %d ended with status %#x", pid, status);
}

void settle(void) {
        close(UNSETTLED_FD);
}

void hold(void) {
        char c;

        while (read(STDIN_FILENO, &c, 1) < 0 && errno == EINTR)
                ;
}

void hold_and_exit(void) {
        settle();
        hold();
        _exit(EXIT_SUCCESS);
}

/* --- other programs ---------------------------------------------------------------------------------------------- */

/* The thread that executes goes on as the only one, under the ID of the leader. */
static void tell_exec(void) {
        if (here.tid != getpid())
                tell_task(getpid(), here.domain, WAY_EXECED);
}

/* What is executed makes things still, and has to say when it no longer does. */
static void keep_unsettled(void) {
        if (fcntl(UNSETTLED_FD, F_SETFD, 0) < 0)
                sandbox_die("fcntl: %m");
}

static void exec_sh(const char *script) __attribute__((noreturn));

static void exec_sh(const char *script) {
        keep_unsettled();
        execl("/bin/sh", "sh", "-c", script, NULL);
        sandbox_die("sh: %m");
}

void exec_held(void) {
        tell_exec();
        exec_sh(SH_HELD);
}

void exec_refused(void) {
        tell_exec();
        tell_denials(getpid(), 1, false);
        exec_sh(SH_REFUSED);
}

void exec_chain(unsigned n) {
        char domain[12], left[12];

        tell_exec();
        snprintf(domain, sizeof(domain), "%d", here.domain);
        snprintf(left, sizeof(left), "%u", n);
        keep_unsettled();
        execl("/proc/self/exe", "lifecycle", "chain", domain, left, NULL);
        sandbox_die("/proc/self/exe: %m");
}

void chain_main(char *argv[]) {
        unsigned n;

        here.domain = atoi(argv[2]);
        here.n_before_exec = (unsigned) (here.domain + 1);
        n = (unsigned) atoi(argv[3]);
        truth = lifecycle_truth_map(TRUTH_FD);
        here.tid = gettid();
        threads[n_threads_ever++] = &here;
        n_threads = 1;
        if (here.domain != OUTSIDE)
                refuse(1);
        domain_make(&handles_write);
        refuse(1);
        if (n > 1)
                exec_chain(n - 1);
        hold_and_exit();
}
