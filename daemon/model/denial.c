/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/denial.h"

#include <assert.h>

#include "base/checksum.h"

const char *object_kind_to_string(ObjectKind kind) {
        switch (kind) {
        case OBJECT_UNKNOWN:
                return "unknown";
        case OBJECT_FILE:
                return "file";
        case OBJECT_NETWORK:
                return "network";
        case OBJECT_SOCKET:
                return "socket";
        case OBJECT_PROCESS:
                return "process";
        }
        assert(false);
        return NULL;
}

bool denial_shows_membership(const Denial *d) {
        static const Text senders[] = {
                TEXT_LITERAL("kill"), TEXT_LITERAL("tkill"), TEXT_LITERAL("tgkill"), TEXT_LITERAL("rt_sigqueueinfo"),
                TEXT_LITERAL("rt_tgsigqueueinfo"), TEXT_LITERAL("pidfd_send_signal"),
        };
        static const uint64_t signal = UINT64_C(1) << BLOCKER_SCOPE_SIGNAL, ptrace = UINT64_C(1) << BLOCKER_PTRACE;

        if (d->blockers.known & signal) {
                for (size_t i = 0; i < ARRAY_SIZE(senders); i++)
                        if (text_equal(d->syscall.name, senders[i]))
                                return true;
                return false;
        }
        if (d->blockers.known & ptrace)
                /* PTRACE_TRACEME is 0. */
                return text_known(d->syscall.name) &&
                       !(text_is(d->syscall.name, "ptrace") && d->syscall.has_args && d->syscall.args[0] == 0);
        return true;
}

static bool same_file(const DenialObject *a, const DenialObject *b) {
        return text_equal(a->path, b->path) && text_equal(a->name, b->name) && text_equal(a->dev, b->dev) &&
               a->has_dev_number == b->has_dev_number && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor &&
               a->has_ino == b->has_ino && a->ino == b->ino &&
               a->has_ioctl_cmd == b->has_ioctl_cmd && a->ioctl_cmd == b->ioctl_cmd;
}

static bool same_address(const DenialObject *a, const DenialObject *b) {
        return text_equal(a->local_address, b->local_address) && text_equal(a->remote_address, b->remote_address) &&
               text_equal(a->interface, b->interface) &&
               a->has_local_port == b->has_local_port && a->local_port == b->local_port &&
               a->has_remote_port == b->has_remote_port && a->remote_port == b->remote_port;
}

static bool same_party(const DenialObject *a, const DenialObject *b) {
        return text_equal(a->comm, b->comm) &&
               a->has_pid == b->has_pid && a->pid == b->pid &&
               a->has_domain == b->has_domain && a->domain == b->domain;
}

bool denial_same_access(const Denial *a, const Denial *b) {
        return a->domain == b->domain && a->blockers.known == b->blockers.known &&
               text_equal(a->blockers.other, b->blockers.other) && a->object.kind == b->object.kind &&
               same_file(&a->object, &b->object) && same_address(&a->object, &b->object) &&
               same_party(&a->object, &b->object);
}

uint64_t denial_access_hash(const Denial *d) {
        const DenialObject *o = &d->object;
        const uint64_t numbers[] = { d->domain, d->blockers.known, o->ino, o->local_port, o->remote_port, (uint64_t) o->pid };
        const Text texts[] = { o->path, o->name, o->local_address, o->remote_address };
        uint64_t hash = checksum_add(0, numbers, sizeof(numbers));

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                hash = checksum_add(hash, texts[i].data, texts[i].len);
        return hash;
}

/* Every borrowed text of a denial, in one place: copying needs them all, twice. */
static void for_each_text(Denial *d, DenialPath *paths, void (*fn)(Text *text, void *userdata), void *userdata) {
        Text *texts[] = {
                &d->blockers.other,
                &d->object.path, &d->object.name, &d->object.dev,
                &d->object.local_address, &d->object.remote_address, &d->object.interface, &d->object.comm,
                &d->subject.comm, &d->subject.exe, &d->subject.tty, &d->subject.label, &d->subject.key,
                &d->subject.cmdline, &d->subject.cwd,
                &d->syscall.name, &d->syscall.arch,
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                fn(texts[i], userdata);
        for (size_t i = 0; i < d->n_paths; i++) {
                fn(&paths[i].name, userdata);
                fn(&paths[i].nametype, userdata);
                fn(&paths[i].dev, userdata);
        }
}

static void add_length(Text *text, void *userdata) {
        *(size_t *) userdata += text->len;
}

static void move_to_block(Text *text, void *userdata) {
        char **end = userdata;

        if (!text->data)
                return;
        memcpy(*end, text->data, text->len);
        text->data = *end;
        *end += text->len;
}

Denial *denial_copy(const Denial *denial) {
        Denial *copy;
        DenialPath *paths;
        size_t fixed = sizeof(Denial) + denial->n_paths * sizeof(DenialPath), total = fixed;
        char *end;

        /* The texts are only measured here, not written to. */
        for_each_text((Denial *) denial, (DenialPath *) denial->paths, add_length, &total);

        copy = malloc(total);
        if (!copy)
                return NULL;
        paths = (DenialPath *) (copy + 1);
        end = (char *) copy + fixed;

        *copy = *denial;
        if (denial->n_paths > 0)
                memcpy(paths, denial->paths, denial->n_paths * sizeof(DenialPath));
        copy->paths = paths;
        for_each_text(copy, paths, move_to_block, &end);
        return copy;
}

Denial *denial_free(Denial *denial) {
        free(denial);
        return NULL;
}
