/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every kind of line, held to tests/data/events.ndjson, which the schema is checked against too. WRITE_GOLDEN=1 writes
 * that file anew: read the difference before it is committed. */
#include "test.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "publish/json-event.h"

#define TIME UINT64_C(1795308514891000) /* 2026-11-22T00:48:34.891Z */

static const Host host = {
        .has_boot_id = true,
        .has_machine_id = true,
        .boot_id = "5f0c1a2e-0b8e-4f6d-9d1a-2c3b4a596877",
        .machine_id = "0123456789abcdef0123456789abcdef",
};

static const Host nowhere = {};

static const DenialPath paths[] = {
        { .name = TEXT_LITERAL("/etc"), .nametype = TEXT_LITERAL("PARENT"), .dev = TEXT_LITERAL("fe:00"), .ino = 131073,
          .mode = 040755, .has_ino = true, .has_mode = true },
        { .name = TEXT_LITERAL("a \"new\"\nname"), .nametype = TEXT_LITERAL("CREATE") },
};

static const Denial full = {
        .seq = 17,
        .domain = 0x1466dc891,
        .time_usec = TIME,
        .event = 42,
        .origins = ORIGIN_AUDIT | ORIGIN_TRACE,
        .blockers = {
                .known = 1U << BLOCKER_FS_WRITE_FILE | 1U << BLOCKER_FS_TRUNCATE,
                .other = TEXT_LITERAL("fs.new_right,fs.truncate,perm.\x1b[31m"),
        },
        .object = {
                .kind = OBJECT_FILE,
                .path = TEXT_LITERAL("/tmp/caf\xc3\xa9 \xff\\ \xe2\x80\xae.txt"),
                .dev = TEXT_LITERAL("vda"),
                .dev_major = 254, .dev_minor = UINT32_MAX,
                .ino = UINT64_MAX,
                .ioctl_cmd = 0x5401,
                .has_dev_number = true,
                .has_ino = true,
                .has_ioctl_cmd = true,
        },
        .subject = {
                .known_ids = (1U << SUBJECT_ID_MAX) - 1,
                .ids = { [SUBJECT_pid] = 1, [SUBJECT_tid] = 13, [SUBJECT_ppid] = 2, [SUBJECT_auid] = 3, [SUBJECT_uid] = 4,
                         [SUBJECT_gid] = 5, [SUBJECT_euid] = 6, [SUBJECT_suid] = 7, [SUBJECT_fsuid] = 8,
                         [SUBJECT_egid] = 9, [SUBJECT_sgid] = 10, [SUBJECT_fsgid] = 11, [SUBJECT_ses] = 12 },
                .comm = TEXT_LITERAL("sh"),
                .exe = TEXT_LITERAL("/usr/bin/dash"),
                .tty = TEXT_LITERAL("pts0"),
                .label = TEXT_LITERAL("unconfined"),
                .key = TEXT_LITERAL("my-rule"),
                .cmdline = TEXT_LITERAL("sh\0-c\0\0echo \"hi\"\0"),
                .cwd = TEXT_LITERAL("/home/user"),
        },
        .syscall = {
                .name = TEXT_LITERAL("openat"),
                .arch = TEXT_LITERAL("x86_64"),
                .number = 257,
                .exit = -13,
                .args = { 0xffffff9c, 0, 0x241, UINT64_MAX },
                .known = true, .success = false, .has_success = true, .has_exit = true, .has_args = true,
        },
        .paths = paths,
        .n_paths = ARRAY_SIZE(paths),
        .n_paths_dropped = 3,
        .same_exec = true, .has_same_exec = true,
        .logged = false, .has_logged = true,
        .incomplete = true,
};

static const Denial least = {
        .seq = 18,
        .domain = UINT64_MAX,
        .time_usec = TIME,
        .origins = ORIGIN_AUDIT,
        .blockers.known = 1U << BLOCKER_PTRACE,
};

static const Denial network = {
        .seq = 19,
        .domain = 1,
        .time_usec = TIME,
        .origins = ORIGIN_BPF,
        .blockers.known = 1U << BLOCKER_NET_CONNECT_TCP,
        .object = {
                .kind = OBJECT_NETWORK,
                .local_port = 0, .has_local_port = true,
                .remote_address = TEXT_LITERAL("::1"), .remote_port = 65535, .has_remote_port = true,
                .interface = TEXT_LITERAL("lo"),
        },
        .subject.cmdline = TEXT_LITERAL(""),
};

static const Denial abstract_socket = {
        .seq = 20,
        .domain = 1,
        .time_usec = TIME,
        .origins = ORIGIN_AUDIT,
        .blockers.known = 1U << BLOCKER_SCOPE_ABSTRACT_UNIX_SOCKET,
        .object = { .kind = OBJECT_SOCKET, .path = TEXT_LITERAL("\0name\x01"), .pid = 9, .has_pid = true,
                    .domain = 0, .has_domain = true },
        .subject.cmdline = TEXT_LITERAL("cut by the ker"),
};

static const Denial signal_denial = {
        .seq = 21,
        .domain = 1,
        .time_usec = TIME,
        .origins = ORIGIN_AUDIT,
        .blockers.known = 1U << BLOCKER_SCOPE_SIGNAL,
        .object = { .kind = OBJECT_PROCESS, .pid = 1, .comm = TEXT_LITERAL("systemd"), .has_pid = true,
                    .domain = 0x1466dc89f, .has_domain = true },
        .syscall = { .exit = 0, .success = true, .has_success = true, .has_exit = true },
};

static const Rule rules[] = {
        { .version = 1, .kind = RULE_PATH_BENEATH, .dev_major = 254, .dev_minor = 1, .ino = UINT64_MAX,
          .access = UINT64_C(1) << 63 | 5, .path = TEXT_LITERAL("/usr/caf\xc3\xa9\n") },
        { .version = 3, .kind = RULE_NET_PORT, .access = 2, .port = 443 },
        { .version = 4, .kind = RULE_PATH_BENEATH, .access = 0 },
};

static Ruleset ruleset = {
        .id = 0x1466dc880,
        .created_usec = TIME,
        .creator_tid = 18354, .has_creator_tid = true,
        .handled.bits = { [ACCESS_FS] = UINT64_C(1) << 63 | 7, [ACCESS_NET] = 0, [ACCESS_SCOPE] = 1 << 2 | 3 },
        .has_handled = true,
        .version = 5,
        .rules = (Rule *) rules, .n_rules = ARRAY_SIZE(rules),
};

static Ruleset unknown_ruleset = { .id = 1, .freed = true };

static Domain domain = {
        .id = 0x1466dc891,
        .mode = DOMAIN_MODE_ENFORCING,
        .origins = ORIGIN_AUDIT,
        .parent_id = 0x1466dc870, .has_parent = true,
        .ruleset = &ruleset, .ruleset_id = 0x1466dc880, .ruleset_version = 3, .has_ruleset = true,
        .creator_tid = 18354, .has_creator_tid = true,
        .process_wide = true, .no_new_privs = false, .has_enforcement = true,
        .created_usec = TIME - 1,
        .creator_pid = 18353, .creator_uid = 0, .has_creator_pid = true, .has_creator_uid = true,
        .creator_comm = TEXT_LITERAL("sandboxer"), .creator_exe = TEXT_LITERAL("/usr/local/bin/sandboxer"),
        .label = TEXT_LITERAL("sandboxer@app\n.scope"),
        .first_seen_usec = TIME, .last_seen_usec = TIME + 1,
        .n_denials = 4,
        .n_blocked = { [BLOCKER_FS_WRITE_FILE] = 3, [BLOCKER_PTRACE] = 1 },
        .n_blocked_other = 2,
        .n_processes = 1,
};

static Domain freed = {
        .id = 0x1466dc896,
        .state = DOMAIN_DEALLOCATED,
        .origins = ORIGIN_AUDIT,
        .has_parent = true,
        .ruleset_id = UINT64_MAX, .ruleset_version = 7, .has_ruleset = true,
        .first_seen_usec = TIME, .last_seen_usec = TIME, .freed_usec = TIME,
        .n_denials = 1, .n_denials_kernel = 3, .has_n_denials_kernel = true,
};

static Domain bare = { .id = 2, .origins = ORIGIN_AUDIT };

static const Process process = {
        .domain = &domain,
        .pid = 18353,
        .uid = 1000, .has_uid = true,
        .attribution = ATTRIBUTION_KERNEL,
        .comm = TEXT_LITERAL("sh"), .exe = TEXT_LITERAL("/usr/bin/dash"),
        .first_seen_usec = TIME, .last_seen_usec = TIME,
        .n_threads = 2,
};

static const Process bare_process = { .domain = &bare, .pid = 7, .attribution = ATTRIBUTION_INFERRED };

static const SourceStatus sources[] = {
        { .name = "audit", .state = SOURCE_ACTIVE },
        { .name = "trace", .state = SOURCE_UNAVAILABLE, .reason = "This kernel has no \"landlock\" events." },
};

static Status status = {
        .version = "1.2",
        .landlock_abi = 7, .landlock_errata = 15,
        .started_usec = TIME,
        .counted_since_usec = TIME - 1,
        .sources = { &sources[0], &sources[1] },
        .n_sources = 2,
        .counters = { .audit_messages = UINT64_MAX, .json_clients = 1 },
};

/* ---- golden lines ---- */

static FILE *golden;

static void assert_golden(Text line) {
        char expected[JSON_LINE_MAX + 1];

        assert_int_equal(line.data[line.len - 1], '\n');
        if (getenv("WRITE_GOLDEN")) {
                fwrite(line.data, 1, line.len, golden);
                return;
        }
        assert_non_null(fgets(expected, sizeof(expected), golden));
        if (strlen(expected) != line.len || memcmp(expected, line.data, line.len) != 0)
                fail_msg("expected: %sgot: %.*s", expected, (int) line.len, line.data);
}

static void assert_change(JsonEncoder *e, uint64_t seq, const Change *change) {
        Text line;

        assert_int_equal(json_encoder_change(e, change, seq, &line), 0);
        assert_golden(line);
}

static void assert_denial(JsonEncoder *e, const Denial *denial) {
        assert_change(e, 1000 + denial->seq,
                      &(Change) { .type = CHANGE_DENIAL, .time_usec = denial->time_usec, .denial = denial });
}

static void assert_domain(JsonEncoder *e, ChangeType type, const Domain *d) {
        assert_change(e, 2000 + type, &(Change) { .type = type, .time_usec = TIME, .domain = d });
}

static void assert_process(JsonEncoder *e, ChangeType type, const Process *p) {
        assert_change(e, 2000 + type,
                      &(Change) { .type = type, .time_usec = TIME, .domain = p->domain, .process = p });
}

static void assert_ruleset(JsonEncoder *e, ChangeType type, const Ruleset *r, const Rule *rule) {
        assert_change(e, 2000 + type, &(Change) { .type = type, .time_usec = TIME, .ruleset = r, .rule = rule });
}

static void assert_loss(JsonEncoder *e, unsigned origins, const Loss *loss) {
        assert_change(e, 3000 + loss->cause,
                      &(Change) { .type = CHANGE_LOST, .origins = origins, .time_usec = TIME, .loss = loss });
}

static void write_stream(JsonEncoder *e) {
        assert_denial(e, &full);
        assert_denial(e, &least);
        assert_denial(e, &network);
        assert_denial(e, &abstract_socket);
        assert_denial(e, &signal_denial);
        assert_ruleset(e, CHANGE_RULESET_CREATED, &ruleset, NULL);
        for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
                assert_ruleset(e, CHANGE_RULE_ADDED, &ruleset, &rules[i]);
        assert_ruleset(e, CHANGE_RULESET_FREED, &unknown_ruleset, NULL);
        assert_domain(e, CHANGE_DOMAIN_ADDED, &domain);
        assert_domain(e, CHANGE_DOMAIN_UPDATED, &domain);
        assert_domain(e, CHANGE_DOMAIN_FREED, &freed);
        assert_domain(e, CHANGE_DOMAIN_EVICTED, &freed);
        assert_domain(e, CHANGE_DOMAIN_ADDED, &bare);
        assert_process(e, CHANGE_PROCESS_ADDED, &process);
        assert_process(e, CHANGE_PROCESS_UPDATED, &process);
        assert_process(e, CHANGE_PROCESS_GONE, &bare_process);
        assert_loss(e, ORIGIN_AUDIT, &(Loss) { LOSS_SOCKET_OVERFLOW, 0, TIME, TIME + 5 });
        assert_loss(e, ORIGIN_AUDIT, &(Loss) { LOSS_SERIAL_GAP, 7, TIME, TIME + 5 });
        assert_loss(e, ORIGIN_AUDIT, &(Loss) { LOSS_KERNEL_BACKLOG, 9, TIME, TIME + 5 });
        assert_loss(e, ORIGIN_TRACE, &(Loss) { LOSS_TRACE_OVERRUN, 11, TIME, TIME + 5 });
        assert_loss(e, 0, &(Loss) { LOSS_RESTART, 13, TIME, TIME + 5 });
        assert_loss(e, ORIGIN_AUDIT, &(Loss) { LOSS_RESTART, 0, TIME, TIME + 5 });
        assert_change(e, 4000, &(Change) { .type = CHANGE_RECONCILED, .origins = ORIGIN_BPF, .time_usec = TIME,
                                           .reconciliation = &(Reconciliation) { TIME, 1, 2, 3, 4 } });
}

static void write_lines_for_one(JsonEncoder *e) {
        const JsonEnvelope env = { .seq = 99, .time_usec = TIME };
        const JsonEnvelope answer = { .seq = 99, .time_usec = TIME, .id = TEXT_LITERAL("\"mine\"") };
        const DomainTable table = {
                .n_live = 1,
                .n_freed = 2,
                .denials = { .n = 3, .n_max = 5, .next_seq = 4 },
                .processes = { .n_processes = 4, .n_threads = 5 },
                .rulesets = { .n_rulesets = 6, .n_rules = 7 },
        };
        const JsonReply totals = { .op = "snapshot", .has_totals = true, .n_rulesets = 2, .n_domains = 1,
                                   .n_processes = 1 };
        const JsonReply error = { .error_name = "bad-json", .error_message = "Not \"JSON\":\n\\." };
        uint64_t version = 0;
        Text line;

        assert_int_equal(json_encoder_hello(e, &env, &status, 12, &line), 0);
        assert_golden(line);
        assert_int_equal(json_encoder_status(e, &answer, &status, 12, &table, &line), 0);
        assert_golden(line);
        assert_int_equal(json_encoder_missed(e, &env, 90, &line), 0);
        assert_golden(line);
        assert_int_equal(json_encoder_ruleset(e, &answer, &ruleset, &version, &line), 0);
        assert_int_equal(version, 4);
        assert_golden(line);
        assert_int_equal(json_encoder_ruleset(e, &answer, &ruleset, &version, &line), 0);
        assert_golden(line);
        assert_int_equal(json_encoder_domain(e, &answer, &domain, &line), 0);
        assert_golden(line);
        assert_int_equal(json_encoder_process(e, &answer, &process, &line), 0);
        assert_golden(line);
        assert_int_equal(json_encoder_denial(e, &answer, &signal_denial, &line), 0);
        assert_golden(line);
        assert_int_equal(json_encoder_reply(e, &answer, &totals, &line), 0);
        assert_golden(line);
        assert_int_equal(json_encoder_reply(e, &env, &error, &line), 0);
        assert_golden(line);
}

static void test_golden(void **state _unused_) {
        static JsonEncoder e;
        char path[4096];

        snprintf(path, sizeof(path), "%s/tests/data/events.ndjson", getenv("SRCDIR") ?: ".");
        golden = fopen(path, getenv("WRITE_GOLDEN") ? "w" : "r");
        assert_non_null(golden);

        json_encoder_init(&e, &host);
        write_stream(&e);
        write_lines_for_one(&e);
        json_encoder_init(&e, &nowhere);
        assert_change(&e, 1000 + least.seq,
                      &(Change) { .type = CHANGE_DENIAL, .time_usec = least.time_usec, .denial = &least,
                                  .node = TEXT_LITERAL("web\x1b-1") });
        status.landlock_abi = status.landlock_errata = -ENOSYS;
        status.n_sources = 0;
        json_encoder_init(&e, &nowhere);
        write_lines_for_one(&e);

        if (!getenv("WRITE_GOLDEN"))
                assert_int_equal(fgetc(golden), EOF);
        fclose(golden);
}

/* ---- what golden lines do not show ---- */

static json_t *parse(Text line) {
        json_t *event = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, NULL);

        assert_non_null(event);
        return event;
}

static int encode(JsonEncoder *e, const Denial *denial, Text *ret_line) {
        return json_encoder_change(e, &(Change) { .type = CHANGE_DENIAL, .denial = denial }, 1, ret_line);
}

static const char *member(const json_t *event, const char *name) {
        return json_string_value(json_object_get(event, name));
}

/* Names are remembered: those of one domain must never be given to another, however the IDs fall. */
static void test_domain_names(void **state _unused_) {
        static JsonEncoder e;
        Denial d = least;

        json_encoder_init(&e, &host);
        srand(1);
        for (unsigned i = 0; i < 20000; i++) {
                char id[DOMAIN_ID_TEXT_SIZE], uuid[UUID_TEXT_SIZE];
                json_t *event;
                Text line;

                d.domain = i % 2 ? UINT64_C(0x1466dc891) + (uint64_t) rand() % 2000
                                 : (uint64_t) rand() << 33 ^ (uint64_t) rand() << 12;
                assert_int_equal(encode(&e, &d, &line), 0);
                event = parse(line);
                host_format_domain(d.domain, id);
                assert_true(host_domain_uuid(&host, d.domain, uuid));
                assert_string_equal(member(event, "domain"), id);
                assert_string_equal(member(event, "domain_uuid"), uuid);
                json_decref(event);
        }
}

/* A sandboxed program cannot hide a denial behind names that are long once they are escaped. */
static void test_too_long_denial(void **state _unused_) {
        static char ugly[4095];
        static JsonEncoder e;
        DenialPath many[DENIAL_PATHS_MAX];
        Denial d = full;
        json_t *event;
        Text line;

        memset(ugly, 0xff, sizeof(ugly));
        for (size_t i = 0; i < ARRAY_SIZE(many); i++)
                many[i] = (DenialPath) { .name = { ugly, sizeof(ugly) } };
        d.paths = many;
        d.n_paths = ARRAY_SIZE(many);
        d.incomplete = false;
        d.object.has_ino = false; /* beyond what jansson takes for an integer */
        d.object.path = d.subject.exe = d.subject.cwd = (Text) { ugly, sizeof(ugly) };

        json_encoder_init(&e, &host);
        assert_int_equal(encode(&e, &d, &line), 0);
        assert_true(line.len <= JSON_LINE_MAX);
        event = parse(line);
        assert_null(json_object_get(event, "paths"));
        assert_int_equal(json_integer_value(json_object_get(event, "paths_dropped")), 3 + ARRAY_SIZE(many));
        assert_true(json_is_true(json_object_get(event, "incomplete")));
        assert_int_equal(strlen(member(json_object_get(event, "object"), "path")), 4 * sizeof(ugly));
        json_decref(event);

        assert_int_equal(json_encoder_denial(&e, &(JsonEnvelope) {}, &d, &line), 0);
        event = parse(line);
        assert_true(json_is_true(json_object_get(event, "incomplete")));
        json_decref(event);
}

static void test_oversized(void **state _unused_) {
        static char huge[JSON_LINE_MAX];
        static JsonEncoder e;
        Denial d = least;
        Text line = TEXT_LITERAL("untouched");

        memset(huge, 'x', sizeof(huge));
        d.object.path = (Text) { huge, sizeof(huge) };
        json_encoder_init(&e, &host);
        assert_int_equal(encode(&e, &d, &line), -EMSGSIZE);
        assert_text(line, "untouched");
        /* It does no harm to the next. */
        assert_int_equal(encode(&e, &least, &line), 0);
        json_decref(parse(line));
}

/* However long the paths are, each line but the longest is below its limit, all rules come, each once. */
static void test_ruleset_lines(void **state _unused_) {
        static char path[4095];
        static JsonEncoder e;
        Rule many[300];
        Ruleset r = { .id = 1, .version = 1000, .rules = many, .n_rules = ARRAY_SIZE(many) };
        uint64_t version = 0;
        size_t n_rules = 0, n_lines = 0;

        memset(path, 0xff, sizeof(path));
        for (size_t i = 0; i < ARRAY_SIZE(many); i++)
                many[i] = (Rule) { .version = 3 * i + 1, .access = UINT64_MAX,
                                   .path = { path, i % 9 == 0 ? sizeof(path) : i % 50 } };
        json_encoder_init(&e, &host);
        do {
                json_t *event, *rule;
                size_t i;
                Text line;

                assert_int_equal(json_encoder_ruleset(&e, &(JsonEnvelope) {}, &r, &version, &line), 0);
                assert_true(line.len <= 32 * 1024);
                event = parse(line);
                assert_true(json_array_size(json_object_get(event, "rules")) > 0);
                json_array_foreach(json_object_get(event, "rules"), i, rule)
                        assert_int_equal(json_integer_value(json_object_get(rule, "version")), 3 * n_rules++ + 1);
                assert_int_equal(version, 3 * (n_rules - 1) + 1);
                json_decref(event);
                n_lines++;
        } while (n_rules < ARRAY_SIZE(many));
        assert_true(n_lines > 10 && n_lines < ARRAY_SIZE(many) / 2);
}

/* One rule that is too long for any line: the next one is as good as ever. */
static void test_oversized_rule(void **state _unused_) {
        static char huge[JSON_LINE_MAX];
        static JsonEncoder e;
        Rule two[] = { { .version = 1, .path = { huge, sizeof(huge) } }, { .version = 2, .path = TEXT_LITERAL("/") } };
        Ruleset r = { .id = 1, .version = 2, .rules = two, .n_rules = 2 };
        uint64_t version = 0;
        Text line;

        memset(huge, 'x', sizeof(huge));
        json_encoder_init(&e, &host);
        assert_int_equal(json_encoder_ruleset(&e, &(JsonEnvelope) {}, &r, &version, &line), -EMSGSIZE);
        assert_int_equal(version, 1);
        assert_int_equal(json_encoder_ruleset(&e, &(JsonEnvelope) {}, &r, &version, &line), 0);
        assert_int_equal(version, 2);
        json_decref(parse(line));
}

static void test_meta(void **state _unused_) {
        EventMeta meta;
        EventType type;

        meta = json_event_meta(&(Change) { .type = CHANGE_DENIAL, .denial = &full });
        assert_int_equal(meta.type, EVENT_TYPE_DENIAL);
        assert_true(meta.domain == full.domain);
        assert_true(meta.blockers == (full.blockers.known | EVENT_BLOCKER_OTHER));
        meta = json_event_meta(&(Change) { .type = CHANGE_DENIAL, .denial = &least });
        assert_true(meta.blockers == least.blockers.known);
        meta = json_event_meta(&(Change) { .type = CHANGE_DOMAIN_EVICTED, .domain = &freed });
        assert_int_equal(meta.type, EVENT_TYPE_DOMAIN);
        assert_true(meta.domain == freed.id);
        meta = json_event_meta(&(Change) { .type = CHANGE_LOST, .loss = &(Loss) {} });
        assert_int_equal(meta.type, EVENT_TYPE_LOST);
        assert_true(meta.domain == 0);
        meta = json_event_meta(&(Change) { .type = CHANGE_RULE_ADDED, .ruleset = &ruleset, .rule = rules });
        assert_int_equal(meta.type, EVENT_TYPE_RULESET);
        assert_true(meta.domain == 0);
        meta = json_event_meta(&(Change) { .type = CHANGE_PROCESS_GONE, .domain = &domain, .process = &process });
        assert_int_equal(meta.type, EVENT_TYPE_PROCESS);
        assert_true(meta.domain == domain.id);

        assert_int_equal(json_event_type_from_name(TEXT_LITERAL("denial"), &type), 0);
        assert_int_equal(type, EVENT_TYPE_DENIAL);
        assert_int_equal(json_event_type_from_name(TEXT_LITERAL("ruleset"), &type), 0);
        assert_int_equal(type, EVENT_TYPE_RULESET);
        assert_int_equal(json_event_type_from_name(TEXT_LITERAL("hello"), &type), -EINVAL);
}

/* The schema lists all that landlockd counts. */
static void test_schema_has_the_counters(void **state _unused_) {
        static const char *const names[] = {
#define X(name, meaning) #name,
                COUNTERS(X)
#undef X
        };
        char path[4096];
        json_t *schema, *properties, *required;

        snprintf(path, sizeof(path), "%s/doc/landlockd-event.schema.json", getenv("SRCDIR") ?: ".");
        schema = json_load_file(path, 0, NULL);
        assert_non_null(schema);
        assert_int_equal(json_unpack(schema, "{s{s{s{s{so so}}}}}", "$defs", "status", "properties", "counters",
                                     "properties", &properties, "required", &required), 0);
        assert_int_equal(json_object_size(properties), ARRAY_SIZE(names));
        assert_int_equal(json_array_size(required), ARRAY_SIZE(names));
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                assert_non_null(json_object_get(properties, names[i]));
                assert_string_equal(json_string_value(json_array_get(required, i)), names[i]);
        }
        json_decref(schema);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_golden),
                cmocka_unit_test(test_domain_names),
                cmocka_unit_test(test_too_long_denial),
                cmocka_unit_test(test_oversized),
                cmocka_unit_test(test_ruleset_lines),
                cmocka_unit_test(test_oversized_rule),
                cmocka_unit_test(test_meta),
                cmocka_unit_test(test_schema_has_the_counters),
        };

        return cmocka_run_group_tests_name("json-event", tests, NULL, NULL);
}
