/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the BPF source tells, as JSON lines, without a daemon around it: the tests hold it against the truth.
 *
 *   bpf-dump snapshot     all threads that live in a domain, and these domains; at last what it cost
 *   bpf-dump thread TID…  the domain of each of these threads
 *   bpf-dump events       says when it listens, then what happens until standard input ends
 *   bpf-dump load         loads the programs for where Landlock's functions cannot be attached to, wherever it is
 *
 * Once all is open it has the capabilities that landlockd keeps, and no others. Ends with 77 and the reason if BPF cannot
 * tell. */

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <linux/capability.h>
#include <string.h>

#include "base/capability.h"
#include "base/clock.h"
#include "source/bpf-events.h"
#include "source/bpf-source.h"

enum {
        EXIT_USAGE = 2,
        EXIT_UNSUPPORTED = 77,
};

static Counters counters;

static json_t *text(Text t) {
        json_t *json;
        char *escaped;

        if (!text_known(t) || text_escape(t, &escaped) < 0)
                return NULL;
        json = json_string(escaped);
        free(escaped);
        return json;
}

static json_t *id(uint64_t value) {
        char hex[sizeof("ffffffffffffffff")];

        snprintf(hex, sizeof(hex), "%" PRIx64, value);
        return json_string(hex);
}

/* Takes the values; leaves out those that are not known. */
static void set(json_t *object, const char *key, json_t *value) {
        if (value)
                json_object_set_new(object, key, value);
}

static void print(json_t *object) {
        json_dumpf(object, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(object);
}

static json_t *names(AccessClass class, uint64_t bits) {
        char buffer[ACCESS_NAME_SIZE];
        json_t *array = json_array();

        while (bits)
                json_array_append_new(array, text(access_next_name(class, &bits, buffer)));
        return array;
}

static json_t *event(const char *type, uint64_t domain) {
        json_t *object = json_object();

        set(object, "type", json_string(type));
        set(object, "domain", id(domain));
        return object;
}

static void set_task(json_t *object, const TaskDescription *task) {
        set(object, "tid", json_integer(task->tid));
        set(object, "pid", json_integer(task->pid));
        set(object, "uid", json_integer(task->uid));
        set(object, "comm", text(task->comm));
        set(object, "exe", text(task->exe));
}

static void print_domain_seen(const DomainSight *sight) {
        const DomainDescription *described = &sight->described;
        json_t *object = event("domain", described->domain);

        set(object, "parent", sight->parent ? id(sight->parent) : NULL);
        set(object, "pid", json_integer(described->creator_pid));
        set(object, "uid", json_integer(described->creator_uid));
        set(object, "comm", text(described->creator_comm));
        set(object, "exe", text(described->creator_exe));
        set(object, "label", text(described->label));
        set(object, "denials", sight->has_n_denials ? json_integer(sight->n_denials) : NULL);
        set(object, "fs", names(ACCESS_FS, sight->handled.bits[ACCESS_FS]));
        set(object, "net", names(ACCESS_NET, sight->handled.bits[ACCESS_NET]));
        set(object, "scope", names(ACCESS_SCOPE, sight->handled.bits[ACCESS_SCOPE]));
        print(object);
}

static void print_task_seen(const TaskSight *seen) {
        json_t *object = event("thread", seen->domain);

        set_task(object, &seen->task);
        print(object);
}

static void print_created(const DomainCreation *created) {
        json_t *object = event("created", created->domain);

        set(object, "parent", created->parent ? id(created->parent) : NULL);
        set_task(object, &created->creator);
        print(object);
}

static void print_enforced(const DomainEnforcement *enforced) {
        json_t *object = event("enforced", enforced->domain);

        set_task(object, &enforced->task);
        set(object, "process_wide", json_boolean(enforced->process_wide));
        set(object, "no_new_privs", json_boolean(enforced->no_new_privs));
        print(object);
}

static void set_object(json_t *object, const DenialObject *denied) {
        set(object, "kind", json_string(object_kind_to_string(denied->kind)));
        set(object, "path", text(denied->path));
        set(object, "name", text(denied->name));
        set(object, "ino", denied->has_ino ? json_integer(denied->ino) : NULL);
        set(object, "dev", denied->has_dev_number ? json_pack("[ii]", denied->dev_major, denied->dev_minor) : NULL);
        set(object, "ioctl_cmd", denied->has_ioctl_cmd ? json_integer(denied->ioctl_cmd) : NULL);
        set(object, "local_address", text(denied->local_address));
        set(object, "remote_address", text(denied->remote_address));
        set(object, "local_port", denied->has_local_port ? json_integer(denied->local_port) : NULL);
        set(object, "remote_port", denied->has_remote_port ? json_integer(denied->remote_port) : NULL);
        set(object, "pid", denied->has_pid ? json_integer(denied->pid) : NULL);
        set(object, "comm", text(denied->comm));
        set(object, "domain", denied->has_domain ? id(denied->domain) : NULL);
}

static void print_denied(const Denial *denial) {
        json_t *object = event("denial", denial->domain), *denied = json_object(), *blockers = json_array();
        int64_t value;

        for (unsigned i = 0; i < BLOCKER_MAX; i++)
                if (denial->blockers.known & UINT64_C(1) << i)
                        json_array_append_new(blockers, text(blocker_name(i)));
        set(object, "blockers", blockers);
        set(object, "other", text(denial->blockers.other));
        set(object, "tid", denial_subject_id(denial, SUBJECT_tid, &value) ? json_integer(value) : NULL);
        set(object, "pid", denial_subject_id(denial, SUBJECT_pid, &value) ? json_integer(value) : NULL);
        set(object, "comm", text(denial->subject.comm));
        set(object, "same_exec", json_boolean(denial->same_exec));
        set(object, "logged", denial->has_logged ? json_boolean(denial->logged) : NULL);
        set_object(denied, &denial->object);
        set(object, "object", denied);
        print(object);
}

static void print_counted(const DomainCount *counted) {
        json_t *object = event("counted", counted->domain);

        set(object, "denials", json_integer(counted->n_denials));
        print(object);
}

static void print_freed(const DomainEnd *freed) {
        json_t *object = event("freed", freed->domain);

        set(object, "denials", freed->has_n_denials ? json_integer(freed->n_denials) : NULL);
        print(object);
}

static void on_fact(void *userdata _unused_, const Fact *fact) {
        switch (fact->type) {
        case FACT_DOMAIN_SEEN:
                print_domain_seen(&fact->sight);
                break;
        case FACT_TASK_SEEN:
                print_task_seen(&fact->seen);
                break;
        case FACT_DOMAIN_CREATED:
                print_created(&fact->created);
                break;
        case FACT_DOMAIN_ENFORCED:
                print_enforced(&fact->enforced);
                break;
        case FACT_ACCESS_DENIED:
                print_denied(&fact->denied);
                break;
        case FACT_DOMAIN_COUNTED:
                print_counted(&fact->counted);
                break;
        case FACT_DOMAIN_FREED:
                print_freed(&fact->freed);
                break;
        default:
                print(json_pack("{ss si sI}", "type", "other", "fact", (int) fact->type, "count",
                                (json_int_t) (fact->type == FACT_EVENTS_LOST ? fact->lost.count : 0)));
        }
}

static void ignore_fact(void *userdata _unused_, const Fact *fact _unused_) {
}

/* What it costs, without what printing does. */
static int print_cost(BpfSnapshot *snapshot) {
        uint64_t cpu_usec = clock_usec(CLOCK_PROCESS_CPUTIME_ID);
        int r = bpf_snapshot_run(snapshot, (FactSink) { .fn = ignore_fact });

        cpu_usec = clock_usec(CLOCK_PROCESS_CPUTIME_ID) - cpu_usec;
        print(json_pack("{ss sI}", "type", "cost", "cpu_usec", (json_int_t) cpu_usec));
        return r;
}

static int print_snapshot(BpfSnapshot *snapshot) {
        int r = bpf_snapshot_run(snapshot, (FactSink) { .fn = on_fact });

        return r < 0 ? r : print_cost(snapshot);
}

static int print_threads(BpfSnapshot *snapshot, char *tids[]) {
        uint64_t domain;
        int r;

        for (; *tids; tids++) {
                r = bpf_snapshot_thread(snapshot, strtoll(*tids, NULL, 10), &domain);
                if (r < 0 && r != -ESRCH)
                        return r;
                print(json_pack("{ss ss so}", "type", "lookup", "tid", *tids, "domain", r < 0 ? json_null() : id(domain)));
        }
        return 0;
}

static void on_input(evutil_socket_t fd, short what _unused_, void *userdata) {
        char buffer[64];

        if (read(fd, buffer, sizeof(buffer)) <= 0)
                event_base_loopbreak(userdata);
}

static int print_events(BpfSource *source, struct event_base *base) {
        struct event *input = event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, base);

        if (!input || event_add(input, NULL) < 0) {
                FREE_IF_SET(event_free, input);
                return -EIO; /* epoll takes no plain files */
        }
        print(json_pack("{ss sb sb}", "type", "listening", "domains", bpf_source_tells_domains(source), "denials",
                        bpf_source_tells_denials(source)));
        event_base_dispatch(base);
        bpf_source_drain(source);
        event_free(input);
        return 0;
}

static void ignore_record(void *userdata _unused_, const BpfRecord *record _unused_) {
}

static int load(BpfSnapshot *snapshot) {
        _cleanup_(bpf_events_freep) BpfEvents *events = NULL;
        int r;

        r = bpf_events_new(&events, &(BpfEventsOptions) {
                .way = BPF_EVENTS_SYSTEM_CALL,
                .credential_offset = bpf_snapshot_credential_offset(snapshot),
                .buffer_size = 1,
                .handler = ignore_record,
        });
        if (r >= 0)
                print(json_pack("{ss}", "type", "loaded"));
        return r;
}

static int run(BpfSource *source, struct event_base *base, char *argv[]) {
        if (strcmp(argv[1], "events") == 0)
                return print_events(source, base);
        if (strcmp(argv[1], "thread") == 0)
                return print_threads(bpf_source_snapshot(source), argv + 2);
        return print_snapshot(bpf_source_snapshot(source));
}

static bool usage_is_right(int argc, char *argv[]) {
        return argc >= 2 && (strcmp(argv[1], "thread") == 0 ||
                             (argc == 2 && (strcmp(argv[1], "snapshot") == 0 || strcmp(argv[1], "events") == 0 ||
                                            strcmp(argv[1], "load") == 0)));
}

int main(int argc, char *argv[]) {
        _cleanup_(bpf_source_freep) BpfSource *source = NULL;
        struct event_base *base = event_base_new();
        Config config;
        int r;

        if (!usage_is_right(argc, argv)) {
                fputs("usage: bpf-dump snapshot | thread TID... | events | load\n", stderr);
                return EXIT_USAGE;
        }
        setvbuf(stdout, NULL, _IOLBF, 0);
        config_set_defaults(&config);
        r = bpf_source_new(&source, &(BpfSourceOptions) {
                .base = base,
                .config = &config,
                .trace_tells = strcmp(argv[1], "events") != 0,
                .ftrace_enabled = -1,
                .sink = { .fn = on_fact },
                .counters = &counters,
        });
        if (r < 0)
                return EXIT_FAILURE;
        if (!bpf_source_snapshot(source)) {
                fprintf(stderr, "%s\n", bpf_source_status(source)->reason);
                return EXIT_UNSUPPORTED;
        }
        if (strcmp(argv[1], "load") == 0)
                r = load(bpf_source_snapshot(source));
        else if ((r = capability_keep(CAPABILITY(CAP_AUDIT_CONTROL))) >= 0)
                r = run(source, base, argv);
        if (r < 0)
                fprintf(stderr, "bpf-dump: %s\n", strerror(-r));
        source = bpf_source_free(source);
        event_base_free(base);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
