/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-denial.h"

#include <assert.h>

/* Keys, numbers and padding of a denial and of one of its paths: well above what they come to. */
#define DENIAL_FIXED_BYTES 4096
#define PATH_FIXED_BYTES 256

size_t bus_denial_bytes(const Denial *d) {
        const Text texts[] = {
                d->blockers.other,
                d->object.path, d->object.name, d->object.dev,
                d->object.local_address, d->object.remote_address, d->object.interface, d->object.comm,
                d->subject.comm, d->subject.exe, d->subject.tty, d->subject.label, d->subject.key,
                d->subject.cwd,
        };
        size_t n = DENIAL_FIXED_BYTES;

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                n += bus_text_bytes(texts[i]);
        /* Split at the NULs, every byte of it could become a string of its own. */
        n += d->subject.cmdline.len * bus_text_bytes((Text) { .len = 1 });
        for (size_t i = 0; i < d->n_paths; i++)
                n += PATH_FIXED_BYTES + bus_text_bytes(d->paths[i].name) + bus_text_bytes(d->paths[i].nametype) +
                     bus_text_bytes(d->paths[i].dev);
        return n;
}

/* Names that this version does not know are shown as the kernel wrote them. */
static int append_blockers(sd_bus_message *m, const BlockerSet *blockers) {
        Text rest = blockers->other, name;
        Blocker b;
        int r;

        r = sd_bus_message_open_container(m, 'a', "s");
        for (uint64_t known = blockers->known; r >= 0 && known; known &= known - 1)
                r = bus_append_text(m, blocker_name(__builtin_ctzll(known)));
        while (r >= 0 && text_split(&rest, ',', &name))
                if (blocker_from_name(name, &b) < 0)
                        r = bus_append_text(m, name);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

typedef int (*Append)(sd_bus_message *m, const BusView *view, const Denial *d);

/* A "{sv}" whose value is a dictionary that `append` fills. */
static int append_dict_entry(
                sd_bus_message *m, const BusView *view, const char *key, Append append, const Denial *d) {
        int r;

        r = bus_open_entry(m, key, "a{sv}");
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        r = append(m, view, d);
        if (r < 0)
                return r;
        r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;
        return bus_close_entry(m);
}

static int append_local(sd_bus_message *m, _unused_ const BusView *view, const Denial *d) {
        int r;

        r = bus_append_text_entry(m, "address", d->object.local_address);
        if (r >= 0 && d->object.has_local_port)
                r = sd_bus_message_append(m, "{sv}", "port", "q", d->object.local_port);
        return r;
}

static int append_remote(sd_bus_message *m, _unused_ const BusView *view, const Denial *d) {
        int r;

        r = bus_append_text_entry(m, "address", d->object.remote_address);
        if (r >= 0 && d->object.has_remote_port)
                r = sd_bus_message_append(m, "{sv}", "port", "q", d->object.remote_port);
        return r;
}

static int append_party(sd_bus_message *m, const BusView *view, const Denial *d) {
        const DenialObject *o = &d->object;
        int r = 0;

        if (!bus_caller_sees_party(view->caller, view->table, d))
                return 0;
        if (o->has_pid)
                r = sd_bus_message_append(m, "{sv}", "pid", "x", o->pid);
        if (r >= 0)
                r = bus_append_text_entry(m, "comm", o->comm);
        if (r >= 0 && o->has_domain)
                r = sd_bus_message_append(m, "{sv}", "domain", "t", o->domain);
        return r;
}

static int append_object(sd_bus_message *m, const BusView *view, const Denial *d) {
        const DenialObject *o = &d->object;
        int r;

        r = sd_bus_message_append(m, "{sv}", "kind", "s", object_kind_to_string(o->kind));
        if (r >= 0)
                r = bus_append_text_entry(m, "path", o->path);
        if (r >= 0)
                r = bus_append_text_entry(m, "name", o->name);
        if (r >= 0)
                r = bus_append_text_entry(m, "dev", o->dev);
        if (r >= 0 && o->has_dev_number)
                r = bus_append_dev_number_entry(m, o->dev_major, o->dev_minor);
        if (r >= 0 && o->has_ino)
                r = sd_bus_message_append(m, "{sv}", "ino", "t", o->ino);
        if (r >= 0 && o->has_ioctl_cmd)
                r = sd_bus_message_append(m, "{sv}", "ioctl_cmd", "u", o->ioctl_cmd);
        if (r >= 0 && (text_known(o->local_address) || o->has_local_port))
                r = append_dict_entry(m, view, "local", append_local, d);
        if (r >= 0 && (text_known(o->remote_address) || o->has_remote_port))
                r = append_dict_entry(m, view, "remote", append_remote, d);
        if (r >= 0)
                r = bus_append_text_entry(m, "interface", o->interface);
        if (r >= 0)
                r = append_party(m, view, d);
        return r;
}

static int append_subject_ids(sd_bus_message *m, const Denial *d) {
        static const struct {
                SubjectId id;
                const char *key;
                char type;
                bool may_be_unset; /* the kernel then writes (u32) -1 */
        } ids[] = {
                { SUBJECT_pid, "pid", 'x', false },     { SUBJECT_tid, "tid", 'x', false },
                { SUBJECT_ppid, "ppid", 'x', false },
                { SUBJECT_uid, "uid", 'u', false },     { SUBJECT_gid, "gid", 'u', false },
                { SUBJECT_euid, "euid", 'u', false },   { SUBJECT_suid, "suid", 'u', false },
                { SUBJECT_fsuid, "fsuid", 'u', false }, { SUBJECT_egid, "egid", 'u', false },
                { SUBJECT_sgid, "sgid", 'u', false },   { SUBJECT_fsgid, "fsgid", 'u', false },
                { SUBJECT_auid, "auid", 'u', true },    { SUBJECT_ses, "session", 'u', true },
        };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(ids); i++) {
                int64_t value;

                if (!denial_subject_id(d, ids[i].id, &value))
                        continue;
                if (ids[i].may_be_unset && (uint32_t) value == UINT32_MAX)
                        continue;
                if (ids[i].type == 'x')
                        r = sd_bus_message_append(m, "{sv}", ids[i].key, "x", value);
                else
                        r = sd_bus_message_append(m, "{sv}", ids[i].key, "u", (uint32_t) value);
        }
        return r;
}

static int append_cmdline_entry(sd_bus_message *m, Text cmdline) {
        Text argument;
        int r;

        if (!text_known(cmdline))
                return 0;
        /* Each argument is ended by a NUL, the last one too unless the kernel cut it. */
        if (cmdline.len > 0 && cmdline.data[cmdline.len - 1] == '\0')
                cmdline.len--;

        r = bus_open_entry(m, "cmdline", "as");
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(m, 'a', "s");
        while (r >= 0 && text_split(&cmdline, '\0', &argument))
                r = bus_append_text(m, argument);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;
        return bus_close_entry(m);
}

static int append_subject(sd_bus_message *m, _unused_ const BusView *view, const Denial *d) {
        const DenialSubject *s = &d->subject;
        int r;

        r = append_subject_ids(m, d);
        if (r >= 0)
                r = bus_append_text_entry(m, "comm", s->comm);
        if (r >= 0)
                r = bus_append_text_entry(m, "exe", s->exe);
        if (r >= 0)
                r = append_cmdline_entry(m, s->cmdline);
        if (r >= 0)
                r = bus_append_text_entry(m, "cwd", s->cwd);
        if (r >= 0)
                r = bus_append_text_entry(m, "tty", s->tty);
        if (r >= 0)
                r = bus_append_text_entry(m, "label", s->label);
        return r;
}

static int append_syscall(sd_bus_message *m, _unused_ const BusView *view, const Denial *d) {
        const DenialSyscall *s = &d->syscall;
        int r;

        r = bus_append_text_entry(m, "name", s->name);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "number", "x", s->number);
        if (r >= 0)
                r = bus_append_text_entry(m, "arch", s->arch);
        if (r >= 0 && s->has_success)
                r = sd_bus_message_append(m, "{sv}", "success", "b", s->success);
        if (r >= 0 && s->has_exit)
                r = sd_bus_message_append(m, "{sv}", "exit", "x", s->exit);
        if (r >= 0 && s->has_args)
                r = sd_bus_message_append(m, "{sv}", "args", "at", 4, s->args[0], s->args[1], s->args[2], s->args[3]);
        return r;
}

static int append_path(sd_bus_message *m, const DenialPath *p) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = bus_append_text_entry(m, "name", p->name);
        if (r >= 0)
                r = bus_append_text_entry(m, "nametype", p->nametype);
        if (r >= 0)
                r = bus_append_text_entry(m, "dev", p->dev);
        if (r >= 0 && p->has_ino)
                r = sd_bus_message_append(m, "{sv}", "ino", "t", p->ino);
        if (r >= 0 && p->has_mode)
                r = sd_bus_message_append(m, "{sv}", "mode", "u", p->mode);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static int append_paths_entry(sd_bus_message *m, const Denial *d) {
        int r;

        if (d->n_paths == 0)
                return 0;

        r = bus_open_entry(m, "Paths", "aa{sv}");
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(m, 'a', "a{sv}");
        for (size_t i = 0; r >= 0 && i < d->n_paths; i++)
                r = append_path(m, &d->paths[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;
        return bus_close_entry(m);
}

static int append_blockers_entry(sd_bus_message *m, const Denial *d) {
        int r;

        r = bus_open_entry(m, "Blockers", "as");
        if (r >= 0)
                r = append_blockers(m, &d->blockers);
        if (r < 0)
                return r;
        return bus_close_entry(m);
}

static int append_origins_entry(sd_bus_message *m, const Denial *d) {
        int r;

        r = bus_open_entry(m, "Origins", "as");
        if (r >= 0)
                r = bus_append_origins(m, d->origins);
        if (r < 0)
                return r;
        return bus_close_entry(m);
}

int bus_append_denial_entries(sd_bus_message *m, const BusView *view, const Denial *d) {
        int r;

        r = bus_append_domain_entries(m, view, d->domain);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "Time", "t", d->time_usec);
        if (r >= 0)
                r = append_blockers_entry(m, d);
        if (r >= 0)
                r = append_dict_entry(m, view, "Object", append_object, d);
        if (r >= 0)
                r = append_dict_entry(m, view, "Subject", append_subject, d);
        if (r >= 0 && d->syscall.known)
                r = append_dict_entry(m, view, "Syscall", append_syscall, d);
        if (r >= 0)
                r = append_paths_entry(m, d);
        if (r >= 0 && d->n_paths_dropped > 0)
                r = sd_bus_message_append(m, "{sv}", "PathsDropped", "u", d->n_paths_dropped);
        if (r >= 0)
                r = bus_append_text_entry(m, "Key", d->subject.key);
        if (r >= 0 && d->event != 0)
                r = sd_bus_message_append(m, "{sv}", "AuditSerial", "t", d->event);
        if (r >= 0 && d->has_same_exec)
                r = sd_bus_message_append(m, "{sv}", "SameExec", "b", d->same_exec);
        if (r >= 0 && d->has_logged)
                r = sd_bus_message_append(m, "{sv}", "Logged", "b", d->logged);
        if (r >= 0 && d->incomplete)
                r = sd_bus_message_append(m, "{sv}", "Incomplete", "b", true);
        if (r >= 0)
                r = append_origins_entry(m, d);
        return r;
}

int bus_append_denial(sd_bus_message *m, const BusView *view, const Denial *denial) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        r = bus_append_denial_entries(m, view, denial);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}
