/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every event is one function, which says what its fields mean: see include/trace/events/landlock.h of the kernel. */
#include "source/trace-decode.h"

#include <sched.h>
#include <sys/un.h>

#include "source/trace-recent.h"

/* enum landlock_request_type (security/landlock/log.h), and what interrupts leave in common_flags
 * (include/linux/trace_events.h). */
#define REQUEST_FS_CHANGE_TOPOLOGY 2
#define REQUEST_FS_ACCESS 3
#define REQUEST_NET_ACCESS 4
#define FLAGS_IN_INTERRUPT (0x08 | 0x10 | 0x40)

/* include/uapi/linux/landlock.h of Linux 7.0. */
#define RESTRICT_SELF_TSYNC (1U << 3)

/* Of a record that is understood. */
#define NOTHING_TO_TELL 1

/* dev_t as it is inside the kernel. */
#define DEV_MINOR_BITS 20

/* TASK_COMM_LEN without its NUL. */
#define COMM_MAX 15

#define ABSTRACT_NAME_MAX sizeof(((struct sockaddr_un *) NULL)->sun_path)

typedef struct Record {
        const TraceEvent *event;
        const void *data;
        size_t size;
} Record;

struct TraceDecoder {
        FactSink sink;
        Counters *counters;
        TraceEvent events[EVENT_MAX][TRACE_EVENT_SPELLINGS_MAX];
        const TraceEvent *by_id[UINT16_MAX + 1]; /* of events; NULL: none */
        TraceRecent recent;
        char problem[256];
        char other[ACCESS_OTHER_SIZE]; /* blockers that have no name */
        char name[1 + ABSTRACT_NAME_MAX];
};

static bool has(const Record *record, TraceEventField field) {
        return record->event->fields[field].kind != TRACE_FIELD_ABSENT;
}

/* 0 if the kernel does not tell it. */
static uint64_t number(const Record *record, TraceEventField field) {
        return has(record, field) ? trace_field_number(&record->event->fields[field], record->data) : 0;
}

/* TEXT_NULL if the kernel does not tell it. -EBADMSG. */
static int text(const Record *record, TraceEventField field, Text *ret) {
        if (has(record, field))
                return trace_field_text(&record->event->fields[field], record->data, record->size, ret);
        *ret = TEXT_NULL;
        return 0;
}

/* An absolute path. What the kernel could not resolve reads "<too_long>" or the like. */
static int path(const Record *record, Text *ret) {
        int r = text(record, FIELD_PATHNAME, ret);

        if (r < 0)
                return r;
        if (ret->len == 0 || ret->data[0] != '/')
                *ret = TEXT_NULL;
        return 0;
}

static int decode_create_ruleset(TraceDecoder *decoder _unused_, const Record *record, Fact *fact) {
        fact->ruleset_created = (RulesetCreation) {
                .ruleset = number(record, FIELD_RULESET),
                .handled.bits = {
                        [ACCESS_FS] = number(record, FIELD_HANDLED_FS),
                        [ACCESS_NET] = number(record, FIELD_HANDLED_NET),
                        [ACCESS_SCOPE] = number(record, FIELD_SCOPED),
                },
                .tid = number(record, FIELD_COMMON_PID),
        };
        return fact->ruleset_created.ruleset > 0 && fact->ruleset_created.tid > 0 ? 0 : -EBADMSG;
}

static int decode_add_rule(const Record *record, RuleKind kind, Fact *fact) {
        Rule *rule = &fact->rule_added.rule;
        uint64_t dev = number(record, FIELD_DEV);

        fact->rule_added.ruleset = number(record, FIELD_RULESET);
        *rule = (Rule) {
                .version = number(record, FIELD_RULESET_VERSION),
                .kind = kind,
                .dev_major = dev >> DEV_MINOR_BITS,
                .dev_minor = dev & ((1U << DEV_MINOR_BITS) - 1),
                .access = number(record, FIELD_ACCESS_RIGHTS),
                .ino = number(record, FIELD_INO),
                .port = number(record, FIELD_PORT),
        };
        if (fact->rule_added.ruleset == 0 || rule->version == 0)
                return -EBADMSG;
        return path(record, &rule->path);
}

static int decode_add_rule_path_beneath(TraceDecoder *decoder _unused_, const Record *record, Fact *fact) {
        return decode_add_rule(record, RULE_PATH_BENEATH, fact);
}

static int decode_add_rule_net_port(TraceDecoder *decoder _unused_, const Record *record, Fact *fact) {
        return decode_add_rule(record, RULE_NET_PORT, fact);
}

static int decode_free_ruleset(TraceDecoder *decoder _unused_, const Record *record, Fact *fact) {
        fact->ruleset_freed = (RulesetEnd) {
                .ruleset = number(record, FIELD_RULESET),
                .version = number(record, FIELD_RULESET_VERSION),
        };
        return fact->ruleset_freed.ruleset > 0 ? 0 : -EBADMSG;
}

/* The older landlock_restrict_self says the same, after the domain was enforced, but not on which threads besides its
 * own, and nothing of no_new_privs: an enforcement is not claimed. */
static int decode_create_domain(TraceDecoder *decoder _unused_, const Record *record, Fact *fact) {
        fact->created = (DomainCreation) {
                .domain = number(record, FIELD_DOMAIN),
                .parent = number(record, FIELD_PARENT),
                .ruleset = number(record, FIELD_RULESET),
                .ruleset_version = number(record, FIELD_RULESET_VERSION),
                .creator.tid = number(record, FIELD_COMMON_PID),
        };
        return fact->created.domain > 0 && fact->created.creator.tid > 0 ? 0 : -EBADMSG;
}

static int decode_enforce_domain(TraceDecoder *decoder _unused_, const Record *record, Fact *fact) {
        fact->enforced = (DomainEnforcement) {
                .domain = number(record, FIELD_DOMAIN),
                .task.tid = number(record, FIELD_COMMON_PID),
                .process_wide = number(record, FIELD_PROCESS_WIDE),
                .no_new_privs = number(record, FIELD_NO_NEW_PRIVS),
        };
        return fact->enforced.domain > 0 && fact->enforced.task.tid > 0 ? 0 : -EBADMSG;
}

/* It happens in a kworker: common_pid means nothing. */
static int decode_free_domain(TraceDecoder *decoder _unused_, const Record *record, Fact *fact) {
        fact->freed = (DomainEnd) {
                .domain = number(record, FIELD_DOMAIN),
                .n_denials = number(record, FIELD_DENIALS),
                .has_n_denials = has(record, FIELD_DENIALS),
        };
        return fact->freed.domain > 0 ? 0 : -EBADMSG;
}

/* An interrupt can deny too (a signal for I/O): whatever thread runs then has no part in it. */
static void decode_subject(const Record *record, DenialSubject *subject) {
        int64_t tid = number(record, FIELD_COMMON_PID);

        if ((number(record, FIELD_COMMON_FLAGS) & FLAGS_IN_INTERRUPT) || tid <= 0)
                return;
        subject->ids[SUBJECT_tid] = tid;
        subject->known_ids = UINT32_C(1) << SUBJECT_tid;
}

/* The older events have the domain's two log flags instead, of which same_exec chooses one. */
static void decode_logged(const Record *record, Denial *denial) {
        TraceEventField chosen = FIELD_LOGGED;

        if (!has(record, FIELD_LOGGED) && denial->has_same_exec)
                chosen = denial->same_exec ? FIELD_LOG_SAME_EXEC : FIELD_LOG_NEW_EXEC;
        denial->has_logged = has(record, chosen);
        denial->logged = number(record, chosen);
}

/* What all denials have. */
static int decode_denial(const Record *record, Fact *fact) {
        Denial *denial = &fact->denied;

        *denial = (Denial) {
                .domain = number(record, FIELD_DOMAIN),
                .time_usec = fact->time_usec,
                .origins = fact->origins,
                .has_same_exec = has(record, FIELD_SAME_EXEC),
                .same_exec = number(record, FIELD_SAME_EXEC),
        };
        decode_logged(record, denial);
        decode_subject(record, &denial->subject);
        return denial->domain > 0 ? 0 : -EBADMSG;
}

#define BLOCKER_BIT(name) (UINT64_C(1) << BLOCKER_##name)

/* Events without a type have a mask alone, which is empty for a change of the topology. */
static void decode_fs_blockers(TraceDecoder *decoder, const Record *record, BlockerSet *ret) {
        uint64_t access = number(record, FIELD_BLOCKERS), type = number(record, FIELD_BLOCKERS_TYPE);

        if (!has(record, FIELD_BLOCKERS_TYPE))
                type = access == 0 ? REQUEST_FS_CHANGE_TOPOLOGY : REQUEST_FS_ACCESS;

        if (type == REQUEST_FS_CHANGE_TOPOLOGY)
                *ret = (BlockerSet) { .known = BLOCKER_BIT(FS_CHANGE_TOPOLOGY) };
        else if (type == REQUEST_FS_ACCESS && access > 0)
                access_to_blockers(ACCESS_FS, access, decoder->other, ret);
        else
                *ret = (BlockerSet) { .other = TEXT_LITERAL("fs.unknown") };
}

static void decode_net_blockers(TraceDecoder *decoder, const Record *record, BlockerSet *ret) {
        uint64_t access = number(record, FIELD_BLOCKERS);

        if (access > 0 &&
            (!has(record, FIELD_BLOCKERS_TYPE) || number(record, FIELD_BLOCKERS_TYPE) == REQUEST_NET_ACCESS))
                access_to_blockers(ACCESS_NET, access, decoder->other, ret);
        else
                *ret = (BlockerSet) { .other = TEXT_LITERAL("net.unknown") };
}

/* The inode is 0 where there is none yet. */
static int decode_deny_access_fs(TraceDecoder *decoder, const Record *record, Fact *fact) {
        DenialObject *object = &fact->denied.object;
        uint64_t dev = number(record, FIELD_DEV);
        int r = decode_denial(record, fact);

        if (r < 0)
                return r;
        decode_fs_blockers(decoder, record, &fact->denied.blockers);
        object->kind = OBJECT_FILE;
        object->dev_major = dev >> DEV_MINOR_BITS;
        object->dev_minor = dev & ((1U << DEV_MINOR_BITS) - 1);
        object->has_dev_number = has(record, FIELD_DEV);
        object->ino = number(record, FIELD_INO);
        object->has_ino = object->ino > 0;
        return path(record, &object->path);
}

static void set_port(uint64_t port, uint16_t *ret, bool *ret_known) {
        if (port > UINT16_MAX)
                return;
        *ret = port;
        *ret_known = true;
}

/* One port, negative if it is not known, and the access says which it is; in older events both, of which 0 is none. */
static void decode_ports(const Record *record, uint64_t blockers, DenialObject *object) {
        bool bind = blockers & (BLOCKER_BIT(NET_BIND_TCP) | BLOCKER_BIT(NET_BIND_UDP)),
             connect = blockers & (BLOCKER_BIT(NET_CONNECT_TCP) | BLOCKER_BIT(NET_CONNECT_SEND_UDP));

        if (has(record, FIELD_PORT)) {
                if (bind && !connect)
                        set_port(number(record, FIELD_PORT), &object->local_port, &object->has_local_port);
                else if (connect && !bind)
                        set_port(number(record, FIELD_PORT), &object->remote_port, &object->has_remote_port);
                return;
        }
        if (number(record, FIELD_SPORT) > 0)
                set_port(number(record, FIELD_SPORT), &object->local_port, &object->has_local_port);
        if (number(record, FIELD_DPORT) > 0)
                set_port(number(record, FIELD_DPORT), &object->remote_port, &object->has_remote_port);
}

static int decode_deny_access_net(TraceDecoder *decoder, const Record *record, Fact *fact) {
        int r = decode_denial(record, fact);

        if (r < 0)
                return r;
        decode_net_blockers(decoder, record, &fact->denied.blockers);
        fact->denied.object.kind = OBJECT_NETWORK;
        decode_ports(record, fact->denied.blockers.known, &fact->denied.object);
        return 0;
}

/* The other process. Its PID is 0 where the kernel does not know it: the peer of a datagram socket. */
static int decode_other(const Record *record, ObjectKind kind, uint64_t blocker, Fact *fact) {
        DenialObject *object = &fact->denied.object;
        int r = decode_denial(record, fact);

        if (r < 0)
                return r;
        fact->denied.blockers.known = blocker;
        object->kind = kind;
        object->domain = number(record, FIELD_OTHER_DOMAIN);
        object->has_domain = has(record, FIELD_OTHER_DOMAIN);
        object->pid = number(record, FIELD_OTHER_PID);
        object->has_pid = object->pid > 0;
        return text(record, FIELD_OTHER_COMM, &object->comm);
}

static int decode_deny_ptrace(TraceDecoder *decoder _unused_, const Record *record, Fact *fact) {
        return decode_other(record, OBJECT_PROCESS, BLOCKER_BIT(PTRACE), fact);
}

static int decode_deny_scope_signal(TraceDecoder *decoder _unused_, const Record *record, Fact *fact) {
        return decode_other(record, OBJECT_PROCESS, BLOCKER_BIT(SCOPE_SIGNAL), fact);
}

/* The name without the NUL that makes it an abstract one, which audit has. */
static int decode_deny_scope_abstract_unix_socket(TraceDecoder *decoder, const Record *record, Fact *fact) {
        Text name;
        int r = decode_other(record, OBJECT_SOCKET, BLOCKER_BIT(SCOPE_ABSTRACT_UNIX_SOCKET), fact);

        if (r < 0)
                return r;
        r = text(record, FIELD_SUN_PATH, &name);
        if (r < 0)
                return r;
        if (name.len > ABSTRACT_NAME_MAX)
                return -EBADMSG;
        if (!text_known(name))
                return 0;

        decoder->name[0] = '\0';
        memcpy(decoder->name + 1, name.data, name.len);
        fact->denied.object.path = (Text) { decoder->name, name.len + 1 };
        return 0;
}

static int decode_restrict_self_called(TraceDecoder *decoder, const Record *record, Fact *fact _unused_) {
        const TraceCall call = {
                .makes_domain = (int) number(record, FIELD_RULESET_FD) >= 0,
                .process_wide = number(record, FIELD_FLAGS) & RESTRICT_SELF_TSYNC,
        };

        trace_recent_called(&decoder->recent, number(record, FIELD_COMMON_PID), call);
        return NOTHING_TO_TELL;
}

static int decode_restrict_self_returned(TraceDecoder *decoder, const Record *record, Fact *fact) {
        int64_t tid = number(record, FIELD_COMMON_PID);
        const TraceCall call = trace_recent_returned(&decoder->recent, tid, number(record, FIELD_RETURNED) == 0);

        fact->restricted = (TaskRestriction) { tid, call.process_wide };
        return trace_recent_restricted(&decoder->recent, tid) ? 0 : NOTHING_TO_TELL;
}

/* It happens in the parent, which common_pid therefore is. */
static int decode_fork(TraceDecoder *decoder _unused_, const Record *record, Fact *fact) {
        fact->forked = (TaskFork) {
                .parent_tid = number(record, FIELD_COMMON_PID),
                .tid = number(record, FIELD_TID),
                .is_thread = number(record, FIELD_CLONE_FLAGS) & CLONE_THREAD,
        };
        return fact->forked.tid > 0 ? 0 : -EBADMSG;
}

/* The name that the kernel gives the thread then (begin_new_exec() in fs/exec.c). Not that of an executed file
 * descriptor, which has the name of its file in newer kernels. */
static Text comm_of(Text filename) {
        const char *slash = text_known(filename) ? memrchr(filename.data, '/', filename.len) : NULL;
        Text comm = slash ? (Text) { slash + 1, filename.data + filename.len - (slash + 1) } : filename;

        if (!text_known(filename) || text_has_prefix(filename, TEXT_LITERAL("/dev/fd/")))
                return TEXT_NULL;
        return (Text) { comm.data, MIN(comm.len, (size_t) COMM_MAX) };
}

static int decode_exec(TraceDecoder *decoder _unused_, const Record *record, Fact *fact) {
        Text filename;
        int r = text(record, FIELD_FILENAME, &filename);

        if (r < 0)
                return r;
        fact->execed = (TaskExec) {
                .old_tid = number(record, FIELD_OLD_TID),
                .task = { .tid = number(record, FIELD_TID), .comm = comm_of(filename) },
        };
        return fact->execed.task.tid > 0 ? 0 : -EBADMSG;
}

static int decode_exit(TraceDecoder *decoder _unused_, const Record *record, Fact *fact) {
        fact->exited.tid = number(record, FIELD_TID);
        return 0;
}

/* What is done with the records of an event. */
static const struct {
        FactType type;
        int (*decode)(TraceDecoder *decoder, const Record *record, Fact *fact); /* -EBADMSG, NOTHING_TO_TELL */
        TraceEventField about; /* the thread that must be followed, else the record is left; FIELD_MAX: none must */
} decoders[EVENT_MAX] = {
        [EVENT_CREATE_RULESET] = { FACT_RULESET_CREATED, decode_create_ruleset, FIELD_MAX },
        [EVENT_ADD_RULE_PATH_BENEATH] = { FACT_RULE_ADDED, decode_add_rule_path_beneath, FIELD_MAX },
        [EVENT_ADD_RULE_NET_PORT] = { FACT_RULE_ADDED, decode_add_rule_net_port, FIELD_MAX },
        [EVENT_FREE_RULESET] = { FACT_RULESET_FREED, decode_free_ruleset, FIELD_MAX },
        [EVENT_CREATE_DOMAIN] = { FACT_DOMAIN_CREATED, decode_create_domain, FIELD_MAX },
        [EVENT_ENFORCE_DOMAIN] = { FACT_DOMAIN_ENFORCED, decode_enforce_domain, FIELD_MAX },
        [EVENT_FREE_DOMAIN] = { FACT_DOMAIN_FREED, decode_free_domain, FIELD_MAX },
        [EVENT_DENY_ACCESS_FS] = { FACT_ACCESS_DENIED, decode_deny_access_fs, FIELD_MAX },
        [EVENT_DENY_ACCESS_NET] = { FACT_ACCESS_DENIED, decode_deny_access_net, FIELD_MAX },
        [EVENT_DENY_PTRACE] = { FACT_ACCESS_DENIED, decode_deny_ptrace, FIELD_MAX },
        [EVENT_DENY_SCOPE_SIGNAL] = { FACT_ACCESS_DENIED, decode_deny_scope_signal, FIELD_MAX },
        [EVENT_DENY_SCOPE_ABSTRACT_UNIX_SOCKET] = {
                FACT_ACCESS_DENIED, decode_deny_scope_abstract_unix_socket, FIELD_MAX,
        },
        [EVENT_RESTRICT_SELF_CALLED] = { FACT_TASK_RESTRICTED, decode_restrict_self_called, FIELD_MAX },
        [EVENT_RESTRICT_SELF_RETURNED] = { FACT_TASK_RESTRICTED, decode_restrict_self_returned, FIELD_MAX },
        [EVENT_TASK_FORK] = { FACT_TASK_FORKED, decode_fork, FIELD_COMMON_PID },
        [EVENT_TASK_EXEC] = { FACT_TASK_EXECED, decode_exec, FIELD_OLD_TID },
        [EVENT_TASK_EXIT] = { FACT_TASK_EXITED, decode_exit, FIELD_TID },
};

int trace_decoder_new(TraceDecoder **ret, FactSink sink, Counters *counters) {
        TraceDecoder *decoder = calloc(1, sizeof(TraceDecoder));

        if (!decoder)
                return -ENOMEM;
        decoder->sink = sink;
        decoder->counters = counters;
        *ret = decoder;
        return 0;
}

TraceDecoder *trace_decoder_free(TraceDecoder *decoder) {
        free(decoder);
        return NULL;
}

int trace_decoder_add_format(TraceDecoder *decoder, Text group, Text format, const char **ret_problem) {
        _cleanup_(trace_format_freep) TraceFormat *parsed = NULL;
        TraceEvent event, *slot;
        size_t spelling;
        int index, r;

        decoder->problem[0] = '\0';
        *ret_problem = decoder->problem;
        r = trace_format_parse(&parsed, format);
        if (r < 0)
                return r;
        index = trace_event_find(group, trace_format_name(parsed), &spelling);
        if (index < 0)
                return index;
        event = trace_event_resolve(&trace_event_specs[index], parsed);
        slot = &decoder->events[index][spelling];
        if (decoder->by_id[event.id] && decoder->by_id[event.id] != slot)
                return -EINVAL;
        if (trace_event_name_missing(&event, event.spec->needs, decoder->problem, sizeof(decoder->problem)))
                return -EBADMSG;
        (void) trace_event_name_missing(&event, event.spec->has, decoder->problem, sizeof(decoder->problem));

        decoder->by_id[slot->id] = NULL;
        decoder->by_id[event.id] = slot;
        *slot = event;
        return 0;
}

/* NULL if there is none of this ID, or if the record ends before its last field. */
static const TraceEvent *event_of(const TraceDecoder *decoder, const void *data, size_t size) {
        const TraceEvent *event;
        uint16_t id;

        if (size < sizeof(id))
                return NULL;
        memcpy(&id, data, sizeof(id));
        event = decoder->by_id[id];
        return event && size >= event->size_min ? event : NULL;
}

static bool follows(const TraceDecoder *decoder, int64_t tid) {
        return decoder->sink.follows && decoder->sink.follows(decoder->sink.userdata, tid);
}

/* A thread that nobody follows can restrict itself next. */
static void note_recent(TraceDecoder *decoder, TraceEventIndex index, const Record *record) {
        if (index == EVENT_TASK_FORK && has(record, FIELD_CLONE_FLAGS))
                trace_recent_forked(&decoder->recent, number(record, FIELD_COMMON_PID), number(record, FIELD_TID),
                                    number(record, FIELD_CLONE_FLAGS) & CLONE_THREAD);
        else if (index == EVENT_TASK_EXEC)
                trace_recent_execed(&decoder->recent, number(record, FIELD_TID));
}

/* Whether a thread executed that had restricted itself under another number. */
static bool is_renamed(const TraceDecoder *decoder, TraceEventIndex index, const Record *record) {
        return index == EVENT_TASK_EXEC && number(record, FIELD_OLD_TID) != number(record, FIELD_TID) &&
                trace_recent_restricted(&decoder->recent, number(record, FIELD_OLD_TID));
}

static int decode_renamed(TraceDecoder *decoder _unused_, const Record *record, Fact *fact) {
        fact->type = FACT_TASK_RESTRICTED;
        fact->restricted.tid = number(record, FIELD_TID);
        return 0;
}

int64_t trace_decoder_recent_pid(const TraceDecoder *decoder, int64_t tid) {
        return trace_recent_pid(&decoder->recent, tid);
}

void trace_decoder_feed(TraceDecoder *decoder, const void *data, size_t size, uint64_t time_usec, uint64_t boot_usec) {
        const Record record = { event_of(decoder, data, size), data, size };
        int (*decode)(TraceDecoder *decoder, const Record *record, Fact *fact);
        size_t index;
        Fact fact;
        int r;

        if (!record.event) {
                decoder->counters->trace_malformed++;
                return;
        }
        /* Nearly all events of tasks are about those in no sandbox. They get no further than here. */
        index = record.event->spec - trace_event_specs;
        decode = decoders[index].decode;
        if (decoders[index].about == FIELD_MAX)
                decoder->counters->trace_events++;
        else if (!follows(decoder, number(&record, decoders[index].about))) {
                note_recent(decoder, index, &record);
                if (!is_renamed(decoder, index, &record))
                        return;
                decode = decode_renamed;
        }

        fact = (Fact) {
                .type = decoders[index].type,
                .origins = ORIGIN_TRACE,
                .time_usec = time_usec,
                .boot_usec = boot_usec,
        };
        r = decode(decoder, &record, &fact);
        if (r < 0)
                decoder->counters->trace_malformed++;
        else if (r != NOTHING_TO_TELL)
                decoder->sink.fn(decoder->sink.userdata, &fact);
}
