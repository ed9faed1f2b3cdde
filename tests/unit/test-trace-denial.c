/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the values in a denial's record mean. */
#include "test-trace-fixture.h"

#define ABSTRACT "landlock_deny_scope_abstract_unix_socket"

/* That of a record with these values. Its texts are in *bytes. */
static const Denial *denial_of(TraceFixture *fixture, const char *generation, const char *event,
                               const TraceValue *values, char **bytes) {
        static char buffer[TRACE_FORMAT_SIZE];
        Text format = fixture_format(generation, event, buffer);
        TraceRecord record;

        free(*bytes);
        *bytes = NULL;
        fixture_add(fixture, event, format);
        record = fixture_record(buffer, values);
        *bytes = fixture_feed(fixture, &record, record.size);
        assert_int_equal(fixture->n_facts, 1);
        return &fixture->fact.denied;
}

static void test_blockers(void **state) {
        TraceFixture *fixture = *state;
        static const struct {
                const char *generation, *event;
                int64_t type, access;
                uint64_t known;
                const char *other;
        } blocked[] = {
                { "7.3.4", "landlock_deny_access_fs", 2, 0, BLOCKER_BIT(FS_CHANGE_TOPOLOGY), NULL },
                { "7.3.4", "landlock_deny_access_fs", 3, 1 << 16, BLOCKER_BIT(FS_RESOLVE_UNIX), NULL },
                { "7.3.4", "landlock_deny_access_fs", 3, 0x20002, BLOCKER_BIT(FS_WRITE_FILE), "fs.0x20000" },
                { "7.3.4", "landlock_deny_access_fs", 3, 0x80020000, 0, "fs.0x20000,fs.0x80000000" },
                { "wider", "landlock_deny_access_fs", 3, INT64_MIN, 0, "fs.0x8000000000000000" },
                { "7.3.4", "landlock_deny_access_fs", 3, 0, 0, "fs.unknown" },
                { "7.3.4", "landlock_deny_access_fs", 9, 1, 0, "fs.unknown" },
                { "2026-08", "landlock_deny_access_fs", 0, 0, BLOCKER_BIT(FS_CHANGE_TOPOLOGY), NULL },
                { "7.3.4", "landlock_deny_access_net", 4, 4, BLOCKER_BIT(NET_BIND_UDP), NULL },
                { "7.3.4", "landlock_deny_access_net", 4, 0x11, BLOCKER_BIT(NET_BIND_TCP), "net.0x10" },
                { "7.3.4", "landlock_deny_access_net", 3, 1, 0, "net.unknown" },
                { "2026-04", "landlock_deny_access_net", 0, 8, BLOCKER_BIT(NET_CONNECT_SEND_UDP), NULL },
                { "2026-04", "landlock_deny_access_net", 0, 0, 0, "net.unknown" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(blocked); i++) {
                const TraceValue values[] = { DENIED_IN(230), NUMBER("blockers_type", blocked[i].type),
                                              NUMBER("blockers_access", blocked[i].access),
                                              NUMBER("blockers", blocked[i].access), {} };
                _cleanup_free_ char *bytes = NULL;
                const Denial *denial = denial_of(fixture, blocked[i].generation, blocked[i].event, values, &bytes);

                assert_true(denial->blockers.known == blocked[i].known);
                assert_true(text_equal(denial->blockers.other, text_from_string(blocked[i].other)));
        }
}

static void test_ports(void **state) {
        TraceFixture *fixture = *state;
        static const struct {
                const char *generation;
                int64_t access, port, sport, dport, local, remote; /* -1: not known */
        } denied[] = {
                { "7.3.4", 1, 99, 0, 0, 99, -1 },          { "7.3.4", 2, 98, 0, 0, -1, 98 },
                { "7.3.4", 4, 0, 0, 0, 0, -1 },            { "7.3.4", 8, 0, 0, 0, -1, 0 },
                { "7.3.4", 1, -1, 0, 0, -1, -1 },          { "7.3.4", 2, INT64_MIN, 0, 0, -1, -1 },
                { "7.3.4", 2, 65536, 0, 0, -1, -1 },       { "7.3.4", 0x10, 99, 0, 0, -1, -1 },
                { "7.3.4", 3, 99, 0, 0, -1, -1 },          { "2026-08", 1, 0, 99, 0, 99, -1 },
                { "2026-08", 2, 0, 0, 98, -1, 98 },        { "2026-08", 1, 0, 0, 0, -1, -1 },
                { "2026-04", 8, 0, 0, 65536, -1, -1 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(denied); i++) {
                const TraceValue values[] = { DENIED_IN(230), NUMBER("blockers_type", 4),
                                              NUMBER("blockers_access", denied[i].access),
                                              NUMBER("blockers", denied[i].access), NUMBER("port", denied[i].port),
                                              NUMBER("sport", denied[i].sport), NUMBER("dport", denied[i].dport), {} };
                _cleanup_free_ char *bytes = NULL;
                const DenialObject *object =
                        &denial_of(fixture, denied[i].generation, "landlock_deny_access_net", values, &bytes)->object;

                assert_int_equal(object->has_local_port, denied[i].local >= 0);
                assert_int_equal(object->local_port, MAX(denied[i].local, 0));
                assert_int_equal(object->has_remote_port, denied[i].remote >= 0);
                assert_int_equal(object->remote_port, MAX(denied[i].remote, 0));
        }
}

/* Which of the two log flags counts is for same_exec to say. */
static void test_log_flags(void **state) {
        for (unsigned i = 0; i < 8; i++) {
                bool same_exec = i & 1, log_same = i & 2, log_new = i & 4;
                const TraceValue values[] = { NUMBER("domain_id", 1), NUMBER("same_exec", same_exec),
                                              NUMBER("log_same_exec", log_same), NUMBER("log_new_exec", log_new), {} };
                _cleanup_free_ char *bytes = NULL;
                const Denial *denial = denial_of(*state, "2026-04", "landlock_deny_ptrace", values, &bytes);

                assert_true(denial->has_same_exec && denial->has_logged);
                assert_int_equal(denial->same_exec, same_exec);
                assert_int_equal(denial->logged, same_exec ? log_same : log_new);
        }
}

static void test_texts(void **state) {
        TraceFixture *fixture = *state;
        _cleanup_free_ char *bytes = NULL;
        static char longest[109];
        TraceValue path[] = { NUMBER("domain_id", 1), TEXT("pathname", "/no/nul"), {} };
        TraceValue name[] = { NUMBER("domain_id", 1), TEXT("sun_path", "\0"), {} };

        assert_text(denial_of(fixture, "7.3.4", "landlock_deny_access_fs", path, &bytes)->object.path, "/no/nul");
        path[1].text = TEXT_LITERAL("/two/nuls\0\0");
        assert_text(denial_of(fixture, "7.3.4", "landlock_deny_access_fs", path, &bytes)->object.path, "/two/nuls\0");
        path[1].text = TEXT_LITERAL("<too_long>\0");
        assert_null(denial_of(fixture, "7.3.4", "landlock_deny_access_fs", path, &bytes)->object.path.data);
        path[1].text = TEXT_LITERAL("\0");
        assert_null(denial_of(fixture, "7.3.4", "landlock_deny_access_fs", path, &bytes)->object.path.data);
        path[1].text = TEXT_LITERAL("");
        assert_null(denial_of(fixture, "7.3.4", "landlock_deny_access_fs", path, &bytes)->object.path.data);

        /* The empty name is one that a socket can have. */
        assert_text(denial_of(fixture, "7.3.4", ABSTRACT, name, &bytes)->object.path, "\0");
        name[1].text = TEXT_LITERAL("");
        assert_null(denial_of(fixture, "7.3.4", ABSTRACT, name, &bytes)->object.path.data);
        memset(longest, 'x', 108);
        name[1].text = (Text) { longest, sizeof(longest) };
        assert_int_equal(denial_of(fixture, "wider", ABSTRACT, name, &bytes)->object.path.len, 109);
}

/* A location that points beyond the record, or a name longer than a socket can have. */
static void test_texts_malformed(void **state) {
        static const uint32_t locations[] = { 0xffffffff, 0x1ffff, 0xffff0000, 2 << 16 | 62, 1 << 16 | 64 };
        static const TraceValue values[] = { NUMBER("domain_id", 1), TEXT("pathname", "/xxxxxxxxxxxxxxxxxxx"), {} };
        static char format[TRACE_FORMAT_SIZE], too_long[256];
        const TraceValue name[] = { NUMBER("domain_id", 1), { "sun_path", 0, { too_long, sizeof(too_long) } }, {} };
        TraceFixture *fixture = *state;
        TraceRecord record;

        fixture_add(fixture, "landlock_deny_access_fs", fixture_format("7.3.4", "landlock_deny_access_fs", format));
        record = fixture_record(format, values);
        for (size_t i = 0; i < ARRAY_SIZE(locations); i++) {
                _cleanup_free_ char *bytes = NULL;

                memcpy(record.data + record.text_at, &locations[i], sizeof(locations[i]));
                bytes = fixture_feed(fixture, &record, 63);
                assert_int_equal(fixture->n_facts, 0);
                assert_int_equal(fixture->counters.trace_malformed, 1);
        }

        fixture_add(fixture, ABSTRACT, fixture_format("7.3.4", ABSTRACT, format));
        memset(too_long, 'x', sizeof(too_long));
        record = fixture_record(format, name);
        free(fixture_feed(fixture, &record, record.size));
        assert_int_equal(fixture->n_facts, 0);
        assert_int_equal(fixture->counters.trace_malformed, 1);
}

static void test_unknown_values(void **state) {
        static const TraceValue in_interrupt[] = { NUMBER("domain_id", 1), NUMBER("common_pid", 230),
                                                   NUMBER("common_flags", 0x10), {} };
        static const TraceValue nobody[] = { NUMBER("domain_id", 1), NUMBER("common_pid", -1), NUMBER("peer_pid", 0),
                                             NUMBER("peer_domain_id", 0), {} };
        static const TraceValue new_file[] = { NUMBER("domain_id", 1), NUMBER("common_flags", 1),
                                               NUMBER("common_pid", 7), NUMBER("ino", 0), {} };
        _cleanup_free_ char *bytes = NULL;
        const Denial *denial;
        int64_t tid;

        denial = denial_of(*state, "7.3.4", "landlock_deny_scope_signal", in_interrupt, &bytes);
        assert_false(denial_subject_id(denial, SUBJECT_tid, &tid));
        denial = denial_of(*state, "7.3.4", ABSTRACT, nobody, &bytes);
        assert_false(denial_subject_id(denial, SUBJECT_tid, &tid) || denial->object.has_pid);
        assert_true(denial->object.has_domain && denial->object.domain == 0);
        denial = denial_of(*state, "7.3.4", "landlock_deny_access_fs", new_file, &bytes);
        assert_true(denial_subject_id(denial, SUBJECT_tid, &tid) && tid == 7);
        assert_false(denial->object.has_ino);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TRACE_TEST(test_blockers),
                TRACE_TEST(test_ports),
                TRACE_TEST(test_log_flags),
                TRACE_TEST(test_texts),
                TRACE_TEST(test_texts_malformed),
                TRACE_TEST(test_unknown_values),
        };

        return cmocka_run_group_tests_name("trace-denial", tests, NULL, NULL);
}
