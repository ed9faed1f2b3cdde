/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/json-snapshot.h"

#include <errno.h>

#include "base/clock.h"

/* Objects looked at for one line. */
#define LOOKS_MAX 256

/* A domain, or one of its processes. */
typedef struct Key {
        uint64_t domain;
        int64_t pid;
        bool is_process;
} Key;

struct JsonSnapshot {
        Key *keys;
        size_t n_keys, next_key;
        uint64_t next_denial, end_denial; /* in the denial log */
        uint64_t seq;
        uint64_t n_domains, n_processes, n_denials;
        size_t n_id;
        char id[];
};

static void add_keys(JsonSnapshot *snapshot, const DomainList *list) {
        const Domain *domain;
        const Task *task;

        TAILQ_FOREACH(domain, list, entry) {
                snapshot->keys[snapshot->n_keys++] = (Key) { .domain = domain->id };
                TAILQ_FOREACH(task, &domain->tasks, in_domain)
                        snapshot->keys[snapshot->n_keys++] = (Key) { domain->id, task->pid, true };
        }
}

int json_snapshot_new(JsonSnapshot **ret, const DomainTable *table, uint64_t seq, Text id) {
        _cleanup_(json_snapshot_freep) JsonSnapshot *snapshot = calloc(1, sizeof(JsonSnapshot) + id.len);

        if (!snapshot)
                return -ENOMEM;
        snapshot->keys = calloc(table->n_live + table->n_freed + table->tasks.n_tasks + 1, sizeof(Key));
        if (!snapshot->keys)
                return -ENOMEM;

        add_keys(snapshot, &table->live);
        add_keys(snapshot, &table->freed);
        snapshot->end_denial = table->denials.next_seq;
        snapshot->next_denial = table->denials.next_seq - denial_log_size(&table->denials);
        snapshot->seq = seq;
        snapshot->n_id = id.len;
        if (id.len > 0)
                memcpy(snapshot->id, id.data, id.len);
        *ret = TAKE_PTR(snapshot);
        return 0;
}

JsonSnapshot *json_snapshot_free(JsonSnapshot *snapshot) {
        if (!snapshot)
                return NULL;
        free(snapshot->keys);
        free(snapshot);
        return NULL;
}

static const Task *find_task(const Domain *domain, const TaskTable *tasks, int64_t pid) {
        const Task *task = id_map_get(&tasks->by_pid, pid);

        while (task && task->domain != domain)
                task = task->next_same_pid;
        return task;
}

static JsonEnvelope envelope(const JsonSnapshot *snapshot, uint64_t seq) {
        return (JsonEnvelope) {
                .seq = seq,
                .time_usec = clock_realtime_usec(),
                .id = snapshot->n_id > 0 ? (Text) { snapshot->id, snapshot->n_id } : TEXT_NULL,
        };
}

/* 1 with a line, 0 if there is none to give for this key. */
static int encode_key(JsonSnapshot *snapshot, const Key *key, JsonEncoder *encoder, const DomainTable *table,
                      const EventFilter *filter, uint64_t seq, Text *ret_line) {
        const EventMeta meta = {
                .type = key->is_process ? EVENT_TYPE_PROCESS : EVENT_TYPE_DOMAIN,
                .domain = key->domain,
        };
        const JsonEnvelope env = envelope(snapshot, seq);
        const Domain *domain = domain_table_get(table, key->domain);
        const Task *task;
        int r;

        if (!domain || !event_filter_match(filter, &meta))
                return 0;
        if (!key->is_process) {
                r = json_encoder_domain(encoder, &env, domain, ret_line);
                snapshot->n_domains += r >= 0;
                return r < 0 ? r : 1;
        }

        task = find_task(domain, &table->tasks, key->pid);
        if (!task)
                return 0;
        r = json_encoder_process(encoder, &env, task, ret_line);
        snapshot->n_processes += r >= 0;
        return r < 0 ? r : 1;
}

static int encode_denial(JsonSnapshot *snapshot, const Denial *denial, JsonEncoder *encoder,
                         const EventFilter *filter, uint64_t seq, Text *ret_line) {
        const EventMeta meta = json_event_denial_meta(denial);
        const JsonEnvelope env = envelope(snapshot, seq);
        int r;

        if (!event_filter_match(filter, &meta))
                return 0;
        r = json_encoder_denial(encoder, &env, denial, ret_line);
        snapshot->n_denials += r >= 0;
        return r < 0 ? r : 1;
}

static int encode_end(const JsonSnapshot *snapshot, JsonEncoder *encoder, Text *ret_line) {
        const JsonEnvelope env = envelope(snapshot, snapshot->seq);
        const JsonReply reply = {
                .op = "snapshot",
                .has_totals = true,
                .n_domains = snapshot->n_domains,
                .n_processes = snapshot->n_processes,
                .n_denials = snapshot->n_denials,
        };

        return json_encoder_reply(encoder, &env, &reply, ret_line);
}

int json_snapshot_next(JsonSnapshot *snapshot, JsonEncoder *encoder, const DomainTable *table,
                       const EventFilter *filter, uint64_t seq, Text *ret_line) {
        int r = 0;

        for (unsigned looks = 0; looks < LOOKS_MAX && r == 0; looks++) {
                const Denial *denial;

                if (snapshot->next_key < snapshot->n_keys) {
                        r = encode_key(snapshot, &snapshot->keys[snapshot->next_key++], encoder, table, filter, seq,
                                       ret_line);
                        continue;
                }

                /* The oldest may have been evicted since: those are history that nobody can ask for any more. */
                denial = denial_log_from(&table->denials, snapshot->next_denial);
                if (!denial || denial->seq >= snapshot->end_denial)
                        return encode_end(snapshot, encoder, ret_line);
                snapshot->next_denial = denial->seq + 1;
                r = encode_denial(snapshot, denial, encoder, filter, seq, ret_line);
        }

        if (r == 0)
                *ret_line = TEXT_NULL;
        return r < 0 ? r : 1;
}
