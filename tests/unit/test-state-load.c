/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table that is filled by thousands of random facts, while checkpoints are written in slices, dies at any moment; what
 * the next life reads back is the same table. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "publish/json-snapshot.h"
#include "publish/state-checkpoint.h"
#include "publish/state-load.h"
#include "publish/state-spool.h"
#include "test-state-facts.h"

#define N_BYTES (8 * EVENT_LOG_LINE_MAX)
#define N_ENTRIES 2000

typedef struct Life {
        DomainTable table;
        Counters counters;
        EventLog log;
        StateLoad load;
        bool set_aside;
        JsonEncoder encoder;
} Life;

static char dir[64];
static int directory;
static Host host;

static void set_boot(unsigned number) {
        host = (Host) { .has_boot_id = true, .has_machine_id = true, .machine_id = "0123456789abcdef0123456789abcdef" };
        snprintf(host.boot_id, sizeof(host.boot_id), "5f0c1a2e-0b8e-4f6d-9d1a-2c3b4a59%04x", number);
}

static void begin_life_of(Life *life, const DomainTableLimits *limits, size_t n_bytes) {
        const StateSpoolOptions options = { directory, n_bytes, N_ENTRIES, host.machine_id };

        life->counters = (Counters) {};
        assert_int_equal(domain_table_init(&life->table, limits, &life->counters), 0);
        assert_int_equal(state_spool_open(&options, &life->log, &life->set_aside), 0);
        assert_int_equal(state_load(directory, &host, &life->log, &life->table, &life->load), 0);
        json_encoder_init(&life->encoder, &host);
}

static void begin_life(Life *life) {
        begin_life_of(life, &(DomainTableLimits) { .n_domains = 60, .n_denials = 40, .n_processes = 80, .n_threads = 200,
                                                   .n_rulesets = 100000, .n_rules = 1000000 }, N_BYTES);
}

static void end_life(Life *life) {
        event_log_done(&life->log);
        domain_table_done(&life->table);
}

static void apply(Life *life, const Fact *fact) {
        Change changes[DOMAIN_TABLE_CHANGES_MAX];
        size_t n = domain_table_apply(&life->table, fact, changes);

        for (size_t i = 0; i < n; i++) {
                const EventMeta meta = json_event_meta(&changes[i]);
                Text line;

                assert_int_equal(json_encoder_change(&life->encoder, &changes[i], life->log.next_seq, &line), 0);
                assert_int_equal(event_log_append(&life->log, &meta, line), 0);
        }
}

/* ---- comparison ---- */

typedef struct Lines {
        char *lines[4096];
        size_t n;
} Lines;

/* Takes a member out of a line. */
static void strip(char *line, const char *name) {
        char *at = strstr(line, name), *end = at ? strpbrk(at + strlen(name), ",}") : NULL;

        if (at)
                memmove(at, end + (*end == ','), strlen(end + (*end == ',')) + 1);
}

/* What changes without an event. */
static void strip_silent(char *line) {
        strip(line, "\"last_seen\":");
        if (!strstr(line, "\"type\":\"process\""))
                return;
        /* A second thread that is seen may tell more of its process, and more surely. */
        strip(line, "\"known\":");
        strip(line, "\"uid\":");
        strip(line, "\"comm\":");
        strip(line, "\"exe\":");
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

/* `exact`: as a checkpoint tells it. Threads are not in it. */
static Lines lines_of(Life *life, bool exact) {
        const EventFilter everything = EVENT_FILTER_EVERYTHING;
        JsonSnapshot *snapshot;
        Lines lines = {};
        int r;

        /* What was kept for the last fact's changes only goes with the next. */
        apply(life, &(Fact) { .type = FACT_TASK_EXITED, .exited = { 1 } });

        assert_int_equal(json_snapshot_new(&snapshot, &life->table, 1, TEXT_NULL), 0);
        do {
                Text line;

                r = json_snapshot_next(snapshot, &life->encoder, &life->table, &everything, 1, &line);
                assert_true(r >= 0);
                if (!text_known(line))
                        continue;
                char *copy = lines.lines[lines.n++] = strndup(line.data, line.len);

                if (!strstr(copy, "\"type\":\"denial\""))
                        strip(copy, "\"time\":");
                if (strstr(copy, "\"type\":\"process\""))
                        strip(copy, "\"threads\":");
                if (!exact)
                        strip_silent(copy);
        } while (r > 0);
        json_snapshot_free(snapshot);
        qsort(lines.lines, lines.n, sizeof(char *), compare);
        return lines;
}

static void free_lines(Lines *lines) {
        for (size_t i = 0; i < lines->n; i++)
                free(lines->lines[i]);
}

static void assert_same(Lines *before, Lines *after) {
        for (size_t i = 0; i < MAX(before->n, after->n); i++)
                if (i >= before->n || i >= after->n || strcmp(before->lines[i], after->lines[i]) != 0) {
                        /* Too long for cmocka's message. */
                        fprintf(stderr, "# before: %s# after: %s", i < before->n ? before->lines[i] : "-\n",
                                i < after->n ? after->lines[i] : "-\n");
                        fail_msg("line %zu", i);
                }
        free_lines(before);
        free_lines(after);
}

/* ---- lives ---- */

/* As /proc tells it to the manager. */
static void find_threads(Life *life, const DomainTable *before) {
        const Process *process;
        const Thread *thread;

        TAILQ_FOREACH_REVERSE(process, &before->processes.processes, ProcessList, in_table)
                LIST_FOREACH(thread, &process->threads, in_process) {
                        const Fact fact = {
                                .type = FACT_TASK_SEEN,
                                .time_usec = facts_now(),
                                .seen = {
                                        .domain = process->domain->id,
                                        .task = { .tid = thread->tid, .pid = process->pid, .has_pid = true },
                                        .attribution = process->attribution,
                                },
                        };

                        apply(life, &fact);
                }
}

static void remove_all(void) {
        static const char *const names[] = {
                STATE_SPOOL, STATE_SPOOL ".new", STATE_SPOOL ".bad", STATE_CHECKPOINT, STATE_CHECKPOINT ".new", STATE_CHECKPOINT ".bad",
        };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                unlinkat(directory, names[i], 0);
}

static int set_up(void **state _unused_) {
        remove_all();
        set_boot(1);
        facts_begin();
        return 0;
}

static void checkpoint_all(Life *life) {
        StateCheckpoint *checkpoint;

        assert_int_equal(state_checkpoint_new(&checkpoint, directory, &host, &life->log, &life->table), 0);
        assert_int_equal(state_checkpoint_continue(checkpoint, UINT64_MAX), 0);
        state_checkpoint_free(checkpoint);
}

static void test_nothing_is_there(void **state _unused_) {
        static Life life;

        begin_life(&life);
        assert_false(life.load.found || life.load.incomplete || life.set_aside || life.load.set_aside);
        assert_int_equal(life.log.next_seq, 1);
        end_life(&life);

        /* Nor is anything lost when there was nothing. */
        begin_life(&life);
        assert_false(life.load.found);
        end_life(&life);
}

static void test_clean_end(void **state _unused_) {
        static Life a, b;
        Lines before, after;

        begin_life(&a);
        for (unsigned life = 0; life < 20; life++) {
                for (unsigned i = 0; i < 1000; i++) {
                        const Fact fact = facts_next(&a.table);

                        apply(&a, &fact);
                }
                checkpoint_all(&a);
                before = lines_of(&a, true);
                event_log_done(&a.log);

                begin_life(&b);
                assert_true(b.load.found);
                assert_false(b.load.incomplete || b.set_aside || b.load.set_aside || b.load.n_bad_lines);
                assert_int_equal(b.table.denials.next_seq, a.table.denials.next_seq);
                after = lines_of(&b, true);
                assert_same(&before, &after);
                find_threads(&b, &a.table);
                domain_table_done(&a.table);
                event_log_done(&b.log);
                domain_table_done(&b.table);
                begin_life(&a);
        }
        end_life(&a);
}

/* Any number of facts after any number of slices of a checkpoint, which may be one of several, or none. */
static void test_sudden_end(void **state _unused_) {
        static Life a, b;
        unsigned n_complete = 0, n_merged = 0, n_compared = 0;

        begin_life(&a);
        for (unsigned life = 0; life < 100; life++) {
                StateCheckpoint *checkpoint = NULL;
                unsigned n_facts = facts_choose(600), every = 1 + facts_choose(4), slices = 0;
                Lines before, after;
                uint64_t next;

                for (unsigned i = 0; i < n_facts; i++) {
                        const Fact fact = facts_next(&a.table);

                        apply(&a, &fact);
                        if (!checkpoint && facts_choose(50) == 0)
                                assert_int_equal(state_checkpoint_new(&checkpoint, directory, &host, &a.log, &a.table), 0);
                        if (checkpoint && i % every == 0) {
                                slices++;
                                if (state_checkpoint_continue(checkpoint, 0) == 0) {
                                        checkpoint = state_checkpoint_free(checkpoint);
                                        n_complete++;
                                        n_merged += slices > 2;
                                        slices = 0;
                                }
                        }
                }
                /* Dead: what was not renamed stays in the way. */
                state_checkpoint_free(checkpoint);
                before = lines_of(&a, false);
                next = a.log.next_seq;
                event_log_done(&a.log);

                begin_life(&b);
                assert_int_equal(b.log.next_seq, next);
                assert_false(b.set_aside || b.load.set_aside || b.load.n_bad_lines);
                if (!b.load.incomplete) {
                        after = lines_of(&b, false);
                        assert_same(&before, &after);
                        n_compared++;
                } else
                        free_lines(&before);
                find_threads(&b, &a.table);
                domain_table_done(&a.table);

                /* And dead again at once, with nothing done. */
                event_log_done(&b.log);
                domain_table_done(&b.table);
                begin_life(&a);
                find_threads(&a, &a.table);
        }
        assert_true(n_complete > 50 && n_merged > 50 && n_compared > 50 && n_compared < 100);
        end_life(&a);
}

/* ---- what is not of this life ---- */

static void live(Life *life, unsigned n_facts) {
        for (unsigned i = 0; i < n_facts; i++) {
                const Fact fact = facts_next(&life->table);

                apply(life, &fact);
        }
}

static void assert_empty(const Life *life) {
        assert_int_equal(life->table.n_live + life->table.n_freed, 0);
        assert_int_equal(life->table.processes.n_processes, 0);
        assert_int_equal(life->table.rulesets.n_rulesets, 0);
        assert_int_equal(life->table.denials.n, 0);
}

/* The events are history, the numbers go on, and nothing lives. */
static void test_other_boot(void **state _unused_) {
        static Life life;
        uint64_t next, denials;

        begin_life(&life);
        live(&life, 300);
        checkpoint_all(&life);
        live(&life, 300);
        next = life.log.next_seq;
        denials = life.table.denials.next_seq;
        end_life(&life);

        set_boot(2);
        begin_life(&life);
        assert_empty(&life);
        assert_false(life.load.found || life.load.incomplete || life.load.set_aside);
        assert_int_equal(life.log.next_seq, next);
        assert_int_equal(life.table.denials.next_seq, denials);
        assert_true(life.log.oldest_seq < next);
        live(&life, 50);
        end_life(&life);

        /* Of a spool with events of two boots, those of this one count. */
        begin_life(&life);
        assert_true(life.load.found);
        assert_true(life.table.denials.next_seq >= denials);
        end_life(&life);
}

/* A spool that is gone takes with it what came after the checkpoint. */
static void test_spool_is_gone(void **state _unused_) {
        static Life life;
        Lines before, after;

        begin_life(&life);
        live(&life, 500);
        checkpoint_all(&life);
        before = lines_of(&life, true);
        end_life(&life);
        assert_int_equal(unlinkat(directory, STATE_SPOOL, 0), 0);

        begin_life(&life);
        assert_true(life.load.found && life.load.incomplete);
        assert_int_equal(life.load.n_missing, 0);
        assert_int_equal(life.log.next_seq, 1);
        /* Some denials are in the spool alone. */
        after = lines_of(&life, true);
        for (size_t i = 0; i < before.n; i++)
                if (!strstr(before.lines[i], "\"type\":\"denial\"") && !strstr(before.lines[i], "\"type\":\"reply\""))
                        assert_non_null(bsearch(&before.lines[i], after.lines, after.n, sizeof(char *), compare));
        free_lines(&before);
        free_lines(&after);
        live(&life, 20);
        end_life(&life);

        /* Dead before there was another checkpoint: all in the new spool came after the old one. */
        begin_life(&life);
        assert_true(life.load.found && life.load.incomplete);
        assert_int_equal(life.load.n_bad_lines, 0);
        end_life(&life);
}

/* What the spool had no room for until the checkpoint is counted. */
static void test_too_many_events(void **state _unused_) {
        static Life life;
        uint64_t seq, oldest;

        begin_life(&life);
        live(&life, 100);
        checkpoint_all(&life);
        seq = event_log_last_seq(&life.log);
        live(&life, 10000);
        oldest = life.log.oldest_seq;
        assert_true(oldest > seq + 1);
        end_life(&life);

        begin_life(&life);
        assert_true(life.load.found && life.load.incomplete);
        assert_int_equal(life.load.n_missing, oldest - seq - 1);
        assert_true(life.load.missing_since_usec <= life.load.last_usec && life.load.missing_until_usec > FACTS_TIME);
        assert_true(life.table.n_live > 0);
        end_life(&life);

        /* With no checkpoint, nobody knows how many. */
        assert_int_equal(unlinkat(directory, STATE_CHECKPOINT, 0), 0);
        begin_life(&life);
        assert_true(life.load.found && life.load.incomplete);
        assert_int_equal(life.load.n_missing, 0);
        end_life(&life);
}

/* Smaller caps and a smaller spool: what fits is kept. */
static void test_smaller(void **state _unused_) {
        static Life life;
        uint64_t next;

        begin_life(&life);
        live(&life, 3000);
        checkpoint_all(&life);
        live(&life, 100);
        next = life.log.next_seq;
        end_life(&life);

        begin_life_of(&life, &(DomainTableLimits) { .n_domains = 10, .n_denials = 5, .n_processes = 7, .n_threads = 9,
                                                    .n_rulesets = 3, .n_rules = 4 }, 2 * EVENT_LOG_LINE_MAX);
        assert_int_equal(life.log.next_seq, next);
        assert_int_equal(life.log.n_bytes, 2 * EVENT_LOG_LINE_MAX);
        assert_int_equal(life.table.n_live + life.table.n_freed, 10);
        assert_int_equal(life.table.denials.n, 5);
        assert_true(life.table.processes.n_processes > 0 && life.table.processes.n_processes <= 7);
        assert_true(life.table.rulesets.n_rulesets <= 3 && life.table.rulesets.n_rules <= 4);
        assert_int_equal(life.counters.domains_evicted, 0);
        live(&life, 1000);
        end_life(&life);
}

/* ---- damage ---- */

static size_t read_file(const char *name, char **ret) {
        int fd = openat(directory, name, O_RDONLY);
        struct stat st;

        assert_true(fd >= 0 && fstat(fd, &st) >= 0);
        *ret = malloc((size_t) st.st_size);
        assert_int_equal(read(fd, *ret, (size_t) st.st_size), st.st_size);
        close(fd);
        return (size_t) st.st_size;
}

static void write_file(const char *name, const char *data, size_t size) {
        int fd = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, data, size), size);
        close(fd);
}

/* A checkpoint that is not as it was written is set aside, whatever happened to it, and the spool is used all the same. */
static void assert_refused(const char *data, size_t size) {
        static Life life;

        write_file(STATE_CHECKPOINT, data, size);
        begin_life(&life);
        assert_true(life.load.set_aside);
        assert_int_equal(faccessat(directory, STATE_CHECKPOINT, F_OK, 0), -1);
        assert_int_equal(faccessat(directory, STATE_CHECKPOINT ".bad", F_OK, 0), 0);
        assert_true(life.load.found);
        end_life(&life);
}

static void test_damaged_checkpoint(void **state _unused_) {
        _cleanup_free_ char *data = NULL, *longer = NULL;
        static Life life;
        size_t size;

        begin_life(&life);
        live(&life, 60);
        checkpoint_all(&life);
        end_life(&life);
        size = read_file(STATE_CHECKPOINT, &data);

        for (size_t len = 0; len < size; len += 1 + facts_choose(size / 30))
                assert_refused(data, len);
        assert_refused(data, size - 1);
        for (unsigned i = 0; i < 100; i++) {
                char *byte = &data[facts_choose(size)], before = *byte;

                *byte ^= (char) (1 << facts_choose(8));
                assert_refused(data, size);
                *byte = before;
        }
        longer = malloc(size + 1);
        memcpy(longer, data, size);
        longer[size] = '\n';
        assert_refused(longer, size + 1);

        write_file(STATE_CHECKPOINT, data, size);
        begin_life(&life);
        assert_false(life.load.set_aside);
        end_life(&life);
}

/* Something else in the place of a file. */
static void test_no_file(void **state _unused_) {
        static Life life;

        assert_int_equal(mkdirat(directory, STATE_CHECKPOINT, 0700), 0);
        begin_life(&life);
        assert_true(life.load.set_aside);
        end_life(&life);
        assert_int_equal(unlinkat(directory, STATE_CHECKPOINT ".bad", AT_REMOVEDIR), 0);

        assert_int_equal(symlinkat("/etc/passwd", directory, STATE_CHECKPOINT), 0);
        begin_life(&life);
        assert_true(life.load.set_aside);
        live(&life, 10);
        checkpoint_all(&life);
        end_life(&life);
        begin_life(&life);
        assert_true(life.load.found && !life.load.set_aside);
        end_life(&life);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_nothing_is_there, set_up),
                cmocka_unit_test_setup(test_clean_end, set_up),
                cmocka_unit_test_setup(test_sudden_end, set_up),
                cmocka_unit_test_setup(test_other_boot, set_up),
                cmocka_unit_test_setup(test_spool_is_gone, set_up),
                cmocka_unit_test_setup(test_too_many_events, set_up),
                cmocka_unit_test_setup(test_smaller, set_up),
                cmocka_unit_test_setup(test_damaged_checkpoint, set_up),
                cmocka_unit_test_setup(test_no_file, set_up),
        };
        int r;

        log_set_max_priority(LOG_ERR);
        snprintf(dir, sizeof(dir), "/tmp/test-state-load-XXXXXX");
        if (!mkdtemp(dir) || (directory = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
                return 1;
        r = cmocka_run_group_tests_name("state-load", tests, NULL, NULL);
        remove_all();
        close(directory);
        rmdir(dir);
        return r;
}
