/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state directory in good times and bad ones: nothing that is wrong with it keeps landlockd from working. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "publish/json-event.h"
#include "publish/state-spool.h"
#include "publish/state.h"

#define TIME UINT64_C(1795308514891000)
#define HISTORY_SIZE ((size_t) 256 * 1024)

typedef struct Life {
        struct event_base *base;
        DomainTable table;
        Counters counters;
        State *state;
        StateLoad load;
} Life;

static char dir[64];
static JsonEncoder encoder;
static const Host host = {
        .has_boot_id = true,
        .has_machine_id = true,
        .boot_id = "5f0c1a2e-0b8e-4f6d-9d1a-2c3b4a596877",
        .machine_id = "0123456789abcdef0123456789abcdef",
};

static int set_up(void **state _unused_) {
        snprintf(dir, sizeof(dir), "/tmp/test-state-XXXXXX");
        assert_non_null(mkdtemp(dir));
        json_encoder_init(&encoder, &host);
        return 0;
}

static const char *in_dir(const char *name) {
        static char path[128];

        snprintf(path, sizeof(path), "%s/%s", dir, name);
        return path;
}

static int tear_down(void **state _unused_) {
        static const char *const names[] = { STATE_SPOOL, STATE_SPOOL ".bad", STATE_CHECKPOINT, STATE_CHECKPOINT ".bad" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                unlink(in_dir(names[i]));
        /* There is nothing else. */
        assert_int_equal(rmdir(dir), 0);
        return 0;
}

static void begin_life_in(Life *life, const char *path, size_t history_size) {
        const DomainTableLimits limits = { .n_domains = 100, .n_denials = 100, .n_processes = 100, .n_threads = 100,
                                           .n_rulesets = 100, .n_rules = 100 };
        const StateOptions options = {
                .host = &host,
                .table = &life->table,
                .counters = &life->counters,
                .path = path,
                .locked_directory = -EBADF,
                .history_size = history_size,
                .base = life->base = event_base_new(),
        };

        life->counters = (Counters) {};
        assert_int_equal(domain_table_init(&life->table, &limits, &life->counters), 0);
        assert_int_equal(state_new(&life->state, &options, &life->load), 0);
}

static void begin_life(Life *life) {
        begin_life_in(life, dir, HISTORY_SIZE);
}

static void end_life(Life *life) {
        life->state = state_free(life->state);
        domain_table_done(&life->table);
        event_base_free(life->base);
}

/* What the manager does with a fact. */
static void deny(Life *life, uint64_t domain) {
        const Fact fact = {
                .type = FACT_ACCESS_DENIED,
                .origins = ORIGIN_AUDIT,
                .time_usec = TIME,
                .denied = { .domain = domain, .time_usec = TIME, .origins = ORIGIN_AUDIT, .blockers.known = 1 },
        };
        Change changes[DOMAIN_TABLE_CHANGES_MAX];
        size_t n = domain_table_apply(&life->table, &fact, changes);

        for (size_t i = 0; i < n; i++) {
                const EventMeta meta = json_event_meta(&changes[i]);
                EventLog *log = state_log(life->state);
                Text line;

                assert_int_equal(json_encoder_change(&encoder, &changes[i], log->next_seq, &line), 0);
                assert_int_equal(event_log_append(log, &meta, line), 0);
                state_changed(life->state);
        }
}

static bool is_there(const char *name) {
        return access(in_dir(name), F_OK) >= 0;
}

static void assert_kept(const Life *life) {
        assert_int_equal(state_status(life->state)->state, SOURCE_ACTIVE);
        assert_string_equal(state_status(life->state)->name, "state");
        assert_string_equal(state_status(life->state)->reason, "");
}

/* All works, but for the one thing. */
static void assert_in_memory(Life *life, const char *reason) {
        assert_int_equal(state_status(life->state)->state, SOURCE_DEGRADED);
        assert_non_null(strstr(state_status(life->state)->reason, reason));
        assert_false(life->load.found);
        deny(life, 1);
        assert_int_equal(event_log_last_seq(state_log(life->state)), 2);
        state_finish(life->state);
        assert_int_equal(life->counters.checkpoints, 0);
}

static void test_two_lives(void **state _unused_) {
        static Life life;
        struct stat file;

        begin_life(&life);
        assert_kept(&life);
        deny(&life, 1);
        assert_int_equal(lstat(in_dir(STATE_SPOOL), &file), 0);
        assert_int_equal(file.st_mode & 07777, 0600);
        assert_true((uint64_t) file.st_blocks * 512 >= HISTORY_SIZE); /* reserved */
        assert_false(is_there(STATE_CHECKPOINT));
        end_life(&life); /* a kill is the same */

        begin_life(&life);
        assert_kept(&life);
        assert_true(life.load.found && !life.load.incomplete);
        assert_int_equal(domain_table_get(&life.table, 1)->n_denials, 1);
        assert_int_equal(life.counters.denials, 0);
        assert_int_equal(state_log(life.state)->next_seq, 3);
        deny(&life, 1);
        state_finish(life.state);
        assert_int_equal(life.counters.checkpoints, 1);
        assert_int_equal(lstat(in_dir(STATE_CHECKPOINT), &file), 0);
        assert_int_equal(file.st_mode & 07777, 0600);
        end_life(&life);

        begin_life(&life);
        assert_int_equal(domain_table_get(&life.table, 1)->n_denials, 2);
        assert_int_equal(life.table.denials.next_seq, 3);
        end_life(&life);
}

/* A checkpoint comes some time after a change; at once when the spool has gone round by half; and not all the time. */
static void test_when(void **state _unused_) {
        static Life life;
        uint64_t begun, n;

        begin_life(&life);
        assert_int_equal(event_base_loop(life.base, EVLOOP_NONBLOCK), 1); /* nothing waits */
        deny(&life, 1);
        assert_int_equal(event_base_loop(life.base, EVLOOP_NONBLOCK), 0); /* a timer does */
        assert_int_equal(life.counters.checkpoints, 0);

        while (state_log(life.state)->end < HISTORY_SIZE / 2 + EVENT_LOG_LINE_MAX)
                deny(&life, 1);
        for (unsigned i = 0; i < 100 && life.counters.checkpoints == 0; i++)
                event_base_loop(life.base, EVLOOP_ONCE);
        assert_int_equal(life.counters.checkpoints, 1);
        assert_true(is_there(STATE_CHECKPOINT));
        assert_int_equal(event_base_loop(life.base, EVLOOP_NONBLOCK), 1);

        /* As fast as events can come. */
        begun = clock_monotonic_usec();
        while (clock_monotonic_usec() - begun < 200 * USEC_PER_MSEC) {
                for (unsigned i = 0; i < 100; i++)
                        deny(&life, 1);
                event_base_loop(life.base, EVLOOP_NONBLOCK);
        }
        n = state_log(life.state)->end / (HISTORY_SIZE / 2);
        assert_true(life.counters.checkpoints > 2 && life.counters.checkpoints <= n + 2);
        end_life(&life);
}

/* What was published after the checkpoint began is in the next. */
static void test_change_meanwhile(void **state _unused_) {
        static Life life;

        begin_life(&life);
        for (uint64_t domain = 1; domain <= 80; domain++)
                deny(&life, domain);
        while (state_log(life.state)->end < HISTORY_SIZE / 2 + EVENT_LOG_LINE_MAX)
                deny(&life, 1);
        event_base_loop(life.base, EVLOOP_ONCE);
        deny(&life, 1);
        for (unsigned i = 0; i < 100 && life.counters.checkpoints == 0; i++)
                event_base_loop(life.base, EVLOOP_NONBLOCK);
        assert_int_equal(life.counters.checkpoints, 1);
        deny(&life, 2);
        assert_int_equal(event_base_loop(life.base, EVLOOP_NONBLOCK), 0);
        end_life(&life);
}

static void test_damaged_spool(void **state _unused_) {
        static Life life;
        uint64_t n;
        int fd;

        begin_life(&life);
        deny(&life, 1);
        state_finish(life.state);
        end_life(&life);
        fd = open(in_dir(STATE_SPOOL), O_WRONLY | O_CLOEXEC);
        assert_int_equal(pwrite(fd, "damage", 6, 40), 6);
        close(fd);

        begin_life(&life);
        assert_kept(&life);
        assert_int_equal(life.counters.state_set_aside, 1);
        assert_true(is_there(STATE_SPOOL ".bad"));
        /* The checkpoint has it all, and nobody knows what came after. */
        assert_true(life.load.found && life.load.incomplete);
        assert_int_equal(domain_table_get(&life.table, 1)->n_denials, 1);
        assert_int_equal(state_log(life.state)->next_seq, 1);
        deny(&life, 1);
        end_life(&life);

        /* One damaged file is kept, not all of them. */
        for (n = 0; n < 3; n++) {
                assert_int_equal(truncate(in_dir(STATE_SPOOL), 4096 * (off_t) n), 0);
                begin_life(&life);
                assert_kept(&life);
                assert_int_equal(life.counters.state_set_aside, 1);
                end_life(&life);
        }
}

static void test_strange_spool(void **state _unused_) {
        static Life life;

        assert_int_equal(symlink("/etc/passwd", in_dir(STATE_SPOOL)), 0);
        begin_life(&life);
        assert_kept(&life);
        assert_int_equal(life.counters.state_set_aside, 1);
        end_life(&life);

        assert_int_equal(unlink(in_dir(STATE_SPOOL)), 0);
        assert_int_equal(mkfifo(in_dir(STATE_SPOOL), 0600), 0);
        begin_life(&life);
        assert_kept(&life);
        assert_int_equal(life.counters.state_set_aside, 1);
        end_life(&life);

        assert_int_equal(unlink(in_dir(STATE_SPOOL)), 0);
        assert_int_equal(unlink(in_dir(STATE_SPOOL ".bad")), 0);
        assert_int_equal(mkdir(in_dir(STATE_SPOOL), 0700), 0);
        begin_life(&life);
        assert_kept(&life);
        assert_int_equal(life.counters.state_set_aside, 1);
        end_life(&life);

        /* Cannot even be set aside. */
        assert_int_equal(unlink(in_dir(STATE_SPOOL)), 0);
        assert_int_equal(symlink("/etc/passwd", in_dir(STATE_SPOOL)), 0);
        begin_life(&life);
        assert_in_memory(&life, "File exists");
        end_life(&life);
        assert_int_equal(rmdir(in_dir(STATE_SPOOL ".bad")), 0);
}

static void test_no_directory(void **state _unused_) {
        static Life life;

        begin_life_in(&life, "/dev/null", HISTORY_SIZE);
        assert_in_memory(&life, "Not a directory");
        end_life(&life);
        begin_life_in(&life, "/proc/nowhere/at-all", HISTORY_SIZE);
        assert_in_memory(&life, "No such file");
        end_life(&life);
}

static void test_in_use(void **state _unused_) {
        static Life first, second;

        begin_life(&first);
        begin_life(&second);
        assert_kept(&first);
        assert_in_memory(&second, "another landlockd");
        end_life(&second);
        deny(&first, 1);
        end_life(&first);
}

/* All space is reserved at the start, or none is used. */
static void test_no_room(void **state _unused_) {
        struct rlimit before, limit;
        static Life life;

        signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        limit = (struct rlimit) { HISTORY_SIZE / 2, before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        begin_life(&life);
        assert_in_memory(&life, "too large");
        assert_false(is_there(STATE_SPOOL));
        end_life(&life);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);

        /* A spool that is there already is used as it is. */
        begin_life(&life);
        deny(&life, 1);
        end_life(&life);
        limit.rlim_cur = 2 * HISTORY_SIZE;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        begin_life_in(&life, dir, 4 * HISTORY_SIZE);
        assert_kept(&life);
        assert_int_equal(state_log(life.state)->n_bytes, HISTORY_SIZE);
        assert_true(life.load.found);
        end_life(&life);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);

        begin_life_in(&life, dir, 4 * HISTORY_SIZE);
        assert_int_equal(state_log(life.state)->n_bytes, 4 * HISTORY_SIZE);
        assert_int_equal(state_log(life.state)->next_seq, 3);
        assert_true(life.load.found);
        end_life(&life);
}

/* One that cannot be written leaves the last one in place, and is counted. */
static void test_no_room_for_checkpoint(void **state _unused_) {
        struct rlimit before, limit;
        static Life life;

        signal(SIGXFSZ, SIG_IGN);
        begin_life(&life);
        deny(&life, 1);
        state_finish(life.state);
        assert_int_equal(life.counters.checkpoints, 1);

        deny(&life, 2);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        limit = (struct rlimit) { 100, before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        state_finish(life.state);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(life.counters.checkpoints, 1);
        assert_int_equal(life.counters.checkpoints_failed, 1);
        assert_true(is_there(STATE_CHECKPOINT));
        assert_false(is_there(STATE_CHECKPOINT ".new"));
        end_life(&life);

        begin_life(&life);
        assert_true(life.load.found && !life.load.incomplete && !life.load.set_aside);
        assert_int_equal(life.table.n_live, 2);
        end_life(&life);
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                test(test_two_lives),
                test(test_when),
                test(test_change_meanwhile),
                test(test_damaged_spool),
                test(test_strange_spool),
                test(test_no_directory),
                test(test_in_use),
                test(test_no_room),
                test(test_no_room_for_checkpoint),
        };

        log_set_max_priority(LOG_ERR);
        return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
