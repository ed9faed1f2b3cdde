/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a denial's line told, read back: the mirror of json-denial. */
#include "publish/state-line.h"

/* Appends to a text another one, which was read next. Both were in quotes: there is room for what separates them. */
static void append(JsonReader *r, Text *text, Text more, char separator) {
        char *end;

        if (!text->data) {
                *text = more;
                return;
        }
        end = (char *) text->data + text->len;
        memmove(end + 1, more.data, more.len);
        *end = separator;
        text->len += 1 + more.len;
        r->texts = end + 1 + more.len;
}

static bool read_blockers(JsonReader *r, void *value) {
        BlockerSet *set = value;
        Blocker blocker;
        Text name, other = TEXT_NULL;

        json_reader_begin_array(r);
        while (json_reader_next_element(r)) {
                char *start = r->texts;

                if (!json_reader_text(r, &name))
                        return false;
                if (blocker_from_name(name, &blocker) < 0) {
                        append(r, &other, name, ',');
                        continue;
                }
                set->known |= UINT64_C(1) << blocker;
                r->texts = start;
        }
        set->other = other;
        return !r->failed;
}

/* ---- object ---- */

static bool read_kind(JsonReader *r, void *value) {
        Text text;

        if (!json_reader_text(r, &text))
                return false;
        for (ObjectKind kind = OBJECT_UNKNOWN; kind <= OBJECT_PROCESS; kind++)
                if (text_equal(text, text_from_string(object_kind_to_string(kind)))) {
                        *(ObjectKind *) value = kind;
                        return true;
                }
        return false;
}

static bool read_local(JsonReader *r, void *value) {
        static const JsonField fields[] = {
                JSON_FIELD("address", DenialObject, json_reader_text, local_address),
                JSON_FIELD_IF("port", DenialObject, json_reader_u16, local_port, has_local_port),
        };

        return json_reader_fields(r, fields, ARRAY_SIZE(fields), value);
}

static bool read_remote(JsonReader *r, void *value) {
        static const JsonField fields[] = {
                JSON_FIELD("address", DenialObject, json_reader_text, remote_address),
                JSON_FIELD_IF("port", DenialObject, json_reader_u16, remote_port, has_remote_port),
        };

        return json_reader_fields(r, fields, ARRAY_SIZE(fields), value);
}

static bool read_outside(JsonReader *r, void *value) {
        DenialObject *object = value;

        object->domain = 0;
        return json_reader_bool(r, &object->has_domain);
}

static bool read_object(JsonReader *r, void *value) {
        static const JsonField fields[] = {
                JSON_FIELD("kind", DenialObject, read_kind, kind),
                JSON_FIELD("path", DenialObject, json_reader_text, path),
                JSON_FIELD("name", DenialObject, json_reader_text, name),
                JSON_FIELD("dev", DenialObject, json_reader_text, dev),
                JSON_FIELD_IF("dev_number", DenialObject, json_reader_dev_number, dev_major, has_dev_number),
                JSON_FIELD_IF("ino", DenialObject, json_reader_u64, ino, has_ino),
                JSON_FIELD_IF("ioctl_cmd", DenialObject, json_reader_0x32, ioctl_cmd, has_ioctl_cmd),
                JSON_FIELD_WHOLE("local", read_local),
                JSON_FIELD_WHOLE("remote", read_remote),
                JSON_FIELD("interface", DenialObject, json_reader_text, interface),
                JSON_FIELD_IF("pid", DenialObject, json_reader_i64, pid, has_pid),
                JSON_FIELD("comm", DenialObject, json_reader_text, comm),
                JSON_FIELD_IF("domain", DenialObject, json_reader_hex, domain, has_domain),
                JSON_FIELD_WHOLE("outside", read_outside),
        };

        return json_reader_fields(r, fields, ARRAY_SIZE(fields), value);
}

/* ---- subject ---- */

static bool read_cmdline(JsonReader *r, void *value) {
        Text cmdline = TEXT_NULL, argument;

        json_reader_begin_array(r);
        while (json_reader_next_element(r)) {
                if (!json_reader_text(r, &argument))
                        return false;
                append(r, &cmdline, argument, '\0');
        }
        /* Ended by a NUL, as each argument is. */
        append(r, &cmdline, TEXT_LITERAL(""), '\0');
        *(Text *) value = cmdline;
        return !r->failed;
}

#define ID(id)                                                                        \
        static bool read_##id(JsonReader *r, void *value) {                           \
                DenialSubject *subject = value;                                       \
                                                                                      \
                subject->known_ids |= UINT32_C(1) << SUBJECT_##id;                    \
                return json_reader_i64(r, &subject->ids[SUBJECT_##id]);               \
        }
SUBJECT_IDS(ID)
#undef ID

static bool read_subject(JsonReader *r, void *value) {
        static const JsonField fields[] = {
                JSON_FIELD_WHOLE("pid", read_pid),
                JSON_FIELD_WHOLE("tid", read_tid),
                JSON_FIELD_WHOLE("ppid", read_ppid),
                JSON_FIELD_WHOLE("auid", read_auid),
                JSON_FIELD_WHOLE("uid", read_uid),
                JSON_FIELD_WHOLE("gid", read_gid),
                JSON_FIELD_WHOLE("euid", read_euid),
                JSON_FIELD_WHOLE("suid", read_suid),
                JSON_FIELD_WHOLE("fsuid", read_fsuid),
                JSON_FIELD_WHOLE("egid", read_egid),
                JSON_FIELD_WHOLE("sgid", read_sgid),
                JSON_FIELD_WHOLE("fsgid", read_fsgid),
                JSON_FIELD_WHOLE("session", read_ses),
                JSON_FIELD("comm", DenialSubject, json_reader_text, comm),
                JSON_FIELD("exe", DenialSubject, json_reader_text, exe),
                JSON_FIELD("cmdline", DenialSubject, read_cmdline, cmdline),
                JSON_FIELD("cwd", DenialSubject, json_reader_text, cwd),
                JSON_FIELD("tty", DenialSubject, json_reader_text, tty),
                JSON_FIELD("label", DenialSubject, json_reader_text, label),
        };

        return json_reader_fields(r, fields, ARRAY_SIZE(fields), value);
}

/* ---- system call, paths ---- */

static bool read_args(JsonReader *r, void *value) {
        DenialSyscall *syscall = value;
        size_t n = 0;

        json_reader_begin_array(r);
        while (json_reader_next_element(r))
                if (n == ARRAY_SIZE(syscall->args) || !json_reader_hex(r, &syscall->args[n++]))
                        return false;
        syscall->has_args = n == ARRAY_SIZE(syscall->args);
        return syscall->has_args;
}

static bool read_syscall(JsonReader *r, void *value) {
        static const JsonField fields[] = {
                JSON_FIELD("name", DenialSyscall, json_reader_text, name),
                JSON_FIELD_IF("number", DenialSyscall, json_reader_i64, number, known),
                JSON_FIELD("arch", DenialSyscall, json_reader_text, arch),
                JSON_FIELD_IF("success", DenialSyscall, json_reader_bool, success, has_success),
                JSON_FIELD_IF("exit", DenialSyscall, json_reader_i64, exit, has_exit),
                JSON_FIELD_WHOLE("args", read_args),
        };

        return json_reader_fields(r, fields, ARRAY_SIZE(fields), value);
}

static bool read_paths(JsonReader *r, void *value) {
        static const JsonField fields[] = {
                JSON_FIELD("name", DenialPath, json_reader_text, name),
                JSON_FIELD("nametype", DenialPath, json_reader_text, nametype),
                JSON_FIELD("dev", DenialPath, json_reader_text, dev),
                JSON_FIELD_IF("ino", DenialPath, json_reader_u64, ino, has_ino),
                JSON_FIELD_IF("mode", DenialPath, json_reader_octal32, mode, has_mode),
        };
        StateLine *line = value;

        json_reader_begin_array(r);
        while (json_reader_next_element(r)) {
                DenialPath *path = &line->paths[line->denial.n_paths];

                if (line->denial.n_paths == DENIAL_PATHS_MAX)
                        return false;
                *path = (DenialPath) {};
                if (!json_reader_fields(r, fields, ARRAY_SIZE(fields), path))
                        return false;
                line->denial.n_paths++;
        }
        return !r->failed;
}

bool state_denial_field(JsonReader *r, Text name, StateLine *line) {
        static const JsonField fields[] = {
                JSON_FIELD("denial", StateLine, json_reader_u64, denial.seq),
                JSON_FIELD("domain", StateLine, json_reader_hex, denial.domain),
                JSON_FIELD("blockers", StateLine, read_blockers, denial.blockers),
                JSON_FIELD("object", StateLine, read_object, denial.object),
                JSON_FIELD("subject", StateLine, read_subject, denial.subject),
                JSON_FIELD("syscall", StateLine, read_syscall, denial.syscall),
                JSON_FIELD_WHOLE("paths", read_paths),
                JSON_FIELD("paths_dropped", StateLine, json_reader_u32, denial.n_paths_dropped),
                JSON_FIELD("key", StateLine, json_reader_text, denial.subject.key),
                JSON_FIELD("audit_serial", StateLine, json_reader_u64, denial.event),
                JSON_FIELD_IF("same_exec", StateLine, json_reader_bool, denial.same_exec, denial.has_same_exec),
                JSON_FIELD_IF("logged", StateLine, json_reader_bool, denial.logged, denial.has_logged),
                JSON_FIELD("incomplete", StateLine, json_reader_bool, denial.incomplete),
                JSON_FIELD("origin", StateLine, state_read_origins, denial.origins),
        };

        return json_reader_field(r, fields, ARRAY_SIZE(fields), name, line);
}
