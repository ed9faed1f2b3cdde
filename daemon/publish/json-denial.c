/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/json-denial.h"

#include "publish/json-member.h"

static void put_blockers(JsonWriter *w, const BlockerSet *set) {
        Text rest = set->other, name;

        json_writer_key(w, "blockers");
        json_writer_begin_array(w);
        for (uint64_t known = set->known; known; known &= known - 1)
                json_writer_text(w, blocker_name(__builtin_ctzll(known)));
        while (text_split(&rest, ',', &name)) {
                Blocker b;

                /* Known ones that stand between the others are in the set. */
                if (blocker_from_name(name, &b) < 0)
                        json_writer_text(w, name);
        }
        json_writer_end_array(w);
}

static void put_network(JsonWriter *w, const DenialObject *o) {
        JsonWriterMark mark;

        mark = json_writer_begin_optional(w, "local");
        json_member_text(w, "address", o->local_address);
        json_member_u64_if(w, o->has_local_port, "port", o->local_port);
        json_writer_end_optional(w, mark);

        mark = json_writer_begin_optional(w, "remote");
        json_member_text(w, "address", o->remote_address);
        json_member_u64_if(w, o->has_remote_port, "port", o->remote_port);
        json_writer_end_optional(w, mark);

        json_member_text(w, "interface", o->interface);
}

static void put_other_party(JsonWriter *w, const DenialObject *o) {
        json_member_i64_if(w, o->has_pid, "pid", o->pid);
        json_member_text(w, "comm", o->comm);
        if (o->has_domain && o->domain > 0)
                json_member_hex(w, "domain", o->domain);
        json_member_bool_if(w, o->has_domain && o->domain == 0, "outside", true);
}

static void put_object(JsonWriter *w, const DenialObject *o) {
        json_writer_key(w, "object");
        json_writer_begin_object(w);
        json_member_string(w, "kind", object_kind_to_string(o->kind));
        json_member_text(w, "path", o->path);
        json_member_text(w, "name", o->name);
        json_member_text(w, "dev", o->dev);
        if (o->has_dev_number) {
                json_writer_key(w, "dev_number");
                json_writer_dev_number(w, o->dev_major, o->dev_minor);
        }
        json_member_u64_if(w, o->has_ino, "ino", o->ino);
        if (o->has_ioctl_cmd) {
                json_writer_key(w, "ioctl_cmd");
                json_writer_hex(w, TEXT_LITERAL("0x"), o->ioctl_cmd);
        }
        put_network(w, o);
        put_other_party(w, o);
        json_writer_end_object(w);
}

static void put_cmdline(JsonWriter *w, Text cmdline) {
        Text argument;

        if (!text_known(cmdline))
                return;
        /* Each argument is ended by a NUL, the last one too unless the kernel cut it. */
        if (cmdline.len > 0 && cmdline.data[cmdline.len - 1] == '\0')
                cmdline.len--;

        json_writer_key(w, "cmdline");
        json_writer_begin_array(w);
        while (text_split(&cmdline, '\0', &argument))
                json_writer_text(w, argument);
        json_writer_end_array(w);
}

static void put_subject(JsonWriter *w, const DenialSubject *s) {
#define KEY(id, name) [SUBJECT_##id] = { "\"" name "\":", sizeof("\"" name "\":") - 1 }
        static const Text keys[SUBJECT_ID_MAX] = {
                KEY(pid, "pid"),     KEY(tid, "tid"),   KEY(ppid, "ppid"),   KEY(uid, "uid"),   KEY(gid, "gid"),
                KEY(euid, "euid"),   KEY(suid, "suid"), KEY(fsuid, "fsuid"), KEY(egid, "egid"), KEY(sgid, "sgid"),
                KEY(fsgid, "fsgid"), KEY(auid, "auid"), KEY(ses, "session"),
        };
#undef KEY
        JsonWriterMark mark = json_writer_begin_optional(w, "subject");

        for (SubjectId id = 0; id < SUBJECT_ID_MAX; id++)
                if (s->known_ids & (UINT32_C(1) << id)) {
                        json_writer_quoted_key(w, keys[id].data, keys[id].len);
                        json_writer_i64(w, s->ids[id]);
                }
        json_member_text(w, "comm", s->comm);
        json_member_text(w, "exe", s->exe);
        put_cmdline(w, s->cmdline);
        json_member_text(w, "cwd", s->cwd);
        json_member_text(w, "tty", s->tty);
        json_member_text(w, "label", s->label);
        json_writer_end_optional(w, mark);
}

static void put_syscall(JsonWriter *w, const DenialSyscall *s) {
        JsonWriterMark mark = json_writer_begin_optional(w, "syscall");

        json_member_text(w, "name", s->name);
        json_member_i64_if(w, s->known, "number", s->number);
        json_member_text(w, "arch", s->arch);
        json_member_bool_if(w, s->has_success, "success", s->success);
        json_member_i64_if(w, s->has_exit, "exit", s->exit);
        if (s->has_args) {
                json_writer_key(w, "args");
                json_writer_begin_array(w);
                for (size_t i = 0; i < ARRAY_SIZE(s->args); i++)
                        json_writer_hex(w, TEXT_LITERAL(""), s->args[i]);
                json_writer_end_array(w);
        }
        json_writer_end_optional(w, mark);
}

static void put_path(JsonWriter *w, const DenialPath *p) {
        json_writer_begin_object(w);
        json_member_text(w, "name", p->name);
        json_member_text(w, "nametype", p->nametype);
        json_member_text(w, "dev", p->dev);
        json_member_u64_if(w, p->has_ino, "ino", p->ino);
        if (p->has_mode) {
                json_writer_key(w, "mode");
                json_writer_octal(w, TEXT_LITERAL("0"), p->mode);
        }
        json_writer_end_object(w);
}

static void put_paths(JsonWriter *w, const Denial *d) {
        if (d->n_paths > 0) {
                json_writer_key(w, "paths");
                json_writer_begin_array(w);
                for (size_t i = 0; i < d->n_paths; i++)
                        put_path(w, &d->paths[i]);
                json_writer_end_array(w);
        }
        json_member_u64_if(w, d->n_paths_dropped > 0, "paths_dropped", d->n_paths_dropped);
}

void json_denial_put(JsonWriter *w, const Denial *d) {
        json_member_u64(w, "count", 1);
        put_blockers(w, &d->blockers);
        put_object(w, &d->object);
        put_subject(w, &d->subject);
        put_syscall(w, &d->syscall);
        put_paths(w, d);
        json_member_text(w, "key", d->subject.key);
        json_member_u64_if(w, d->event > 0, "audit_serial", d->event);
        json_member_bool_if(w, d->has_same_exec, "same_exec", d->same_exec);
        json_member_bool_if(w, d->has_logged, "logged", d->logged);
        json_member_bool_if(w, d->incomplete, "incomplete", true);
}
