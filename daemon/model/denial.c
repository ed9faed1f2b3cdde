/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/denial.h"

#include <assert.h>

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
