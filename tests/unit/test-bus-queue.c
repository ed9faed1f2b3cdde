/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What waits for one subscriber: the same access is one entry, another is another, and the caps count what is over them. */
#include "test.h"

#include "publish/bus-denial.h"
#include "publish/bus-queue.h"

static const Denial file = {
        .domain = 7,
        .seq = 1,
        .time_usec = 1000,
        .blockers = { .known = 1, .other = TEXT_LITERAL("fs.new") },
        .object = {
                .kind = OBJECT_FILE, .path = TEXT_LITERAL("/etc/passwd"), .name = TEXT_LITERAL("passwd"), .dev = TEXT_LITERAL("vda"),
                .local_address = TEXT_LITERAL("::1"), .remote_address = TEXT_LITERAL("::2"), .interface = TEXT_LITERAL("lo"),
                .comm = TEXT_LITERAL("sh"),
        },
        .subject.comm = TEXT_LITERAL("cat"),
};

static void push(BusQueue *queue, const Denial *denial, size_t *room) {
        bus_queue_push(queue, denial, denial_access_hash(denial), room);
}

static void test_same(void **state _unused_) {
        size_t room = 1 << 20, before = room;
        BusQueue queue = {};
        Denial again = file;

        assert_true(bus_queue_empty(&queue));
        push(&queue, &file, &room);
        assert_int_equal(room, before - bus_denial_bytes(&file));
        before = room;

        /* Who it was, and when, makes no other of it. */
        again.seq = 2;
        again.time_usec = 3000;
        again.subject = (DenialSubject) { .comm = TEXT_LITERAL("dd") };
        push(&queue, &again, &room);
        again.time_usec = 500;
        push(&queue, &again, &room);
        assert_int_equal(room, before);
        assert_int_equal(queue.n_entries, 1);
        assert_int_equal(queue.entries[0].count, 3);
        assert_int_equal(queue.entries[0].first_usec, 500);
        assert_int_equal(queue.entries[0].last_usec, 3000);
        assert_int_equal(queue.entries[0].denial->seq, 1);
        assert_true(text_is(queue.entries[0].denial->subject.comm, "cat"));
        assert_int_equal(bus_queue_count(&queue), 3);

        bus_queue_clear(&queue);
        assert_true(bus_queue_empty(&queue));
        push(&queue, &again, &room);
        assert_int_equal(bus_queue_count(&queue), 1);
        bus_queue_done(&queue);
}

/* Each of these is another access. */
static void test_other(void **state _unused_) {
#define OTHER(member, value) ({ Denial _d = file; _d.member = (value); _d; })
        const Denial others[] = {
                file,
                OTHER(domain, 8), OTHER(blockers.known, 2), OTHER(blockers.other, TEXT_NULL),
                OTHER(object.kind, OBJECT_SOCKET), OTHER(object.path, TEXT_LITERAL("/etc/shadow")),
                OTHER(object.path, TEXT_NULL), OTHER(object.name, TEXT_LITERAL("shadow")), OTHER(object.dev, TEXT_LITERAL("vdb")),
                OTHER(object.has_dev_number, true), OTHER(object.dev_major, 1), OTHER(object.dev_minor, 1),
                OTHER(object.has_ino, true), OTHER(object.ino, 1), OTHER(object.has_ioctl_cmd, true),
                OTHER(object.ioctl_cmd, 1), OTHER(object.local_address, TEXT_LITERAL("::3")),
                OTHER(object.remote_address, TEXT_LITERAL("::3")), OTHER(object.interface, TEXT_LITERAL("eth0")),
                OTHER(object.has_local_port, true), OTHER(object.local_port, 1), OTHER(object.has_remote_port, true),
                OTHER(object.remote_port, 1), OTHER(object.comm, TEXT_LITERAL("dash")), OTHER(object.has_pid, true),
                OTHER(object.pid, 1), OTHER(object.has_domain, true), OTHER(object.domain, 1),
        };
#undef OTHER
        size_t room = 1 << 20;
        BusQueue queue = {};

        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                for (size_t j = 0; j < ARRAY_SIZE(others); j++) {
                        assert_int_equal(denial_same_access(&others[i], &others[j]), i == j);
                        if (i == j)
                                assert_int_equal(denial_access_hash(&others[i]), denial_access_hash(&others[j]));
                }
        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                push(&queue, &others[i], &room);
        assert_int_equal(queue.n_entries, ARRAY_SIZE(others));

        /* The hash says where to look, not what is the same. */
        bus_queue_push(&queue, &others[0], denial_access_hash(&others[1]), &room);
        assert_int_equal(queue.n_entries, ARRAY_SIZE(others) + 1);
        bus_queue_done(&queue);
}

/* The texts of a Denial live shorter than the queue. */
static void test_copies(void **state _unused_) {
        char path[] = "/etc/passwd";
        Denial denial = file;
        size_t room = 1 << 20;
        BusQueue queue = {};

        denial.object.path = (Text) { path, sizeof(path) - 1 };
        push(&queue, &denial, &room);
        memset(path, 'x', sizeof(path));
        assert_true(text_is(queue.entries[0].denial->object.path, "/etc/passwd"));
        bus_queue_done(&queue);
}

static void test_caps(void **state _unused_) {
        size_t room = SIZE_MAX;
        BusQueue queue = {};
        Denial denial = file;

        for (unsigned i = 0; i < BUS_QUEUE_ENTRIES_MAX + 5; i++) {
                denial.object.ino = i;
                push(&queue, &denial, &room);
        }
        assert_int_equal(queue.n_entries, BUS_QUEUE_ENTRIES_MAX);
        assert_int_equal(queue.n_missed, 5);
        /* One that has its entry still has it. */
        push(&queue, &file, &room);
        assert_int_equal(queue.n_missed, 5);
        assert_int_equal(bus_queue_count(&queue), BUS_QUEUE_ENTRIES_MAX + 1);
        bus_queue_clear(&queue);
        assert_int_equal(queue.n_missed, 0);

        room = bus_denial_bytes(&file) - 1;
        push(&queue, &file, &room);
        assert_int_equal(queue.n_entries, 0);
        assert_int_equal(queue.n_missed, 1);
        assert_int_equal(room, bus_denial_bytes(&file) - 1);
        assert_false(bus_queue_empty(&queue));
        room++;
        push(&queue, &file, &room);
        assert_int_equal(queue.n_entries, 1);
        assert_int_equal(room, 0);
        bus_queue_done(&queue);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_same),
                cmocka_unit_test(test_other),
                cmocka_unit_test(test_copies),
                cmocka_unit_test(test_caps),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
