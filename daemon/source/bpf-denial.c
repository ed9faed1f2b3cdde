/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/bpf-denial.h"

#include <arpa/inet.h>
#include <string.h>

/* enum landlock_request_type (security/landlock/audit.h) */
#define REQUEST_PTRACE 1
#define REQUEST_FS_CHANGE_TOPOLOGY 2
#define REQUEST_FS_ACCESS 3
#define REQUEST_NET_ACCESS 4
#define REQUEST_SCOPE_ABSTRACT_UNIX_SOCKET 5
#define REQUEST_SCOPE_SIGNAL 6

/* dev_t as it is inside the kernel. */
#define DEV_MINOR_BITS 20

#define BLOCKER_BIT(name) (UINT64_C(1) << BLOCKER_##name)

static BlockerSet decode_blockers(const BpfDenialRecord *record, BpfDenialTexts *texts) {
        BlockerSet set = {};

        switch (record->request) {
        case REQUEST_PTRACE:
                set.known = BLOCKER_BIT(PTRACE);
                break;
        case REQUEST_FS_CHANGE_TOPOLOGY:
                set.known = BLOCKER_BIT(FS_CHANGE_TOPOLOGY);
                break;
        case REQUEST_FS_ACCESS:
                access_to_blockers(ACCESS_FS, record->access, texts->blockers, &set);
                break;
        case REQUEST_NET_ACCESS:
                access_to_blockers(ACCESS_NET, record->access, texts->blockers, &set);
                break;
        case REQUEST_SCOPE_ABSTRACT_UNIX_SOCKET:
                set.known = BLOCKER_BIT(SCOPE_ABSTRACT_UNIX_SOCKET);
                break;
        case REQUEST_SCOPE_SIGNAL:
                set.known = BLOCKER_BIT(SCOPE_SIGNAL);
                break;
        }
        /* Audit's word for what it does not know. */
        return blocker_set_empty(&set) ? (BlockerSet) { .other = TEXT_LITERAL("unknown") } : set;
}

static Text address(uint16_t family, const uint8_t bytes[static 16], char buffer[static INET6_ADDRSTRLEN]) {
        static const uint8_t none[16];

        if (memcmp(bytes, none, sizeof(none)) == 0)
                return TEXT_NULL;
        return text_from_string(inet_ntop(family, bytes, buffer, INET6_ADDRSTRLEN));
}

static DenialObject decode_file(const BpfDenialRecord *record) {
        return (DenialObject) {
                .kind = OBJECT_FILE,
                .name = record->n_name > 0 ? (Text) { record->name, record->n_name } : TEXT_NULL,
                .dev_major = record->dev >> DEV_MINOR_BITS,
                .dev_minor = record->dev & ((1U << DEV_MINOR_BITS) - 1),
                .ino = record->ino,
                .ioctl_cmd = record->ioctl_cmd,
                .has_dev_number = record->has_inode,
                .has_ino = record->has_inode,
                .has_ioctl_cmd = record->has_ioctl_cmd,
        };
}

static DenialObject decode_network(const BpfDenialRecord *record, BpfDenialTexts *texts) {
        return (DenialObject) {
                .kind = OBJECT_NETWORK,
                .local_address = address(record->family, record->local_address, texts->local_address),
                .remote_address = address(record->family, record->remote_address, texts->remote_address),
                .local_port = ntohs(record->local_port),
                .remote_port = ntohs(record->remote_port),
                .has_local_port = record->local_port != 0,
                .has_remote_port = record->remote_port != 0,
        };
}

static DenialObject decode_process(const BpfThreadRecord *other) {
        return (DenialObject) {
                .kind = OBJECT_PROCESS,
                .pid = other->pid,
                .comm = { other->comm, strnlen(other->comm, sizeof(other->comm)) },
                .domain = other->domain,
                .has_pid = true,
                .has_domain = true,
        };
}

static DenialObject decode_object(const BpfDenialRecord *record, BpfDenialTexts *texts) {
        switch ((BpfObject) record->object) {
        case BPF_OBJECT_FILE:
                return decode_file(record);
        case BPF_OBJECT_INET:
                return decode_network(record, texts);
        case BPF_OBJECT_SOCKET:
                return (DenialObject) {
                        .kind = OBJECT_SOCKET,
                        .path = record->n_name > 0 ? (Text) { record->name, record->n_name } : TEXT_NULL,
                };
        case BPF_OBJECT_THREAD:
                return decode_process(&record->other);
        case BPF_OBJECT_NONE:
                break;
        }
        return (DenialObject) { .kind = OBJECT_UNKNOWN };
}

static DenialSubject decode_subject(const BpfThreadRecord *thread) {
        DenialSubject subject = {
                .known_ids = UINT32_C(1) << SUBJECT_pid | UINT32_C(1) << SUBJECT_tid | UINT32_C(1) << SUBJECT_uid,
                .comm = { thread->comm, strnlen(thread->comm, sizeof(thread->comm)) },
        };

        subject.ids[SUBJECT_pid] = thread->pid;
        subject.ids[SUBJECT_tid] = thread->tid;
        subject.ids[SUBJECT_uid] = thread->uid;
        return subject;
}

Denial bpf_denial_decode(const BpfDenialRecord *record, uint64_t time_usec, BpfDenialTexts *texts) {
        return (Denial) {
                .domain = record->domain,
                .time_usec = time_usec,
                .origins = ORIGIN_BPF,
                .blockers = decode_blockers(record, texts),
                .object = decode_object(record, texts),
                .subject = record->is_subject ? decode_subject(&record->thread) : (DenialSubject) {},
                .has_same_exec = true,
                .same_exec = record->same_exec,
                /* Whether audit logs one that the domain wants logged is up to audit. */
                .has_logged = record->is_silent,
                .logged = false,
        };
}
