/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/denial-join.h"

#include <errno.h>
#include <stdlib.h>

/* What another half is compared with; the denial itself only while it waits. */
struct DenialHalf {
        uint64_t key;
        uint64_t domain, blockers, ino;
        int64_t pid;
        uint16_t local_port, remote_port;
        bool has_ino, has_pid, has_local_port, has_remote_port;
        unsigned origins;
        unsigned round; /* in which it came */
        Denial *denial; /* NULL: went on alone */
        DenialHalf *next_same_key, *last_same_key; /* the last is known to the first only */
        TAILQ_ENTRY(DenialHalf) entry;
};

void denial_join_init(DenialJoin *join, size_t n_max) {
        *join = (DenialJoin) { .n_max = n_max };
        TAILQ_INIT(&join->waiting);
        TAILQ_INIT(&join->alone);
}

static DenialHalf half_of(const Denial *d) {
        DenialHalf half = {
                .domain = d->domain,
                .blockers = d->blockers.known,
                .ino = d->object.ino,
                .local_port = d->object.local_port,
                .remote_port = d->object.remote_port,
                .has_ino = d->object.has_ino,
                .has_local_port = d->object.has_local_port,
                .has_remote_port = d->object.has_remote_port,
                .origins = d->origins,
        };

        half.has_pid = denial_subject_id(d, SUBJECT_pid, &half.pid);
        /* Only what both sources always know can be part of the key. */
        half.key = (half.domain ^ half.blockers << 20) * UINT64_C(0x9e3779b97f4a7c15);
        return half;
}

/* What only one of them knows does not keep them apart. */
static bool same_denial(const DenialHalf *a, const DenialHalf *b) {
        return a->domain == b->domain && a->blockers == b->blockers && !(a->origins & b->origins) &&
               !(a->has_ino && b->has_ino && a->ino != b->ino) && !(a->has_pid && b->has_pid && a->pid != b->pid) &&
               !(a->has_local_port && b->has_local_port && a->local_port != b->local_port) &&
               !(a->has_remote_port && b->has_remote_port && a->remote_port != b->remote_port);
}

/* Takes the half that comes after `before` (NULL: the first) out of the chain of its key. */
static void unchain(DenialJoin *join, DenialHalf *before, DenialHalf *half) {
        DenialHalf *first;

        if (before) {
                first = id_map_get(&join->by_key, half->key);
                before->next_same_key = half->next_same_key;
                if (first->last_same_key == half)
                        first->last_same_key = before;
                return;
        }

        id_map_remove(&join->by_key, half->key);
        first = half->next_same_key;
        if (first) {
                first->last_same_key = half->last_same_key;
                /* Cannot fail: the slot of the removed key is free. */
                id_map_put(&join->by_key, first->key, first);
        }
}

/* Returns the denial if it still waited. */
static Denial *forget(DenialJoin *join, DenialHalf *before, DenialHalf *half) {
        Denial *denial = half->denial;

        unchain(join, before, half);
        TAILQ_REMOVE(denial ? &join->waiting : &join->alone, half, entry);
        join->n--;
        free(half);
        return denial;
}

/* The oldest of all that went on alone is not the first of its key only if a younger one was found to be a twin. */
static void forget_alone(DenialJoin *join, DenialHalf *half) {
        DenialHalf *before = NULL, *h = id_map_get(&join->by_key, half->key);

        for (; h != half; h = h->next_same_key)
                before = h;
        forget(join, before, half);
}

void denial_join_done(DenialJoin *join) {
        DenialHalf *half;

        while ((half = TAILQ_FIRST(&join->waiting))) {
                TAILQ_REMOVE(&join->waiting, half, entry);
                denial_free(half->denial);
                free(half);
        }
        while ((half = TAILQ_FIRST(&join->alone))) {
                TAILQ_REMOVE(&join->alone, half, entry);
                free(half);
        }
        id_map_done(&join->by_key);
        *join = (DenialJoin) {};
}

DenialTwin denial_join_take(DenialJoin *join, const Denial *denial, Denial **ret) {
        const DenialHalf wanted = half_of(denial);
        DenialHalf *before = NULL, *half = id_map_get(&join->by_key, wanted.key);
        Denial *twin;

        for (; half && !same_denial(half, &wanted); half = half->next_same_key)
                before = half;
        if (!half)
                return DENIAL_TWIN_NONE;

        twin = forget(join, before, half);
        if (!twin)
                return DENIAL_TWIN_ALONE;
        *ret = twin;
        return DENIAL_TWIN_WAITING;
}

int denial_join_wait(DenialJoin *join, const Denial *denial) {
        DenialHalf *half, *first;

        if (join->n >= join->n_max && !TAILQ_EMPTY(&join->alone))
                forget_alone(join, TAILQ_FIRST(&join->alone));

        half = malloc(sizeof(DenialHalf));
        if (!half)
                return -ENOMEM;
        *half = half_of(denial);
        half->round = join->round;
        half->last_same_key = half;
        half->denial = denial_copy(denial);
        if (!half->denial) {
                free(half);
                return -ENOMEM;
        }

        first = id_map_get(&join->by_key, half->key);
        if (first) {
                first->last_same_key->next_same_key = half;
                first->last_same_key = half;
        } else if (id_map_put(&join->by_key, half->key, half) < 0) {
                denial_free(half->denial);
                free(half);
                return -ENOMEM;
        }
        TAILQ_INSERT_TAIL(&join->waiting, half, entry);
        join->n++;
        return 0;
}

Denial *denial_join_expired(DenialJoin *join) {
        DenialHalf *half;
        Denial *denial;

        while ((half = TAILQ_FIRST(&join->alone)) && join->round - half->round >= DENIAL_JOIN_MEMORY_ROUNDS)
                forget_alone(join, half);

        half = TAILQ_FIRST(&join->waiting);
        if (!half || (join->n <= join->n_max && join->round - half->round < DENIAL_JOIN_ROUNDS))
                return NULL;

        denial = TAKE_PTR(half->denial);
        TAILQ_REMOVE(&join->waiting, half, entry);
        TAILQ_INSERT_TAIL(&join->alone, half, entry);
        if (join->n > join->n_max)
                forget_alone(join, TAILQ_FIRST(&join->alone));
        return denial;
}

static void prefer(Text *text, Text by) {
        if (text_known(by))
                *text = by;
}

Denial denial_join_merge(const Denial *a, const Denial *b) {
        const Denial *trace = a->origins & ORIGIN_AUDIT ? b : a; /* or BPF */
        Denial d = a->origins & ORIGIN_AUDIT ? *a : *b;

        /* Audit's: who, in which program and call, on which device. Trace's: when exactly, which thread, which path
         * from the root, and who the other party is. */
        d.origins |= trace->origins;
        d.time_usec = trace->time_usec;
        d.has_same_exec = trace->has_same_exec;
        d.same_exec = trace->same_exec;
        /* Audit would not know of it else. */
        d.has_logged = d.logged = true;
        for (SubjectId id = 0; id < SUBJECT_ID_MAX; id++)
                if (trace->subject.known_ids & ~d.subject.known_ids & (UINT32_C(1) << id)) {
                        d.subject.ids[id] = trace->subject.ids[id];
                        d.subject.known_ids |= UINT32_C(1) << id;
                }
        if (!text_known(d.subject.comm))
                d.subject.comm = trace->subject.comm;
        if (!text_known(d.subject.exe))
                d.subject.exe = trace->subject.exe;

        prefer(&d.object.path, trace->object.path);
        if (!text_known(d.object.comm))
                d.object.comm = trace->object.comm;
        d.object.dev_major = trace->object.dev_major;
        d.object.dev_minor = trace->object.dev_minor;
        d.object.has_dev_number = trace->object.has_dev_number;
        if (!d.object.has_ino) {
                d.object.ino = trace->object.ino;
                d.object.has_ino = trace->object.has_ino;
        }
        if (!d.object.has_pid) {
                d.object.pid = trace->object.pid;
                d.object.has_pid = trace->object.has_pid;
        }
        if (!d.object.has_local_port) {
                d.object.local_port = trace->object.local_port;
                d.object.has_local_port = trace->object.has_local_port;
        }
        if (!d.object.has_remote_port) {
                d.object.remote_port = trace->object.remote_port;
                d.object.has_remote_port = trace->object.has_remote_port;
        }
        d.object.domain = trace->object.domain;
        d.object.has_domain = trace->object.has_domain;
        if (d.object.kind == OBJECT_UNKNOWN)
                d.object.kind = trace->object.kind;
        return d;
}
