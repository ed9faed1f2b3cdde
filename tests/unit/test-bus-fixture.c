/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-bus-fixture.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "source/proc-task.h"

void fixture_require(void) {
        const char *lacking = NULL;

        if (geteuid() != 0)
                lacking = "must run as root, who can be every user";
        else if (system("dbus-daemon --version >/dev/null 2>&1") != 0)
                lacking = "dbus-daemon is not installed";
        if (!lacking)
                return;

        printf("1..0 # SKIP %s\n", lacking);
        exit(0);
}

/* The limit is that of the system bus, above which the sender is disconnected. */
static void write_config(const char *directory, const char *policy) {
        static const char config[] =
                "<busconfig>\n"
                "<type>session</type>\n"
                "<listen>unix:path=%s/bus</listen>\n"
                "<auth>EXTERNAL</auth>\n"
                "%s"
                "<limit name=\"max_message_size\">33554432</limit>\n"
                "<limit name=\"max_connections_per_user\">1000</limit>\n"
                "</busconfig>\n";
        _cleanup_free_ char *path = NULL;
        FILE *file;

        assert_true(asprintf(&path, "%s/bus.conf", directory) > 0);
        file = fopen(path, "we");
        assert_non_null(file);
        fprintf(file, config, directory, policy);
        assert_int_equal(fclose(file), 0);
}

static void exec_daemon(const char *directory, int ready_fd) {
        char config[128], print[32], log[128];

        snprintf(config, sizeof(config), "--config-file=%s/bus.conf", directory);
        snprintf(print, sizeof(print), "--print-address=%d", ready_fd);
        snprintf(log, sizeof(log), "%s/bus.log", directory);
        if (!freopen(log, "a", stderr))
                _exit(127);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        fcntl(ready_fd, F_SETFD, 0);
        execlp("dbus-daemon", "dbus-daemon", config, print, "--nofork", "--nopidfile", NULL);
        _exit(127);
}

void fixture_start_daemon(Fixture *f) {
        char line[256];
        int fds[2];

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        f->daemon = fork();
        assert_true(f->daemon >= 0);
        if (f->daemon == 0)
                exec_daemon(f->directory, fds[1]);

        close(fds[1]);
        assert_true(read(fds[0], line, sizeof(line)) > 0);
        close(fds[0]);
}

void fixture_stop_daemon(Fixture *f) {
        if (f->daemon == 0)
                return;
        kill(f->daemon, SIGCONT);
        kill(f->daemon, SIGTERM);
        waitpid(f->daemon, NULL, 0);
        f->daemon = 0;
}

/* In none, unless a test says otherwise. */
static int read_domain(void *userdata, int64_t tid, uint64_t *ret_domain) {
        const Fixture *f = userdata;

        if (f->read_domain)
                return f->read_domain(tid, ret_domain);
        *ret_domain = 0;
        return 0;
}

int fixture_new_bus(Fixture *f, const char *address, Bus **ret) {
        return bus_new(ret, &(BusOptions) {
                .base = f->base,
                .address = address,
                .table = &f->table,
                .status = &f->status,
                .counters = &f->status.counters,
                .reader = { read_domain, f },
                .identify = proc_task_identify,
                .unprivileged = !f->only_privileged,
        });
}

void fixture_start_with_policy(Fixture *f, const DomainTableLimits *limits, const char *policy) {
        *f = (Fixture) {
                .directory = "/tmp/landlockd-test-bus.XXXXXX",
                .status = {
                        .host = {
                                .has_boot_id = true,
                                .has_machine_id = true,
                                .boot_id = "5f0c1a2e-9b1d-4c57-8d7e-0123456789ab",
                                .machine_id = "0123456789abcdef0123456789abcdef",
                        },
                        .version = "1.2.3",
                        .landlock_abi = 7,
                        .landlock_errata = 5,
                        .started_usec = EPOCH_USEC,
                },
        };

        assert_non_null(mkdtemp(f->directory));
        assert_int_equal(chmod(f->directory, 0755), 0);
        snprintf(f->address, sizeof(f->address), "unix:path=%s/bus", f->directory);
        write_config(f->directory, policy);
        fixture_start_daemon(f);

        f->base = event_base_new();
        assert_non_null(f->base);
        assert_int_equal(domain_table_init(&f->table, limits, &f->status.counters), 0);
        assert_int_equal(fixture_new_bus(f, f->address, &f->bus), 0);
}

void fixture_start(Fixture *f, const DomainTableLimits *limits) {
        fixture_start_with_policy(f, limits, FIXTURE_NO_POLICY);
}

void fixture_start_with_installed_policy(Fixture *f, const DomainTableLimits *limits) {
        _cleanup_free_ char *file = read_source_file("dbus/io.landlock.Landlockd1.conf"), *policy = NULL;
        char *begin = strstr(file, "<busconfig>"), *end = strstr(file, "</busconfig>");

        assert_non_null(begin);
        assert_non_null(end);
        *end = '\0';
        assert_true(asprintf(&policy,
                             "<policy context=\"default\">\n"
                             "  <allow user=\"*\"/>\n"
                             "  <deny own=\"*\"/>\n"
                             "  <deny send_type=\"method_call\"/>\n"
                             "  <allow send_type=\"signal\"/>\n"
                             "  <allow send_type=\"method_return\"/>\n"
                             "  <allow send_type=\"error\"/>\n"
                             "  <allow receive_type=\"method_call\"/>\n"
                             "  <allow receive_type=\"method_return\"/>\n"
                             "  <allow receive_type=\"error\"/>\n"
                             "  <allow receive_type=\"signal\"/>\n"
                             "  <allow send_destination=\"org.freedesktop.DBus\"/>\n"
                             "</policy>\n"
                             "%s", begin + strlen("<busconfig>")) > 0);
        fixture_start_with_policy(f, limits, policy);
}

void fixture_stop(Fixture *f) {
        static const char *const files[] = { "bus", "bus.conf", "bus.log" };

        f->bus = bus_free(f->bus);
        domain_table_done(&f->table);
        event_base_free(f->base);
        fixture_stop_daemon(f);
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                _cleanup_free_ char *path = NULL;

                assert_true(asprintf(&path, "%s/%s", f->directory, files[i]) > 0);
                unlink(path);
        }
        rmdir(f->directory);
}

static void tell(Fixture *f, const Fact *fact) {
        Change changes[DOMAIN_TABLE_CHANGES_MAX];
        size_t n = domain_table_apply(&f->table, fact, changes);

        for (size_t i = 0; i < n; i++)
                bus_publish(f->bus, &changes[i]);
}

void tell_described(Fixture *f, uint64_t n, const DomainDescription *description) {
        tell(f, &(Fact) {
                .type = FACT_DOMAIN_DESCRIBED,
                .origins = ORIGIN_AUDIT,
                .time_usec = EPOCH_USEC + n * 1000000,
                .described = *description,
        });
}

void tell_denied(Fixture *f, uint64_t n, const Denial *denial) {
        Fact fact = {
                .type = FACT_ACCESS_DENIED,
                .origins = ORIGIN_AUDIT,
                .time_usec = EPOCH_USEC + n * 1000000,
                .denied = *denial,
        };

        fact.denied.time_usec = fact.time_usec;
        fact.denied.origins = fact.origins;
        tell(f, &fact);
}

void tell_freed(Fixture *f, uint64_t n, uint64_t domain, int64_t n_denials) {
        tell(f, &(Fact) {
                .type = FACT_DOMAIN_FREED,
                .origins = ORIGIN_AUDIT,
                .time_usec = EPOCH_USEC + n * 1000000,
                .freed = { .domain = domain, .n_denials = MAX(n_denials, 0), .has_n_denials = n_denials >= 0 },
        });
}

static Fact trace_fact(FactType type, uint64_t n) {
        return (Fact) { .type = type, .origins = ORIGIN_TRACE, .time_usec = EPOCH_USEC + n * 1000000 };
}

void tell_created(Fixture *f, uint64_t n, const DomainCreation *creation) {
        Fact fact = trace_fact(FACT_DOMAIN_CREATED, n);

        fact.created = *creation;
        tell(f, &fact);
}

void tell_enforced(Fixture *f, uint64_t n, const DomainEnforcement *enforcement) {
        Fact fact = trace_fact(FACT_DOMAIN_ENFORCED, n);

        fact.enforced = *enforcement;
        tell(f, &fact);
}

void tell_forked(Fixture *f, uint64_t n, int64_t parent_tid, int64_t tid, bool is_thread) {
        Fact fact = trace_fact(FACT_TASK_FORKED, n);

        fact.forked = (TaskFork) { parent_tid, tid, is_thread };
        tell(f, &fact);
}

void tell_seen(Fixture *f, uint64_t n, uint64_t domain, TaskDescription task, Attribution attribution) {
        Fact fact = trace_fact(FACT_TASK_SEEN, n);

        fact.seen = (TaskSight) { .domain = domain, .task = task, .attribution = attribution };
        tell(f, &fact);
}

void tell_ruleset(Fixture *f, uint64_t n, const RulesetCreation *creation) {
        Fact fact = trace_fact(FACT_RULESET_CREATED, n);

        fact.ruleset_created = *creation;
        tell(f, &fact);
}

void tell_rule(Fixture *f, uint64_t n, uint64_t ruleset, const Rule *rule) {
        Fact fact = trace_fact(FACT_RULE_ADDED, n);

        fact.rule_added = (RuleAddition) { ruleset, *rule };
        tell(f, &fact);
}

static void tell_denied_to(Fixture *f, uint64_t n, uint64_t domain, uint32_t uid, uint64_t party) {
        tell_denied(f, n, &(Denial) {
                .domain = domain,
                .blockers.known = UINT64_C(1) << BLOCKER_SCOPE_SIGNAL,
                .object = { .kind = OBJECT_PROCESS, .pid = 77, .has_pid = true, .comm = TEXT_LITERAL("other"),
                            .domain = party, .has_domain = true },
                .subject = { .ids = { [SUBJECT_uid] = uid, [SUBJECT_pid] = domain }, .known_ids = 1 << SUBJECT_uid | 1 << SUBJECT_pid },
        });
}

void tell_user(Fixture *f, uint64_t n, uint64_t domain, uint32_t uid) {
        const TaskDescription creator = { .tid = domain, .pid = domain, .has_pid = true, .uid = uid, .has_uid = true,
                                          .comm = TEXT_LITERAL("creator"), .exe = TEXT_LITERAL("/bin/creator") };

        tell_ruleset(f, n, &(RulesetCreation) { .ruleset = domain, .handled.bits[ACCESS_FS] = 1, .tid = domain });
        tell_rule(f, n + 1, domain, &(Rule) { .kind = RULE_PATH_BENEATH, .version = 1, .access = 1, .path = TEXT_LITERAL("/usr") });
        for (uint64_t i = 0; i < 3; i++)
                tell_created(f, n + 2 + i, &(DomainCreation) {
                        .domain = domain + i, .parent = i == 1 ? domain : 0, .ruleset = domain, .ruleset_version = 1,
                        .creator = creator, .label = TEXT_LITERAL("creator@a.service"),
                });
        tell_seen(f, n + 6, domain, creator, ATTRIBUTION_KERNEL);
        tell_seen(f, n + 7, domain + 1, (TaskDescription) { .tid = domain + 1, .pid = domain, .has_pid = true, .uid = uid,
                                                            .has_uid = true, .comm = TEXT_LITERAL("nested") },
                  ATTRIBUTION_INHERITED);
        tell_denied_to(f, n + 8, domain, uid, domain);
        tell_denied_to(f, n + 9, domain + 1, uid, 0);
        tell_freed(f, n + 10, domain + 2, 5);
}

static void on_end_of_client(evutil_socket_t fd _unused_, short what _unused_, void *userdata) {
        event_base_loopbreak(userdata);
}

/* The client holds the other end of the pipe for as long as it lives. */
void run_client(Fixture *f, uid_t uid, Client client) {
        struct event *ended;
        int fds[2], status;
        pid_t pid;

        fflush(NULL);
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                alarm(60);
                if (uid != 0)
                        check(setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0);
                client(f);
                _exit(0);
        }

        close(fds[1]);
        ended = event_new(f->base, fds[0], EV_READ, on_end_of_client, f->base);
        assert_non_null(ended);
        event_add(ended, NULL);
        event_base_dispatch(f->base);
        event_free(ended);
        close(fds[0]);

        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

char *read_source_file(const char *path) {
        const char *directory = getenv("SRCDIR") ?: ".";
        _cleanup_free_ char *full = NULL;
        char *contents = NULL;
        size_t size;
        FILE *file, *out;
        int c;

        assert_true(asprintf(&full, "%s/%s", directory, path) > 0);
        file = fopen(full, "re");
        if (!file)
                fail_msg("Cannot open %s: run from the source directory, or set $SRCDIR.", full);
        out = open_memstream(&contents, &size);
        assert_non_null(out);
        while ((c = getc(file)) != EOF)
                putc(c, out);
        fclose(file);
        assert_int_equal(fclose(out), 0);
        return contents;
}

void run_loop(Fixture *f, unsigned msec) {
        const struct timeval timeout = { msec / 1000, msec % 1000 * 1000 };

        event_base_loopexit(f->base, &timeout);
        event_base_dispatch(f->base);
}

void check_text_at(char *actual, const char *expected, const char *file, int line) {
        if (strcmp(actual, expected) != 0) {
                fprintf(stderr, "%s:%d:\n  expected: %s\n  actual:   %s\n", file, line, expected, actual);
                _exit(1);
        }
        free(actual);
}

sd_bus *client_open(const Fixture *f) {
        sd_bus *bus = NULL;

        check(sd_bus_new(&bus) >= 0);
        check(sd_bus_set_address(bus, f->address) >= 0);
        check(sd_bus_set_bus_client(bus, true) >= 0);
        check(sd_bus_start(bus) >= 0);
        return bus;
}

static void print_values(FILE *out, sd_bus_message *m, const char *separator);

static void print_basic(FILE *out, sd_bus_message *m, char type) {
        union {
                int b;
                uint16_t q;
                int32_t i;
                uint32_t u;
                int64_t x;
                uint64_t t;
                const char *s;
        } value;

        check(sd_bus_message_read_basic(m, type, &value) > 0);
        switch (type) {
        case 'b':
                fputs(value.b ? "true" : "false", out);
                return;
        case 'q':
                fprintf(out, "%u", value.q);
                return;
        case 'i':
                fprintf(out, "%i", value.i);
                return;
        case 'u':
                fprintf(out, "%u", value.u);
                return;
        case 'x':
                fprintf(out, "%" PRIi64, value.x);
                return;
        case 't':
                fprintf(out, "%" PRIu64, value.t);
                return;
        case 's':
        case 'o':
                fprintf(out, "\"%s\"", value.s);
                return;
        }
        check(!"a type that landlockd does not use");
}

static void print_value(FILE *out, sd_bus_message *m, char type, const char *contents) {
        bool dictionary = type == 'a' && contents[0] == '{';
        const char *begin = dictionary ? "{" : type == 'a' ? "[" : type == 'r' ? "(" : "";
        const char *end = dictionary ? "}" : type == 'a' ? "]" : type == 'r' ? ")" : type == 'v' ? ">" : "";

        if (!strchr("arev", type)) {
                print_basic(out, m, type);
                return;
        }

        check(sd_bus_message_enter_container(m, type, contents) > 0);
        if (type == 'v')
                fprintf(out, "<%s ", contents);
        fputs(begin, out);
        print_values(out, m, type == 'e' ? ": " : ", ");
        fputs(end, out);
        check(sd_bus_message_exit_container(m) >= 0);
}

static void print_values(FILE *out, sd_bus_message *m, const char *separator) {
        const char *contents, *before = "";
        char type;
        int r;

        while ((r = sd_bus_message_peek_type(m, &type, &contents)) > 0) {
                fputs(before, out);
                print_value(out, m, type, contents);
                before = separator;
        }
        check(r == 0);
}

char *message_text(sd_bus_message *m) {
        char *text = NULL;
        size_t size;
        FILE *out;

        out = open_memstream(&text, &size);
        check(out);
        print_values(out, m, " ");
        check(fclose(out) == 0);
        return text;
}

static sd_bus_message *new_call(
                sd_bus *bus, const char *path, const char *interface, const char *member, const char *types,
                va_list args) {
        sd_bus_message *m = NULL;

        check(sd_bus_message_new_method_call(bus, &m, NAME, path, interface, member) >= 0);
        check(sd_bus_message_appendv(m, types, args) >= 0);
        return m;
}

static char *call(sd_bus *bus, sd_bus_message *m) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        char *text = NULL;
        size_t size;
        FILE *out;

        out = open_memstream(&text, &size);
        check(out);
        if (sd_bus_call(bus, m, 0, &error, &reply) < 0)
                fprintf(out, "!%s: %s", error.name, error.message);
        else
                print_values(out, reply, " ");
        check(fclose(out) == 0);
        sd_bus_message_unref(reply);
        sd_bus_message_unref(m);
        return text;
}

char *client_call(sd_bus *bus, const char *path, const char *interface, const char *member, const char *types, ...) {
        sd_bus_message *m;
        va_list args;

        va_start(args, types);
        m = new_call(bus, path, interface, member, types, args);
        va_end(args);
        return call(bus, m);
}

char *client_manager(sd_bus *bus, const char *member, const char *types, ...) {
        sd_bus_message *m;
        va_list args;

        va_start(args, types);
        m = new_call(bus, PATH, MANAGER, member, types, args);
        va_end(args);
        return call(bus, m);
}

char *client_get(sd_bus *bus, const char *path, const char *interface, const char *property) {
        return client_call(bus, path, "org.freedesktop.DBus.Properties", "Get", "ss", interface, property);
}

char *client_get_objects(sd_bus *bus) {
        return client_call(bus, PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "");
}

char *client_introspect(sd_bus *bus, const char *path) {
        return client_call(bus, path, "org.freedesktop.DBus.Introspectable", "Introspect", "");
}

char *client_error(sd_bus *bus, const char *path, const char *interface, const char *member, const char *types, ...) {
        sd_bus_message *m;
        va_list args;
        char *text;

        va_start(args, types);
        m = new_call(bus, path, interface, member, types, args);
        va_end(args);

        text = call(bus, m);
        if (text[0] != '!') {
                text[0] = '\0';
                return text;
        }
        memmove(text, text + 1, strlen(text));
        text[strcspn(text, ":")] = '\0';
        return text;
}

unsigned count(const char *text, const char *part) {
        unsigned n = 0;

        while ((text = strstr(text, part))) {
                text += strlen(part);
                n++;
        }
        return n;
}

const DomainTableLimits small_limits = { .n_domains = 64, .n_denials = 64, .n_processes = 64, .n_threads = 64,
                                         .n_rulesets = 64, .n_rules = 64 };

int two_users_set_up(void **state) {
        static Fixture f;

        fixture_start(&f, &small_limits);
        tell_user(&f, 100, USER_DOMAIN, USER);
        tell_user(&f, 300, ROOT_DOMAIN, 0);
        *state = &f;
        return 0;
}

int two_users_tear_down(void **state) {
        fixture_stop(*state);
        return 0;
}
