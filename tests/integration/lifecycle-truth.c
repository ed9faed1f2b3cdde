/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle-truth.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sandbox-die.h"

LifecycleTruth *lifecycle_truth_map(int fd) {
        LifecycleTruth *truth;

        if (ftruncate(fd, sizeof(*truth)) < 0)
                sandbox_die("shared memory: %m");
        truth = mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (truth == MAP_FAILED)
                sandbox_die("shared memory: %m");
        return truth;
}

LifecycleTruth *lifecycle_truth_free(LifecycleTruth *truth) {
        munmap(truth, sizeof(*truth));
        return NULL;
}

static unsigned take_index(atomic_uint *n, unsigned max, const char *what) {
        unsigned index = atomic_fetch_add(n, 1);

        if (index >= max)
                sandbox_die("more than %u %s", max, what);
        return index;
}

unsigned lifecycle_truth_add_ruleset(LifecycleTruth *truth, const TrueRuleset *ruleset) {
        unsigned i = take_index(&truth->n_rulesets, TRUE_RULESETS_MAX, "rulesets");

        truth->rulesets[i] = *ruleset;
        return i;
}

unsigned lifecycle_truth_add_domain(LifecycleTruth *truth, const TrueDomain *domain) {
        unsigned i = take_index(&truth->n_domains, TRUE_DOMAINS_MAX, "domains");

        truth->domains[i] = *domain;
        return i;
}

void lifecycle_truth_add_rule(LifecycleTruth *truth, const TrueRule *rule) {
        truth->rules[take_index(&truth->n_rules, TRUE_RULES_MAX, "rules")] = *rule;
}

void lifecycle_truth_add_task(LifecycleTruth *truth, const TrueTask *task) {
        truth->tasks[take_index(&truth->n_tasks, TRUE_TASKS_MAX, "tasks")] = *task;
}

void lifecycle_truth_add_denial(LifecycleTruth *truth, const TrueDenial *denial) {
        truth->denials[take_index(&truth->n_denials, TRUE_DENIALS_MAX, "denials")] = *denial;
}

/* --- what /proc says ------------------------------------------------------------------------------------------- */

typedef struct LiveTask {
        char state; /* as in /proc: 'Z' has exited; 0: there is no such thread */
        char comm[16];
        char exe[PATH_MAX]; /* empty: it has exited, and its memory is gone */
        unsigned uid;
} LiveTask;

static FILE *open_proc(pid_t pid, pid_t tid, const char *name) {
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, name);
        return fopen(path, "re");
}

/* comm may hold anything, also what looks like the end of it. */
static void read_stat(FILE *stat, LiveTask *ret) {
        char line[512], *open, *close;

        line[fread(line, 1, sizeof(line) - 1, stat)] = '\0';
        open = strchr(line, '(');
        close = strrchr(line, ')');
        if (!open || !close)
                sandbox_die("/proc says \"%s\"", line);
        snprintf(ret->comm, sizeof(ret->comm), "%.*s", (int) (close - open - 1), open + 1);
        ret->state = close[2];
}

static unsigned read_uid(FILE *status) {
        char line[256];
        unsigned uid;

        while (fgets(line, sizeof(line), status))
                if (sscanf(line, "Uid: %u", &uid) == 1)
                        return uid;
        sandbox_die("/proc tells no uid");
}

static LiveTask live_task(pid_t pid, pid_t tid) {
        LiveTask live = {};
        char path[64];
        FILE *file;

        file = open_proc(pid, tid, "stat");
        if (!file)
                return live;
        read_stat(file, &live);
        fclose(file);
        file = open_proc(pid, tid, "status");
        if (!file)
                return (LiveTask) {};
        live.uid = read_uid(file);
        fclose(file);
        snprintf(path, sizeof(path), "/proc/%d/task/%d/exe", pid, tid);
        if (readlink(path, live.exe, sizeof(live.exe) - 1) < 0)
                live.exe[0] = '\0';
        return live;
}

/* --- JSON ------------------------------------------------------------------------------------------------------ */

/* Names of rights, in the order of their bits; those of landlockd's blockers. */
static const char *const fs_names[] = {
        "execute",  "write_file", "read_file", "read_dir",  "remove_dir", "remove_file", "make_char", "make_dir", "make_reg",
        "make_sock", "make_fifo", "make_block", "make_sym", "refer",      "truncate",    "ioctl_dev", "resolve_unix", NULL,
};
static const char *const net_names[] = { "bind_tcp", "connect_tcp", "bind_udp", "connect_send_udp", NULL };
static const char *const scope_names[] = { "abstract_unix_socket", "signal", NULL };

/* Bytes that need no thought in JSON are written as they are, all others as hex under another key. */
static void print_bytes(const char *key, const char *bytes) {
        size_t len = strlen(bytes);
        bool plain = true;

        for (size_t i = 0; i < len; i++)
                plain = plain && bytes[i] >= ' ' && bytes[i] <= '~' && bytes[i] != '"' && bytes[i] != '\\';
        if (plain) {
                printf(",\"%s\":\"%s\"", key, bytes);
                return;
        }
        printf(",\"%s_hex\":\"", key);
        for (size_t i = 0; i < len; i++)
                printf("%02x", (unsigned char) bytes[i]);
        putchar('"');
}

static void print_rights(const char *key, const char *class, const char *const *names, uint64_t bits) {
        const char *comma = "";

        printf("\"%s\":[", key);
        for (size_t i = 0; names[i]; i++)
                if (bits & (UINT64_C(1) << i)) {
                        printf("%s\"%s.%s\"", comma, class, names[i]);
                        comma = ",";
                }
        putchar(']');
}

static void print_rule(const TrueRule *rule) {
        printf("{\"version\":%u,", rule->version);
        if (rule->is_port) {
                print_rights("access", "net", net_names, rule->access);
                printf(",\"kind\":\"net_port\",\"port\":%ju}", (uintmax_t) rule->port);
                return;
        }
        print_rights("access", "fs", fs_names, rule->access);
        printf(",\"kind\":\"path_beneath\",\"dev_number\":\"%u:%u\",\"ino\":%ju", rule->dev_major, rule->dev_minor,
               (uintmax_t) rule->ino);
        print_bytes("path", rule->path);
        putchar('}');
}

static void print_ruleset(const LifecycleTruth *truth, unsigned index) {
        const TrueRuleset *ruleset = &truth->rulesets[index];
        const char *comma = "";

        printf("{\"pid\":%d,\"tid\":%d,\"handled\":{", ruleset->pid, ruleset->tid);
        print_rights("fs", "fs", fs_names, ruleset->attr.handled_access_fs);
        putchar(',');
        print_rights("net", "net", net_names, ruleset->attr.handled_access_net);
        putchar(',');
        print_rights("scope", "scope", scope_names, ruleset->attr.scoped);
        fputs("},\"rules\":[", stdout);
        for (unsigned i = 0; i < truth->n_rules; i++)
                if (truth->rules[i].ruleset == index) {
                        fputs(comma, stdout);
                        print_rule(&truth->rules[i]);
                        comma = ",";
                }
        fputs("]}", stdout);
}

static void print_index(const char *key, int index) {
        if (index == OUTSIDE)
                printf(",\"%s\":null", key);
        else
                printf(",\"%s\":%d", key, index);
}

static void print_domain(const LifecycleTruth *truth, unsigned index, bool live) {
        const TrueDomain *domain = &truth->domains[index];
        uint64_t n_denials = 0;

        for (unsigned i = 0; i < truth->n_denials; i++)
                if (truth->denials[i].domain == index)
                        n_denials += truth->denials[i].count;
        printf("{\"pid\":%d,\"tid\":%d", domain->pid, domain->tid);
        print_index("parent", domain->parent);
        printf(",\"ruleset\":%u,\"version\":%u,\"process_wide\":%s,\"no_new_privs\":%s,\"denials\":%ju,\"live\":%s}",
               domain->ruleset, domain->ruleset_version, domain->process_wide ? "true" : "false",
               domain->no_new_privs ? "true" : "false", (uintmax_t) n_denials, live ? "true" : "false");
}

static void print_denial(const TrueDenial *denial) {
        const char *same_exec = denial->same_exec ? "true" : "false";

        printf("{\"domain\":%u,\"pid\":%d,\"tid\":%d,\"count\":%ju,\"same_exec\":%s,\"logged\":%s}", denial->domain,
               denial->pid, denial->tid, (uintmax_t) denial->count, same_exec, same_exec);
}

static void print_task(const TrueTask *task, const LiveTask *live) {
        static const char *const ways[] = {
                [WAY_FORKED] = "forked",
                [WAY_ENFORCED] = "enforced",
                [WAY_EXECED] = "execed",
        };

        printf("{\"pid\":%d,\"tid\":%d,\"way\":\"%s\"", task->pid, task->tid, ways[task->way]);
        print_index("domain", task->domain);
        printf(",\"in\":%s", live->state && live->state != 'Z' ? "true" : "false");
        if (live->state && live->state != 'Z') {
                print_bytes("comm", live->comm);
                print_bytes("exe", live->exe);
                printf(",\"uid\":%u", live->uid);
        }
        putchar('}');
}

/* Whether no later one tells that the thread went elsewhere. */
static bool *last_of_threads(const LifecycleTruth *truth) {
        static bool is_last[TRUE_TASKS_MAX];
        static int last_of[1 << 22]; /* index + 1 by thread ID, which the kernel keeps below this */

        memset(is_last, 0, sizeof(is_last));
        for (unsigned i = 0; i < truth->n_tasks; i++) {
                int *last = &last_of[truth->tasks[i].tid & ((1 << 22) - 1)];

                if (*last)
                        is_last[*last - 1] = false;
                is_last[i] = true;
                *last = (int) i + 1;
        }
        for (unsigned i = 0; i < truth->n_tasks; i++)
                last_of[truth->tasks[i].tid & ((1 << 22) - 1)] = 0;
        return is_last;
}

/* A thread keeps its domain, with all around it, until it is reaped: a zombie does as well. */
static void mark_live(const LifecycleTruth *truth, int domain, bool *live) {
        for (; domain != OUTSIDE && !live[domain]; domain = truth->domains[domain].parent)
                live[domain] = true;
}

static void print_tasks(const LifecycleTruth *truth, bool *ret_live) {
        const bool *is_last = last_of_threads(truth);

        fputs("\"tasks\":[", stdout);
        for (unsigned i = 0; i < truth->n_tasks; i++) {
                const TrueTask *task = &truth->tasks[i];
                LiveTask live = {};

                if (is_last[i])
                        live = live_task(task->pid, task->tid);
                if (live.state)
                        mark_live(truth, task->domain, ret_live);
                if (i > 0)
                        putchar(',');
                print_task(task, &live);
        }
        putchar(']');
}

void lifecycle_truth_print(const LifecycleTruth *truth, const char *name, const char *phase) {
        bool live[TRUE_DOMAINS_MAX] = {};

        printf("{\"case\":\"%s\",\"phase\":\"%s\",", name, phase);
        print_tasks(truth, live);
        fputs(",\"rulesets\":[", stdout);
        for (unsigned i = 0; i < truth->n_rulesets; i++) {
                fputs(i > 0 ? "," : "", stdout);
                print_ruleset(truth, i);
        }
        fputs("],\"domains\":[", stdout);
        for (unsigned i = 0; i < truth->n_domains; i++) {
                if (truth->domains[i].by_file && strcmp(phase, "held") == 0)
                        mark_live(truth, (int) i, live);
                fputs(i > 0 ? "," : "", stdout);
                print_domain(truth, i, live[i]);
        }
        fputs("],\"denials\":[", stdout);
        for (unsigned i = 0; i < truth->n_denials; i++) {
                fputs(i > 0 ? "," : "", stdout);
                print_denial(&truth->denials[i]);
        }
        fputs("]}\n", stdout);
        fflush(stdout);
}
