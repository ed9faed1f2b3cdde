/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A snapshot while the table changes: joined with the stream it gives the table as it is, nothing missing and
 * nothing counted twice. */
#include "test-json-fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "publish/json-event.h"

/* That the view has room for: IDs are small here. */
#define N_DOMAINS 1000
#define N_RULESETS 64
#define N_RULES 1000

#define DENIALS_MAX 20000

/* What a client makes of the lines that it reads, in their order. */
typedef struct View {
        struct {
                bool known, freed;
                uint64_t n_denials, seq;
                bool process; /* its number is the domain's */
        } domains[N_DOMAINS];
        struct {
                bool known, freed;
                bool rules[N_RULES]; /* by version */
                size_t n_rules, n_lines;
        } rulesets[N_RULESETS];
        bool denials_told[DENIALS_MAX];          /* in the snapshot */
        uint64_t denials_seq[DENIALS_MAX];       /* in the stream; 0: not */
        uint64_t n_snapshot_rulesets, n_snapshot_domains, n_snapshot_processes, n_snapshot_denials;
        bool complete;
        uint64_t reply_seq;
} View;

static Peer *new_greeted_peer(Fixture *f) {
        Peer *peer = peer_new(f);

        json_decref(peer_expect(f, peer, "hello"));
        return peer;
}

static uint64_t number_of(const json_t *object, const char *name, uint64_t limit) {
        uint64_t id = strtoull(member_text(object, name), NULL, 16);

        assert_true(id < limit);
        return id;
}

static uint64_t domain_number(const json_t *event) {
        return number_of(event, "domain", N_DOMAINS);
}

/* Lines of one ruleset add up, whatever they are part of. */
static void view_ruleset(View *view, const json_t *event) {
        uint64_t id = number_of(event, "ruleset", N_RULESETS);
        json_t *rule;
        size_t i;

        if (json_object_get(event, "snapshot")) {
                assert_null(json_object_get(event, "change"));
                view->n_snapshot_rulesets += view->rulesets[id].n_lines++ == 0;
        }
        view->rulesets[id].known = true;
        view->rulesets[id].freed = json_is_true(json_object_get(event, "freed"));
        json_array_foreach(json_object_get(event, "rules"), i, rule) {
                uint64_t version = member_number(rule, "version");

                assert_true(version < N_RULES);
                view->rulesets[id].n_rules += !view->rulesets[id].rules[version];
                view->rulesets[id].rules[version] = true;
        }
}

static void view_domain(View *view, const json_t *event) {
        uint64_t id = domain_number(event);
        const char *change = json_string_value(json_object_get(event, "change"));
        const json_t *ruleset = json_object_get(event, "ruleset");

        view->n_snapshot_domains += !change;
        view->domains[id].known = !change || strcmp(change, "evicted") != 0;
        view->domains[id].freed = strcmp(member_text(event, "state"), "deallocated") == 0;
        view->domains[id].n_denials = member_number(json_object_get(event, "denials"), "seen");
        view->domains[id].seq = member_number(event, "seq");
        if (view->domains[id].freed || !view->domains[id].known)
                view->domains[id].process = false;
        if (!change && ruleset)
                assert_true(view->rulesets[number_of(ruleset, "id", N_RULESETS)].known);
}

static void view_process(View *view, const json_t *event) {
        uint64_t id = domain_number(event);
        const char *change = json_string_value(json_object_get(event, "change"));

        assert_int_equal(member_number(event, "pid"), id);
        if (!change)
                assert_true(view->domains[id].known);
        view->domains[id].process = !change || strcmp(change, "gone") != 0;
        view->n_snapshot_processes += !change;
}

static void view_denial(View *view, const json_t *event) {
        uint64_t id = domain_number(event), number = member_number(event, "denial");

        assert_true(number < DENIALS_MAX);
        if (json_is_true(json_object_get(event, "snapshot"))) {
                assert_false(view->denials_told[number]);
                view->denials_told[number] = true;
                view->n_snapshot_denials++;
                return;
        }
        assert_int_equal(view->denials_seq[number], 0);
        view->denials_seq[number] = member_number(event, "seq");
        if (view->domains[id].known)
                view->domains[id].n_denials++;
}

static void view_line(View *view, const json_t *event) {
        const char *type = member_text(event, "type");

        if (strcmp(type, "domain") == 0) {
                view_domain(view, event);
        } else if (strcmp(type, "denial") == 0) {
                view_denial(view, event);
        } else if (strcmp(type, "process") == 0) {
                view_process(view, event);
        } else if (strcmp(type, "ruleset") == 0) {
                view_ruleset(view, event);
        } else {
                assert_string_equal(type, "reply");
                assert_true(json_is_true(json_object_get(event, "ok")));
                assert_int_equal(member_number(event, "rulesets"), view->n_snapshot_rulesets);
                assert_int_equal(member_number(event, "domains"), view->n_snapshot_domains);
                assert_int_equal(member_number(event, "processes"), view->n_snapshot_processes);
                assert_int_equal(member_number(event, "denials"), view->n_snapshot_denials);
                view->reply_seq = member_number(event, "seq");
                view->complete = true;
        }
}

/* Reads at most n lines that are there. */
static void view_read(Fixture *f, View *view, Peer *peer, unsigned n) {
        while (n-- > 0) {
                json_t *event = peer_next(peer);

                if (!event) {
                        fixture_pump(f);
                        event = peer_next(peer);
                }
                if (!event)
                        return;
                view_line(view, event);
                json_decref(event);
        }
}

static void assert_rulesets_are_those_of(const View *view, const Fixture *f) {
        for (uint64_t id = 0; id < N_RULESETS; id++) {
                const Ruleset *ruleset = ruleset_table_get(&f->table.rulesets, id);

                /* One that nothing needs any more is dropped from the table without a word. */
                if (!ruleset) {
                        assert_true(!view->rulesets[id].known || view->rulesets[id].freed);
                        continue;
                }
                assert_true(view->rulesets[id].known);
                assert_int_equal(view->rulesets[id].freed, ruleset->freed);
                assert_int_equal(view->rulesets[id].n_rules, ruleset->n_rules);
                for (size_t i = 0; i < ruleset->n_rules; i++)
                        assert_true(view->rulesets[id].rules[ruleset->rules[i].version]);
        }
}

static void assert_view_is_table(const View *view, const Fixture *f) {
        assert_true(view->complete);
        for (uint64_t id = 0; id < N_DOMAINS; id++) {
                const Domain *domain = domain_table_get(&f->table, id);

                assert_int_equal(view->domains[id].known, !!domain);
                if (!domain)
                        continue;
                assert_int_equal(view->domains[id].freed, domain->state == DOMAIN_DEALLOCATED);
                assert_int_equal(view->domains[id].n_denials, domain->n_denials);
                assert_int_equal(view->domains[id].process, !TAILQ_EMPTY(&domain->processes));
        }
        assert_rulesets_are_those_of(view, f);

        /* Up to the reply's seq the snapshot has them all, and none of those after it. */
        for (uint64_t number = 1; number < f->table.denials.next_seq; number++)
                assert_int_equal(view->denials_told[number],
                                 view->denials_seq[number] == 0 || view->denials_seq[number] <= view->reply_seq);
}

/* The last ruleset is of more rules than a line holds. */
static void fill_rulesets(Fixture *f, uint64_t n) {
        static char path[200];

        memset(path, '/', sizeof(path));
        for (uint64_t id = 1; id <= n; id++) {
                fixture_create_ruleset(f, id);
                for (uint64_t version = 1; version <= (id == n ? N_RULES - 100 : id); version++)
                        fixture_add_rule(f, id, version, (Text) { path, 1 + version % sizeof(path) });
        }
}

static void fill(Fixture *f, uint64_t n) {
        fill_rulesets(f, 8);
        for (uint64_t id = 1; id <= n; id++) {
                if (id % 2)
                        fixture_describe(f, id);
                else
                        fixture_create(f, id, 1 + id % 8, 1);
                if (id % 3 == 0)
                        fixture_enter(f, id, (int64_t) id);
                for (uint64_t i = id % 4; i > 0; i--)
                        fixture_deny(f, id, BLOCKER_PTRACE, TEXT_LITERAL("before"));
                if (id % 5 == 0)
                        fixture_end(f, id);
        }
        fixture_end_ruleset(f, 7, 7);
        fixture_pump(f);
}

static void test_empty(void **state) {
        static View view;
        Fixture *f = *state;
        Peer *peer = new_greeted_peer(f);

        view = (View) {};
        peer_send(peer, "{\"op\":\"snapshot\"}\n");
        view_read(f, &view, peer, 10);
        assert_view_is_table(&view, f);
        assert_int_equal(view.reply_seq, 0);
        assert_int_equal(view.n_snapshot_domains + view.n_snapshot_processes + view.n_snapshot_denials, 0);
        peer_free(peer);
}

static void test_still(void **state) {
        static View view;
        Fixture *f = *state;
        Peer *peer;
        json_t *event;

        view = (View) {};
        fill(f, 10);
        peer = new_greeted_peer(f);
        peer_send(peer, "{\"op\":\"snapshot\",\"id\":\"s\"}\n");

        /* Rulesets before what was made from them; each line answers the request by its name. */
        for (size_t n_rulesets = 0; n_rulesets < f->table.rulesets.n_rulesets;) {
                event = peer_expect(f, peer, "ruleset");
                assert_string_equal(member_text(event, "id"), "s");
                assert_true(json_is_true(json_object_get(event, "snapshot")));
                view_line(&view, event);
                json_decref(event);
                n_rulesets = view.n_snapshot_rulesets;
                /* The last one has more lines. */
                if (n_rulesets == 8 && view.rulesets[8].n_rules < N_RULES - 100)
                        n_rulesets--;
        }
        assert_true(view.rulesets[8].n_lines > 3);

        /* The most recently seen first. */
        event = peer_expect(f, peer, "domain");
        assert_string_equal(member_text(event, "domain"), "9");
        assert_string_equal(member_text(event, "id"), "s");
        assert_true(json_is_true(json_object_get(event, "snapshot")));
        assert_int_equal(member_number(event, "seq"), f->status.counters.json_events);
        view_line(&view, event);
        json_decref(event);
        event = peer_expect(f, peer, "process");
        assert_string_equal(member_text(event, "domain"), "9");
        assert_string_equal(member_text(event, "known"), "kernel");
        assert_int_equal(member_number(event, "threads"), 1);
        view_line(&view, event);
        json_decref(event);

        view_read(f, &view, peer, 1000);
        assert_view_is_table(&view, f);
        assert_int_equal(view.n_snapshot_rulesets, 8);
        assert_int_equal(view.n_snapshot_domains, 10);
        assert_int_equal(view.n_snapshot_processes, 3);
        assert_int_equal(view.n_snapshot_denials, f->status.counters.denials);
        assert_int_equal(view.reply_seq, f->status.counters.json_events);
        peer_free(peer);
}

static void change_domain(Fixture *f, uint64_t id, unsigned what) {
        const Domain *domain = domain_table_get(&f->table, id);

        if (domain && !TAILQ_EMPTY(&domain->processes))
                fixture_exit(f, (int64_t) id);
        else if (what % 11 == 0)
                fixture_end(f, id);
        else if (what % 5 == 0)
                fixture_enter(f, id, (int64_t) id);
        else if (what % 7 == 0)
                fixture_create(f, id, 1 + id % (N_RULESETS - 1), 2);
        else
                fixture_deny(f, id, BLOCKER_FS_EXECUTE, TEXT_LITERAL("meanwhile"));
}

static void change_ruleset(Fixture *f, uint64_t id) {
        const Ruleset *ruleset = ruleset_table_get(&f->table.rulesets, id);

        if (!ruleset)
                fixture_create_ruleset(f, id);
        else if (ruleset->version + 1 < N_RULES && !ruleset->freed)
                fixture_add_rule(f, id, ruleset->version + 1, TEXT_LITERAL("/meanwhile"));
}

/* Something of everything that can happen to a table. */
static void change_something(Fixture *f, unsigned round) {
        uint64_t id = 1 + (uint64_t) rand() % (N_DOMAINS - 1);
        const Domain *domain = domain_table_get(&f->table, id);

        if (round % 4 == 0)
                change_ruleset(f, 1 + (uint64_t) rand() % (N_RULESETS - 1));
        /* An ID that was freed or evicted does not come back: the kernel gives each once. */
        if (domain ? domain->state == DOMAIN_ALLOCATED : round % 3 == 0)
                change_domain(f, id, (unsigned) rand());
}

static void run_under_change(Fixture *f, unsigned seed) {
        static View view;
        Peer *peer;

        srand(seed);
        view = (View) {};
        fixture_limit_table(f, &(DomainTableLimits) {
                .n_domains = 310, .n_denials = 8192, .n_processes = 1000, .n_threads = 1000, .n_rulesets = N_RULESETS,
                .n_rules = 65536,
        });
        fill(f, 300);
        peer = new_greeted_peer(f);
        peer_send(peer, "{\"op\":\"snapshot\"}\n");
        for (unsigned round = 0; !view.complete; round++) {
                assert_true(round < 5000);
                for (unsigned i = 0; i < 1 + seed % 3; i++)
                        change_something(f, round * 7 + i);
                if (round % 2)
                        fixture_pump(f);
                view_read(f, &view, peer, (unsigned) rand() % 12);
        }
        assert_true(f->status.counters.domains_evicted > 0);
        assert_int_equal(f->status.counters.json_client_events_lost, 0);
        view_read(f, &view, peer, 10000);
        assert_view_is_table(&view, f);
        peer_free(peer);
}

static void test_under_change(void **state) {
        run_under_change(*state, 1);
}

static void test_under_change_again(void **state) {
        run_under_change(*state, 2);
}

static void test_under_change_once_more(void **state) {
        run_under_change(*state, 3);
}

/* A client that took the snapshot without the stream joins them later: from the reply's seq on, leaving out for each
 * domain what its line has in it already. */
static void test_joined_by_seq(void **state) {
        static View view;
        Fixture *f = *state;
        Peer *peer;
        unsigned n = 0;

        view = (View) {};
        srand(4);
        fill(f, 300);
        peer = new_greeted_peer(f);
        peer_send(peer, "{\"op\":\"snapshot\"}\n");
        while (!view.complete) {
                json_t *event;

                if (n++ % 5 == 0)
                        change_something(f, n);
                fixture_pump(f);
                event = peer_next(peer);
                if (event && (json_object_get(event, "snapshot") || strcmp(member_text(event, "type"), "reply") == 0))
                        view_line(&view, event);
                json_decref(event);
                assert_true(n < 10000);
        }
        peer_free(peer);

        peer = new_greeted_peer(f);
        {
                char request[100];

                snprintf(request, sizeof(request), "{\"op\":\"replay\",\"since\":%ju}\n", (uintmax_t) view.reply_seq);
                peer_send(peer, request);
        }
        json_decref(peer_expect(f, peer, "reply"));
        for (json_t *event; (fixture_pump(f), event = peer_next(peer)); json_decref(event)) {
                bool ruleset = strcmp(member_text(event, "type"), "ruleset") == 0;

                assert_true(member_number(event, "seq") > view.reply_seq);
                if (ruleset || member_number(event, "seq") > view.domains[domain_number(event)].seq)
                        view_line(&view, event);
        }
        assert_view_is_table(&view, f);
        peer_free(peer);
}

static void test_filtered(void **state) {
        static View view;
        Fixture *f = *state;
        Peer *peer = new_greeted_peer(f);

        peer_send(peer, "{\"op\":\"subscribe\",\"types\":[\"domain\",\"ruleset\"],\"domains\":[\"3\",\"5\",\"6\"]}\n");
        json_decref(peer_expect(f, peer, "reply"));
        fill(f, 900);
        for (unsigned i = 0; i < 4; i++) /* three added, one freed */
                json_decref(peer_expect(f, peer, "domain"));

        view = (View) {};
        peer_send(peer, "{\"op\":\"snapshot\"}\n");
        view_read(f, &view, peer, 100);
        assert_true(view.complete);
        assert_int_equal(view.n_snapshot_rulesets, 1);
        assert_true(view.rulesets[7].known); /* that 6 was made from */
        assert_int_equal(view.n_snapshot_domains, 3);
        assert_int_equal(view.n_snapshot_processes, 0);
        assert_int_equal(view.n_snapshot_denials, 0);
        peer_free(peer);
}

/* One that asks and does not read keeps nobody from anything. */
static void test_not_read(void **state) {
        static View view;
        Fixture *f = *state;
        Peer *stuck, *other;

        fill(f, 900);
        stuck = new_greeted_peer(f);
        other = new_greeted_peer(f);
        peer_send(stuck, "{\"op\":\"snapshot\"}\n{\"op\":\"snapshot\"}\n");
        fixture_pump(f);

        view = (View) {};
        peer_send(other, "{\"op\":\"snapshot\"}\n");
        view_read(f, &view, other, 10000);
        assert_view_is_table(&view, f);

        /* And the two come one after the other when they are read at last. */
        for (unsigned i = 0; i < 2; i++) {
                view = (View) {};
                while (!view.complete)
                        view_read(f, &view, stuck, 1);
                assert_view_is_table(&view, f);
        }
        peer_free(stuck);
        peer_free(other);
}

int main(void) {
        const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
                TEST(test_empty),
                TEST(test_still),
                TEST(test_under_change),
                TEST(test_under_change_again),
                TEST(test_under_change_once_more),
                TEST(test_joined_by_seq),
                TEST(test_filtered),
                TEST(test_not_read),
        };

        return cmocka_run_group_tests_name("json-snapshot", tests, NULL, NULL);
}
