/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the model's tests share: a small table, facts to feed it, and what came of the last one. */
#pragma once

#include "test.h"

#include <stdlib.h>

#include "model/domain-table.h"

typedef struct ModelFixture {
        DomainTable table;
        Counters counters;
        Change changes[DOMAIN_TABLE_CHANGES_MAX];
        size_t n_changes;
} ModelFixture;

extern ModelFixture f;

int model_set_up(void **state);
int model_tear_down(void **state);

/* The kernel's facts; times are in µs. */
Fact described(uint64_t id, uint64_t time);
Fact denied(uint64_t id, int64_t pid, uint64_t time); /* as audit tells it; pid 0: without its subject */
Fact freed(uint64_t id, uint64_t n_denials, uint64_t time);
Fact created(uint64_t id, uint64_t parent, uint64_t time);
Fact enforced(uint64_t id, int64_t tid, int64_t pid, uint64_t time); /* pid 0: it is not known */
Fact forked(int64_t parent, int64_t tid, bool is_thread, uint64_t time);
Fact exited(int64_t tid, uint64_t time);

void apply(Fact fact);

#define assert_changes(...)                                                         \
        do {                                                                        \
                const ChangeType expected[] = { __VA_ARGS__ };                      \
                assert_int_equal(f.n_changes, ARRAY_SIZE(expected));                \
                for (size_t i = 0; i < f.n_changes; i++)                            \
                        assert_int_equal(f.changes[i].type, expected[i]);           \
        } while (0)
