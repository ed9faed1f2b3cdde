/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one denial event costs as NDJSON: with the streaming writer, and as a tree of jansson's that is then dumped.
 * The reason why publish/json-writer.c exists; it should stay true. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "publish/json-event.h"

#define N_EVENTS 200000

static const Host host = {
        .has_boot_id = true,
        .has_machine_id = true,
        .boot_id = "5f0c1a2e-8f0b-4c0d-9d57-5d2f6a3b1c4e",
        .machine_id = "0123456789abcdef0123456789abcdef",
};

static const DenialPath paths[] = {
        { .name = { "/etc/", 5 }, .nametype = { "PARENT", 6 }, .dev = { "fe:00", 5 }, .ino = 131073, .mode = 040755,
          .has_ino = true, .has_mode = true },
        { .name = { "/etc/passwd", 11 }, .nametype = { "NORMAL", 6 }, .dev = { "fe:00", 5 }, .ino = 861,
          .mode = 0100644, .has_ino = true, .has_mode = true },
};

static Denial make_denial(uint64_t i) {
        Denial d = {
                .seq = i,
                .domain = 0x1466dc891 + i % 40 * 3,
                .time_usec = UINT64_C(1795308514891000) + i * 1000,
                .event = 100 + i,
                .origins = ORIGIN_AUDIT,
                .blockers.known = 1U << BLOCKER_FS_WRITE_FILE | 1U << BLOCKER_FS_TRUNCATE,
                .object = {
                        .kind = OBJECT_FILE,
                        .path = TEXT_LITERAL("/etc/passwd"),
                        .dev = TEXT_LITERAL("vda"),
                        .ino = 861,
                        .has_ino = true,
                },
                .subject = {
                        .known_ids = (1U << SUBJECT_ID_MAX) - 1,
                        .ids = { [SUBJECT_ppid] = 18295, [SUBJECT_pid] = 18353 },
                        .comm = TEXT_LITERAL("sh"),
                        .exe = TEXT_LITERAL("/usr/bin/dash"),
                        .tty = TEXT_LITERAL("pts0"),
                        .cmdline = TEXT_LITERAL("sh\0-c\0echo \"hello\" > /etc/passwd\0"),
                        .cwd = TEXT_LITERAL("/home/user/projects"),
                },
                .syscall = {
                        .name = TEXT_LITERAL("openat"),
                        .arch = TEXT_LITERAL("x86_64"),
                        .number = 257,
                        .exit = -13,
                        .args = { 0xffffff9c, 0x55f486c58bb8, 0x241, 0x1b6 },
                        .known = true, .has_success = true, .has_exit = true, .has_args = true,
                },
                .paths = paths,
                .n_paths = ARRAY_SIZE(paths),
        };
        return d;
}

static json_t *text(Text t) {
        char *escaped;
        json_t *string;

        if (text_escape(t, &escaped) < 0)
                abort();
        string = json_string(escaped);
        free(escaped);
        return string;
}

static json_t *hex(uint64_t value) {
        return json_sprintf("%lx", value);
}

static json_t *tree_subject(const DenialSubject *s) {
        static const char *const names[SUBJECT_ID_MAX] = {
#define X(name) #name,
                SUBJECT_IDS(X)
#undef X
        };
        Text rest = s->cmdline, argument;
        json_t *subject = json_object(), *cmdline = json_array();

        for (SubjectId id = 0; id < SUBJECT_ID_MAX; id++)
                json_object_set_new_nocheck(subject, id == SUBJECT_ses ? "session" : names[id],
                                            json_integer(s->ids[id]));
        json_object_set_new_nocheck(subject, "comm", text(s->comm));
        json_object_set_new_nocheck(subject, "exe", text(s->exe));
        rest.len--;
        while (text_split(&rest, '\0', &argument))
                json_array_append_new(cmdline, text(argument));
        json_object_set_new_nocheck(subject, "cmdline", cmdline);
        json_object_set_new_nocheck(subject, "cwd", text(s->cwd));
        json_object_set_new_nocheck(subject, "tty", text(s->tty));
        return subject;
}

static json_t *tree_paths(const Denial *d) {
        json_t *list = json_array();

        for (size_t i = 0; i < d->n_paths; i++) {
                const DenialPath *p = &d->paths[i];

                json_array_append_new(list, json_pack("{so so so sI so}", "name", text(p->name), "nametype",
                                                      text(p->nametype), "dev", text(p->dev), "ino",
                                                      (json_int_t) p->ino, "mode", json_sprintf("0%o", p->mode)));
        }
        return list;
}

/* host_domain_uuid() is left out of the comparison: both sides would keep the names of domains at hand. */
static json_t *tree(const Denial *d, uint64_t seq, const char *uuid) {
        char time[CLOCK_FORMAT_SIZE];
        json_t *blockers = json_array();
        const DenialSyscall *s = &d->syscall;

        clock_format_rfc3339(d->time_usec, time);
        for (uint64_t rest = d->blockers.known; rest; rest &= rest - 1)
                json_array_append_new(blockers, text(blocker_name(__builtin_ctzll(rest))));

        return json_pack("{si sI ss ss ss ss sI so ss si so s{ss so so sI} so s{so sI so sb sI s[oooo]} so sI s[s]}",
                         "v", 1, "seq", (json_int_t) seq, "time", time, "boot_id", host.boot_id, "machine_id",
                         host.machine_id, "type", "denial", "denial", (json_int_t) d->seq, "domain", hex(d->domain),
                         "domain_uuid", uuid, "count", 1, "blockers", blockers,
                         "object", "kind", "file", "path", text(d->object.path), "dev", text(d->object.dev), "ino",
                         (json_int_t) d->object.ino, "subject", tree_subject(&d->subject), "syscall", "name",
                         text(s->name), "number", (json_int_t) s->number, "arch", text(s->arch), "success",
                         s->success, "exit", (json_int_t) s->exit, "args", hex(s->args[0]), hex(s->args[1]),
                         hex(s->args[2]), hex(s->args[3]), "paths", tree_paths(d), "audit_serial",
                         (json_int_t) d->event, "origin", "audit");
}

static void check_same(JsonEncoder *e, uint64_t i, const char *uuid) {
        Denial d = make_denial(i);
        json_t *expected = tree(&d, i, uuid), *got;
        json_error_t error;
        Text line;

        if (json_encoder_change(e, &(Change) { .type = CHANGE_DENIAL, .time_usec = d.time_usec, .denial = &d }, i,
                                &line) < 0)
                abort();
        got = json_loadb(line.data, line.len, 0, &error);
        if (!got || !json_equal(got, expected)) {
                fprintf(stderr, "the two differ:\n%.*s", (int) line.len, line.data);
                exit(EXIT_FAILURE);
        }
        printf("one event: %zu bytes\n", line.len);
        json_decref(expected);
        json_decref(got);
}

static double run_writer(JsonEncoder *e, size_t *sum) {
        uint64_t begin = clock_monotonic_usec();

        for (uint64_t i = 1; i <= N_EVENTS; i++) {
                Denial d = make_denial(i);
                Text line;

                if (json_encoder_change(e, &(Change) { .type = CHANGE_DENIAL, .time_usec = d.time_usec, .denial = &d },
                                        i, &line) < 0)
                        abort();
                *sum += line.len + line.data[line.len / 2];
        }
        return (double) (clock_monotonic_usec() - begin) * 1000 / N_EVENTS;
}

static double run_jansson(size_t *sum) {
        static char buffer[JSON_LINE_MAX];
        uint64_t begin = clock_monotonic_usec();

        for (uint64_t i = 1; i <= N_EVENTS; i++) {
                Denial d = make_denial(i);
                json_t *event = tree(&d, i, "00000000-0000-5000-8000-000000000000");
                size_t n = json_dumpb(event, buffer, sizeof(buffer), JSON_COMPACT | JSON_PRESERVE_ORDER);

                *sum += n + buffer[n / 2];
                json_decref(event);
        }
        return (double) (clock_monotonic_usec() - begin) * 1000 / N_EVENTS;
}

int main(void) {
        JsonEncoder *e = malloc(sizeof(*e));
        char uuid[UUID_TEXT_SIZE];
        double writer = 1e9, jansson = 1e9;
        size_t sum = 0;

        if (!e)
                return EXIT_FAILURE;
        json_encoder_init(e, &host);
        host_domain_uuid(&host, make_denial(7).domain, uuid);
        check_same(e, 7, uuid);

        for (unsigned round = 0; round < 5; round++) {
                writer = MIN(writer, run_writer(e, &sum));
                jansson = MIN(jansson, run_jansson(&sum));
        }
        printf("writer:  %7.0f ns per denial event\n"
               "jansson: %7.0f ns per denial event\n"
               "ratio:   %7.1f\n",
               writer, jansson, jansson / writer);
        free(e);
        return sum > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
