/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which field goes where stands in tables, one a record type, in the order in which the kernel writes them: the
 * next field is then nearly always the next row, so that finding it costs one comparison. */
#include "source/audit-decode.h"

#include <assert.h>
#include <libaudit.h>

/* auid and ses of a task that never logged in (include/linux/audit.h). */
#define UNSET_ID UINT32_MAX

typedef enum FieldKind {
        FIELD_STRING,   /* untrusted: quoted or hex */
        FIELD_WORD,     /* the kernel's own word, taken as it is */
        FIELD_DECIMAL,  /* int64_t */
        FIELD_ID,       /* int64_t of 0 to UINT32_MAX */
        FIELD_UNSIGNED, /* uint64_t */
        FIELD_HEX,      /* uint64_t */
        FIELD_HEX32,    /* uint32_t, may have 0x */
        FIELD_OCTAL32,  /* uint32_t */
        FIELD_PORT,     /* uint16_t */
        FIELD_SUBJECT,  /* DenialSubject.ids; extra: SubjectId */
        FIELD_BLOCKERS,
        FIELD_YES,      /* bool */
        FIELD_IGNORED,
} FieldKind;

typedef struct FieldSpec {
        Text key;
        FieldKind kind;
        uint16_t offset; /* of the member in the record type's struct */
        uint16_t extra;  /* of the bool that says it is known, where there is one; a SubjectId for FIELD_SUBJECT */
} FieldSpec;

#define NO_FLAG UINT16_MAX
#define FIELD(name, field_kind, type, member) \
        { { name, sizeof(name) - 1 }, FIELD_##field_kind, offsetof(type, member), NO_FLAG }
#define FIELD_IF(name, field_kind, type, member, flag) \
        { { name, sizeof(name) - 1 }, FIELD_##field_kind, offsetof(type, member), offsetof(type, flag) }
#define FIELD_OF_SUBJECT(name) { { #name, sizeof(#name) - 1 }, FIELD_SUBJECT, 0, SUBJECT_##name }
#define FIELD_SKIP(name) { { name, sizeof(name) - 1 }, FIELD_IGNORED, 0, NO_FLAG }

/* landlock_log_denial() in security/landlock/audit.c, then dump_common_audit_data() in security/lsm_audit.c */
static const FieldSpec access_fields[] = {
        FIELD("domain", HEX, Denial, domain),
        FIELD("blockers", BLOCKERS, Denial, blockers),
        FIELD("path", STRING, Denial, object.path),
        FIELD("dev", STRING, Denial, object.dev),
        FIELD_IF("ino", UNSIGNED, Denial, object.ino, object.has_ino),
        FIELD_IF("ioctlcmd", HEX32, Denial, object.ioctl_cmd, object.has_ioctl_cmd),
        FIELD("name", STRING, Denial, object.name),
        FIELD("saddr", WORD, Denial, object.local_address),
        FIELD_IF("src", PORT, Denial, object.local_port, object.has_local_port),
        FIELD("daddr", WORD, Denial, object.remote_address),
        FIELD_IF("dest", PORT, Denial, object.remote_port, object.has_remote_port),
        FIELD("laddr", WORD, Denial, object.local_address),
        FIELD_IF("lport", PORT, Denial, object.local_port, object.has_local_port),
        FIELD("faddr", WORD, Denial, object.remote_address),
        FIELD_IF("fport", PORT, Denial, object.remote_port, object.has_remote_port),
        FIELD("netif", WORD, Denial, object.interface),
        FIELD_IF("opid", ID, Denial, object.pid, object.has_pid),
        FIELD("ocomm", STRING, Denial, object.comm),
};

/* log_domain() and landlock_log_drop_domain() in security/landlock/audit.c */
typedef struct DomainRecord {
        DomainDescription description;
        Text status, mode;
        uint64_t n_denials;
        bool has_n_denials;
} DomainRecord;

static const FieldSpec domain_fields[] = {
        FIELD("domain", HEX, DomainRecord, description.domain),
        FIELD("status", WORD, DomainRecord, status),
        FIELD("mode", WORD, DomainRecord, mode),
        FIELD_IF("pid", ID, DomainRecord, description.creator_pid, description.has_creator_pid),
        FIELD_IF("uid", ID, DomainRecord, description.creator_uid, description.has_creator_uid),
        FIELD("exe", STRING, DomainRecord, description.creator_exe),
        FIELD("comm", STRING, DomainRecord, description.creator_comm),
        FIELD_IF("denials", UNSIGNED, DomainRecord, n_denials, has_n_denials),
};

/* audit_log_exit() in kernel/auditsc.c; URINGOP has a subset */
static const FieldSpec syscall_fields[] = {
        FIELD_IF("arch", HEX, Denial, syscall.audit_arch, syscall.has_audit_arch),
        FIELD_IF("syscall", DECIMAL, Denial, syscall.number, syscall.known),
        FIELD_IF("success", YES, Denial, syscall.success, syscall.has_success),
        FIELD_IF("exit", DECIMAL, Denial, syscall.exit, syscall.has_exit),
        FIELD_IF("a0", HEX, Denial, syscall.args[0], syscall.has_args),
        FIELD("a1", HEX, Denial, syscall.args[1]),
        FIELD("a2", HEX, Denial, syscall.args[2]),
        FIELD("a3", HEX, Denial, syscall.args[3]),
        FIELD_SKIP("items"),
        FIELD_OF_SUBJECT(ppid),
        FIELD_OF_SUBJECT(pid),
        FIELD_OF_SUBJECT(auid),
        FIELD_OF_SUBJECT(uid),
        FIELD_OF_SUBJECT(gid),
        FIELD_OF_SUBJECT(euid),
        FIELD_OF_SUBJECT(suid),
        FIELD_OF_SUBJECT(fsuid),
        FIELD_OF_SUBJECT(egid),
        FIELD_OF_SUBJECT(sgid),
        FIELD_OF_SUBJECT(fsgid),
        FIELD("tty", WORD, Denial, subject.tty),
        FIELD_OF_SUBJECT(ses),
        FIELD("comm", STRING, Denial, subject.comm),
        FIELD("exe", STRING, Denial, subject.exe),
        FIELD("subj", WORD, Denial, subject.label),
        FIELD("key", STRING, Denial, subject.key),
};

static const FieldSpec cwd_fields[] = { FIELD("cwd", STRING, Denial, subject.cwd) };

static const FieldSpec proctitle_fields[] = { FIELD("proctitle", STRING, Denial, subject.cmdline) };

/* audit_log_name() in kernel/auditsc.c */
static const FieldSpec path_fields[] = {
        FIELD_SKIP("item"),
        FIELD("name", STRING, DenialPath, name),
        FIELD_IF("inode", UNSIGNED, DenialPath, ino, has_ino),
        FIELD("dev", WORD, DenialPath, dev),
        FIELD_IF("mode", OCTAL32, DenialPath, mode, has_mode),
        FIELD_SKIP("ouid"),
        FIELD_SKIP("ogid"),
        FIELD_SKIP("rdev"),
        FIELD("nametype", WORD, DenialPath, nametype),
};

void audit_decoder_init(AuditDecoder *decoder, FactSink sink, Counters *counters) {
        decoder->free = decoder->decoded;
        decoder->arch = 0;
        decoder->syscall = -1;
        decoder->arch_name = decoder->syscall_name = TEXT_NULL;
        decoder->sink = sink;
        decoder->counters = counters;
}

/* `*cursor` is the row after the last one found. */
static const FieldSpec *find_field(const FieldSpec *specs, size_t n, size_t *cursor, Text key) {
        for (size_t i = 0; i < n; i++) {
                size_t row = *cursor + i < n ? *cursor + i : *cursor + i - n;

                if (text_equal(specs[row].key, key)) {
                        *cursor = row + 1;
                        return &specs[row];
                }
        }
        return NULL;
}

static void decode_blockers(Text names, BlockerSet *ret) {
        BlockerSet set = {};
        Text name;

        while (text_split(&names, ',', &name)) {
                const char *end = name.data + name.len;
                Blocker blocker;

                if (name.len == 0)
                        continue;
                if (blocker_from_name(name, &blocker) >= 0)
                        set.known |= UINT64_C(1) << blocker;
                else if (text_known(set.other))
                        set.other.len = end - set.other.data;
                else
                        set.other = name;
        }
        *ret = set;
}

static bool decode_id(Text value, int64_t *ret) {
        uint64_t number;

        if (text_parse_u64(value, 10, &number) < 0 || number > UINT32_MAX)
                return false;
        *ret = number;
        return true;
}

static void decode_subject_id(Text value, SubjectId id, DenialSubject *subject) {
        if (!decode_id(value, &subject->ids[id]))
                return;
        if ((id == SUBJECT_auid || id == SUBJECT_ses) && subject->ids[id] == UNSET_ID)
                return;
        subject->known_ids |= UINT32_C(1) << id;
}

/* Numbers: false when the value is none. */
static bool decode_number(const FieldSpec *spec, Text value, void *member) {
        uint64_t number;

        switch (spec->kind) {
        case FIELD_DECIMAL:
                return text_parse_i64(value, member) >= 0;
        case FIELD_ID:
                return decode_id(value, member);
        case FIELD_UNSIGNED:
                return text_parse_u64(value, 10, member) >= 0;
        case FIELD_HEX:
                return text_parse_u64(value, 16, member) >= 0;
        case FIELD_HEX32:
                text_take_prefix(&value, TEXT_LITERAL("0x"));
                if (text_parse_u64(value, 16, &number) < 0 || number > UINT32_MAX)
                        return false;
                *(uint32_t *) member = number;
                return true;
        case FIELD_OCTAL32:
                if (text_parse_u64(value, 8, &number) < 0 || number > UINT32_MAX)
                        return false;
                *(uint32_t *) member = number;
                return true;
        case FIELD_PORT:
                if (text_parse_u64(value, 10, &number) < 0 || number > UINT16_MAX)
                        return false;
                *(uint16_t *) member = number;
                return true;
        default:
                assert(false);
                return false;
        }
}

static Text decode_word(Text value) {
        return value.len == 0 || text_is(value, "(none)") || text_is(value, "(null)") ? TEXT_NULL : value;
}

static void decode_field(AuditDecoder *decoder, const FieldSpec *spec, const AuditField *field, void *target) {
        void *member = (char *) target + spec->offset;
        bool known = true;

        switch (spec->kind) {
        case FIELD_IGNORED:
                return;
        case FIELD_SUBJECT:
                decode_subject_id(field->value, spec->extra, &((Denial *) target)->subject);
                return;
        case FIELD_BLOCKERS:
                decode_blockers(field->value, member);
                return;
        case FIELD_STRING:
                *(Text *) member = audit_field_string(field, &decoder->free);
                return;
        case FIELD_WORD:
                *(Text *) member = decode_word(field->value);
                return;
        case FIELD_YES:
                *(bool *) member = text_is(field->value, "yes");
                break;
        default:
                known = decode_number(spec, field->value, member);
        }

        if (known && spec->extra != NO_FLAG)
                *((bool *) target + spec->extra) = true;
}

static void decode_fields(AuditDecoder *decoder, Text body, const FieldSpec *specs, size_t n, void *target) {
        AuditField field;
        size_t cursor = 0;

        while (audit_field_next(&body, &field)) {
                const FieldSpec *spec = find_field(specs, n, &cursor, field.key);

                if (spec)
                        decode_field(decoder, spec, &field, target);
        }
}

/* Names of the architecture and the system call; the same as for the last event nearly always. */
static void name_syscall(AuditDecoder *decoder, DenialSyscall *syscall) {
        if (!syscall->has_audit_arch || !syscall->known)
                return;

        if (decoder->arch != syscall->audit_arch || decoder->syscall != syscall->number) {
                /* Both are ints to libaudit; what does not fit has no name. */
                bool fits = syscall->audit_arch <= UINT32_MAX && syscall->number >= 0 && syscall->number <= INT32_MAX;
                int machine = fits ? audit_elf_to_machine(syscall->audit_arch) : -1;

                decoder->arch = syscall->audit_arch;
                decoder->syscall = syscall->number;
                decoder->arch_name = machine < 0 ? TEXT_NULL : text_from_string(audit_machine_to_name(machine));
                decoder->syscall_name =
                        machine < 0 ? TEXT_NULL : text_from_string(audit_syscall_to_name(syscall->number, machine));
        }
        syscall->arch = decoder->arch_name;
        syscall->name = decoder->syscall_name;
}

static void decode_path(AuditDecoder *decoder, Text body, Denial *denial) {
        DenialPath *path;

        if (denial->n_paths == DENIAL_PATHS_MAX) {
                denial->n_paths_dropped++;
                return;
        }
        path = &decoder->paths[denial->n_paths++];
        *path = (DenialPath) {};
        decode_fields(decoder, body, path_fields, ARRAY_SIZE(path_fields), path);
}

/* What all denials of the event share: the records of its system call. */
static void decode_shared(AuditDecoder *decoder, const AuditEvent *event, Denial *denial) {
        for (size_t i = 0; i < event->n_records; i++) {
                Text body = audit_event_body(event, &event->records[i]);

                switch (event->records[i].type) {
                case AUDIT_RECORD_SYSCALL:
                case AUDIT_RECORD_URINGOP:
                        decode_fields(decoder, body, syscall_fields, ARRAY_SIZE(syscall_fields), denial);
                        name_syscall(decoder, &denial->syscall);
                        break;
                case AUDIT_RECORD_CWD:
                        decode_fields(decoder, body, cwd_fields, ARRAY_SIZE(cwd_fields), denial);
                        break;
                case AUDIT_RECORD_PROCTITLE:
                        decode_fields(decoder, body, proctitle_fields, ARRAY_SIZE(proctitle_fields), denial);
                        break;
                case AUDIT_RECORD_PATH:
                        decode_path(decoder, body, denial);
                        break;
                default:
                        break;
                }
        }
}

#define BLOCKER_BIT(name) (UINT64_C(1) << BLOCKER_##name)

static ObjectKind object_kind(const Denial *denial) {
        static const uint64_t
                process = BLOCKER_BIT(PTRACE) | BLOCKER_BIT(SCOPE_SIGNAL),
                network = BLOCKER_BIT(NET_BIND_TCP) | BLOCKER_BIT(NET_CONNECT_TCP) | BLOCKER_BIT(NET_BIND_UDP) |
                          BLOCKER_BIT(NET_CONNECT_SEND_UDP),
                socket = BLOCKER_BIT(SCOPE_ABSTRACT_UNIX_SOCKET);
        const DenialObject *o = &denial->object;

        if ((denial->blockers.known & process) || o->has_pid || text_known(o->comm))
                return OBJECT_PROCESS;
        if ((denial->blockers.known & network) || o->has_local_port || o->has_remote_port ||
            text_known(o->local_address) || text_known(o->remote_address))
                return OBJECT_NETWORK;
        if (denial->blockers.known & socket)
                return OBJECT_SOCKET;
        if (text_known(o->path) || text_known(o->name) || text_known(o->dev) || o->has_ino)
                return OBJECT_FILE;
        return OBJECT_UNKNOWN;
}

static Fact fact_of(const AuditEvent *event, FactType type) {
        return (Fact) {
                .type = type,
                .origins = ORIGIN_AUDIT,
                .time_usec = event->time_usec,
                .node = event->node,
        };
}

static void decode_access(AuditDecoder *decoder, const AuditEvent *event, Text body, const Denial *shared) {
        Fact fact = fact_of(event, FACT_ACCESS_DENIED);
        char *shared_end = decoder->free;

        fact.denied = *shared;
        decode_fields(decoder, body, access_fields, ARRAY_SIZE(access_fields), &fact.denied);
        if (fact.denied.domain == 0 || blocker_set_empty(&fact.denied.blockers)) {
                decoder->counters->audit_malformed++;
        } else {
                fact.denied.object.kind = object_kind(&fact.denied);
                decoder->sink.fn(decoder->sink.userdata, &fact);
        }
        decoder->free = shared_end;
}

static void decode_domain(AuditDecoder *decoder, const AuditEvent *event, Text body, bool freed) {
        DomainRecord record = {};
        Fact fact;

        /* Nothing decoded before is in use: domains stand first and last. */
        decoder->free = decoder->decoded;
        decode_fields(decoder, body, domain_fields, ARRAY_SIZE(domain_fields), &record);
        if (record.description.domain == 0 ||
            (!text_is(record.status, "allocated") && !text_is(record.status, "deallocated"))) {
                /* Both passes over the event see it: count it in one of them. */
                decoder->counters->audit_malformed += freed;
                return;
        }
        if (text_is(record.status, "deallocated") != freed)
                return;

        if (freed) {
                fact = fact_of(event, FACT_DOMAIN_FREED);
                fact.freed = (DomainEnd) {
                        .domain = record.description.domain,
                        .n_denials = record.n_denials,
                        .has_n_denials = record.has_n_denials,
                };
        } else {
                fact = fact_of(event, FACT_DOMAIN_DESCRIBED);
                fact.described = record.description;
                if (text_is(record.mode, "enforcing"))
                        fact.described.mode = DOMAIN_MODE_ENFORCING;
        }
        decoder->sink.fn(decoder->sink.userdata, &fact);
}

static void decode_domains(AuditDecoder *decoder, const AuditEvent *event, bool freed) {
        for (size_t i = 0; i < event->n_records; i++)
                if (event->records[i].type == AUDIT_RECORD_LANDLOCK_DOMAIN)
                        decode_domain(decoder, event, audit_event_body(event, &event->records[i]), freed);
}

void audit_decoder_feed(AuditDecoder *decoder, const AuditEvent *event) {
        Denial shared = {
                .time_usec = event->time_usec,
                .event = event->serial,
                .origins = ORIGIN_AUDIT,
                .incomplete = event->incomplete,
                .paths = decoder->paths,
        };

        decode_domains(decoder, event, false);
        decoder->free = decoder->decoded;
        decode_shared(decoder, event, &shared);
        for (size_t i = 0; i < event->n_records; i++)
                if (event->records[i].type == AUDIT_RECORD_LANDLOCK_ACCESS)
                        decode_access(decoder, event, audit_event_body(event, &event->records[i]), &shared);
        decode_domains(decoder, event, true);
}
