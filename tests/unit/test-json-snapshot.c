/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A snapshot while the table changes: joined with the stream it gives the table as it is, nothing missing and
 * nothing counted twice. */
#include "test-json-fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "publish/json-event.h"

#define N_DOMAINS 1000 /* that the view has room for: IDs are small here */

#define DENIALS_MAX 20000

/* What a client makes of the lines that it reads, in their order. */
typedef struct View {
        struct {
                bool known, freed;
                uint64_t n_denials, seq;
                int64_t pid; /* 0: no process told */
        } domains[N_DOMAINS];
        bool denials_told[DENIALS_MAX];          /* in the snapshot */
        uint64_t denials_seq[DENIALS_MAX];       /* in the stream; 0: not */
        uint64_t n_snapshot_domains, n_snapshot_processes, n_snapshot_denials;
        bool complete;
        uint64_t reply_seq;
} View;

static Peer *new_greeted_peer(Fixture *f) {
        Peer *peer = peer_new(f);

        json_decref(peer_expect(f, peer, "hello"));
        return peer;
}

static uint64_t domain_number(const json_t *event) {
        uint64_t id = strtoull(member_text(event, "domain"), NULL, 16);

        assert_true(id < N_DOMAINS);
        return id;
}

static void view_domain(View *view, const json_t *event) {
        uint64_t id = domain_number(event);
        const char *change = json_string_value(json_object_get(event, "change"));

        view->n_snapshot_domains += !change;
        view->domains[id].known = !change || strcmp(change, "evicted") != 0;
        view->domains[id].freed = strcmp(member_text(event, "state"), "deallocated") == 0;
        view->domains[id].n_denials = member_number(json_object_get(event, "denials"), "seen");
        view->domains[id].seq = member_number(event, "seq");
}

/* Each domain has one process here, and each process several domains. */
static void view_process(View *view, const json_t *event) {
        uint64_t id = domain_number(event);

        assert_true(view->domains[id].known);
        assert_int_equal(view->domains[id].pid, 0);
        view->domains[id].pid = (int64_t) member_number(event, "pid");
        assert_int_equal(view->domains[id].pid, id % 100 + 1);
        view->n_snapshot_processes++;
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
        } else {
                assert_string_equal(type, "reply");
                assert_true(json_is_true(json_object_get(event, "ok")));
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

static void assert_view_is_table(const View *view, const Fixture *f) {
        assert_true(view->complete);
        for (uint64_t id = 0; id < N_DOMAINS; id++) {
                const Domain *domain = domain_table_get(&f->table, id);

                assert_int_equal(view->domains[id].known, !!domain);
                if (!domain)
                        continue;
                assert_int_equal(view->domains[id].freed, domain->state == DOMAIN_DEALLOCATED);
                assert_int_equal(view->domains[id].n_denials, domain->n_denials);
        }

        /* Up to the reply's seq the snapshot has them all, and none of those after it. */
        for (uint64_t number = 1; number < f->table.denials.next_seq; number++)
                assert_int_equal(view->denials_told[number],
                                 view->denials_seq[number] == 0 || view->denials_seq[number] <= view->reply_seq);
}

static void fill(Fixture *f, uint64_t n) {
        for (uint64_t id = 1; id <= n; id++) {
                fixture_describe(f, id);
                for (uint64_t i = id % 4; i > 0; i--)
                        fixture_deny(f, id, BLOCKER_PTRACE, TEXT_LITERAL("before"));
                if (id % 5 == 0)
                        fixture_end(f, id);
        }
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

        /* The most recently seen first; each answers the request by its name. */
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
        view_line(&view, event);
        json_decref(event);

        view_read(f, &view, peer, 1000);
        assert_view_is_table(&view, f);
        assert_int_equal(view.n_snapshot_domains, 10);
        assert_int_equal(view.n_snapshot_processes, f->table.tasks.n_tasks);
        assert_int_equal(view.n_snapshot_denials, f->status.counters.denials);
        assert_int_equal(view.reply_seq, f->status.counters.json_events);
        peer_free(peer);
}

/* Something of everything that can happen to a table. */
static void change_something(Fixture *f, unsigned round) {
        uint64_t id = 1 + (uint64_t) rand() % (N_DOMAINS - 1);
        const Domain *domain = domain_table_get(&f->table, id);

        /* An ID that was freed or evicted does not come back: the kernel gives each once. */
        if (domain ? domain->state == DOMAIN_DEALLOCATED : round % 3 != 0)
                return;
        if (round % 11 == 0)
                fixture_end(f, id);
        else
                fixture_deny(f, id, BLOCKER_FS_EXECUTE, TEXT_LITERAL("meanwhile"));
}

static void run_under_change(Fixture *f, unsigned seed) {
        static View view;
        Peer *peer;

        srand(seed);
        view = (View) {};
        fixture_limit_table(f, &(DomainTableLimits) { .n_domains = 310, .n_denials = 8192, .n_tasks = 250 });
        fill(f, 300);
        peer = new_greeted_peer(f);
        peer_send(peer, "{\"op\":\"snapshot\"}\n");
        for (unsigned round = 0; !view.complete; round++) {
                assert_true(round < 5000);
                for (unsigned i = 0; i < 1 + seed % 3; i++)
                        change_something(f, round * 7 + i);
                if (round % 2)
                        fixture_pump(f);
                view_read(f, &view, peer, (unsigned) rand() % 8);
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
                uint64_t id = domain_number(event);

                assert_true(member_number(event, "seq") > view.reply_seq);
                if (member_number(event, "seq") > view.domains[id].seq)
                        view_line(&view, event);
        }
        assert_view_is_table(&view, f);
        peer_free(peer);
}

static void test_filtered(void **state) {
        static View view;
        Fixture *f = *state;
        Peer *peer = new_greeted_peer(f);

        peer_send(peer, "{\"op\":\"subscribe\",\"types\":[\"domain\"],\"domains\":[\"3\",\"5\",\"6\"]}\n");
        json_decref(peer_expect(f, peer, "reply"));
        fill(f, 900);
        for (unsigned i = 0; i < 4; i++) /* three added, one freed */
                json_decref(peer_expect(f, peer, "domain"));

        view = (View) {};
        peer_send(peer, "{\"op\":\"snapshot\"}\n");
        view_read(f, &view, peer, 100);
        assert_true(view.complete);
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
