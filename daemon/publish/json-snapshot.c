/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/json-snapshot.h"

#include <errno.h>

#include "base/clock.h"

/* Objects looked at for one line. */
#define LOOKS_MAX 256

typedef struct Key {
        EventType type; /* ruleset, domain or process */
        uint64_t id;    /* the ruleset's or domain's */
        int64_t pid;    /* the process's */
} Key;

struct JsonSnapshot {
        Key *keys;
        size_t n_keys, next_key;
        bool ruleset_begun;       /* the next key's: its rules up to that version were told */
        uint64_t ruleset_version;
        uint64_t next_denial, end_denial; /* in the denial log */
        uint64_t seq;
        uint64_t n_rulesets, n_domains, n_processes, n_denials;
        size_t n_id;
        char id[];
};

/* What one call of json_snapshot_next() is about. */
typedef struct Turn {
        JsonSnapshot *snapshot;
        JsonEncoder *encoder;
        const DomainTable *table;
        const EventFilter *filter;
        uint64_t seq; /* the last event published */
} Turn;

static void add_rulesets(JsonSnapshot *snapshot, const RulesetList *list) {
        const Ruleset *ruleset;

        TAILQ_FOREACH(ruleset, list, entry)
                snapshot->keys[snapshot->n_keys++] = (Key) { EVENT_TYPE_RULESET, .id = ruleset->id };
}

static void add_domains(JsonSnapshot *snapshot, const DomainList *list) {
        const Domain *domain;
        const Process *process;

        TAILQ_FOREACH(domain, list, entry) {
                snapshot->keys[snapshot->n_keys++] = (Key) { EVENT_TYPE_DOMAIN, .id = domain->id };
                TAILQ_FOREACH(process, &domain->processes, in_domain)
                        snapshot->keys[snapshot->n_keys++] = (Key) { EVENT_TYPE_PROCESS, domain->id, process->pid };
        }
}

int json_snapshot_new(JsonSnapshot **ret, const DomainTable *table, uint64_t seq, Text id) {
        _cleanup_(json_snapshot_freep) JsonSnapshot *snapshot = calloc(1, sizeof(JsonSnapshot) + id.len);

        if (!snapshot)
                return -ENOMEM;
        snapshot->keys = calloc(table->rulesets.n_rulesets + table->n_live + table->n_freed +
                                table->processes.n_processes + 1, sizeof(Key));
        if (!snapshot->keys)
                return -ENOMEM;

        /* Each before the domains that were made from it. */
        add_rulesets(snapshot, &table->rulesets.used);
        add_rulesets(snapshot, &table->rulesets.unused);
        add_domains(snapshot, &table->live);
        add_domains(snapshot, &table->freed);
        snapshot->end_denial = table->denials.next_seq;
        snapshot->next_denial = denial_log_oldest(&table->denials);
        snapshot->seq = seq;
        snapshot->n_id = id.len;
        if (id.len > 0)
                memcpy(snapshot->id, id.data, id.len);
        *ret = TAKE_PTR(snapshot);
        return 0;
}

void json_snapshot_end_denials(JsonSnapshot *snapshot, uint64_t number) {
        snapshot->end_denial = MIN(snapshot->end_denial, number);
}

JsonSnapshot *json_snapshot_free(JsonSnapshot *snapshot) {
        if (!snapshot)
                return NULL;
        free(snapshot->keys);
        free(snapshot);
        return NULL;
}

static JsonEnvelope envelope(const JsonSnapshot *snapshot, uint64_t seq) {
        return (JsonEnvelope) {
                .seq = seq,
                .time_usec = clock_realtime_usec(),
                .id = snapshot->n_id > 0 ? (Text) { snapshot->id, snapshot->n_id } : TEXT_NULL,
        };
}

/* The functions that follow return 1 with a line, 0 if there is none to give. */

/* Who asks for some domains gets the rulesets that these were made from. */
static bool ruleset_wanted(const Turn *turn, const Ruleset *ruleset) {
        EventMeta meta = { .type = EVENT_TYPE_RULESET };

        for (size_t i = 0; turn->filter->by_domain && i < turn->filter->n_domains; i++) {
                const Domain *domain = domain_table_get(turn->table, turn->filter->domains[i]);

                if (domain && domain->ruleset == ruleset)
                        meta.domain = domain->id;
        }
        return event_filter_match(turn->filter, &meta);
}

static int encode_ruleset(const Turn *turn, const Key *key, Text *ret_line) {
        JsonSnapshot *snapshot = turn->snapshot;
        const JsonEnvelope env = envelope(snapshot, turn->seq);
        const Ruleset *ruleset = ruleset_table_get(&turn->table->rulesets, key->id);
        bool begun = snapshot->ruleset_begun;
        int r;

        snapshot->ruleset_begun = false;
        if (!ruleset || !ruleset_wanted(turn, ruleset))
                return 0;

        if (!begun)
                snapshot->ruleset_version = 0;
        r = json_encoder_ruleset(turn->encoder, &env, ruleset, &snapshot->ruleset_version, ret_line);
        snapshot->n_rulesets += !begun && r >= 0;
        if (ruleset_n_rules(ruleset, snapshot->ruleset_version) < ruleset->n_rules) {
                /* The same key once more. */
                snapshot->ruleset_begun = true;
                snapshot->next_key--;
        }
        return r < 0 ? r : 1;
}

static int encode_domain(const Turn *turn, const Key *key, Text *ret_line) {
        const EventMeta meta = { .type = EVENT_TYPE_DOMAIN, .domain = key->id };
        const JsonEnvelope env = envelope(turn->snapshot, turn->seq);
        const Domain *domain = domain_table_get(turn->table, key->id);
        int r;

        if (!domain || !event_filter_match(turn->filter, &meta))
                return 0;
        r = json_encoder_domain(turn->encoder, &env, domain, ret_line);
        turn->snapshot->n_domains += r >= 0;
        return r < 0 ? r : 1;
}

static int encode_process(const Turn *turn, const Key *key, Text *ret_line) {
        const EventMeta meta = { .type = EVENT_TYPE_PROCESS, .domain = key->id };
        const JsonEnvelope env = envelope(turn->snapshot, turn->seq);
        const Domain *domain = domain_table_get(turn->table, key->id);
        const Process *process = domain ? process_table_get(&turn->table->processes, domain, key->pid) : NULL;
        int r;

        if (!process || !event_filter_match(turn->filter, &meta))
                return 0;
        r = json_encoder_process(turn->encoder, &env, process, ret_line);
        turn->snapshot->n_processes += r >= 0;
        return r < 0 ? r : 1;
}

static int encode_next_key(const Turn *turn, Text *ret_line) {
        const Key *key = &turn->snapshot->keys[turn->snapshot->next_key++];

        if (key->type == EVENT_TYPE_RULESET)
                return encode_ruleset(turn, key, ret_line);
        if (key->type == EVENT_TYPE_DOMAIN)
                return encode_domain(turn, key, ret_line);
        return encode_process(turn, key, ret_line);
}

static int encode_denial(const Turn *turn, const Denial *denial, Text *ret_line) {
        const EventMeta meta = json_event_denial_meta(denial);
        const JsonEnvelope env = envelope(turn->snapshot, turn->seq);
        int r;

        turn->snapshot->next_denial = denial->seq + 1;
        if (!event_filter_match(turn->filter, &meta))
                return 0;
        r = json_encoder_denial(turn->encoder, &env, denial, ret_line);
        turn->snapshot->n_denials += r >= 0;
        return r < 0 ? r : 1;
}

static int encode_end(const Turn *turn, Text *ret_line) {
        const JsonSnapshot *snapshot = turn->snapshot;
        const JsonEnvelope env = envelope(snapshot, snapshot->seq);
        const JsonReply reply = {
                .op = "snapshot",
                .has_totals = true,
                .n_rulesets = snapshot->n_rulesets,
                .n_domains = snapshot->n_domains,
                .n_processes = snapshot->n_processes,
                .n_denials = snapshot->n_denials,
        };

        return json_encoder_reply(turn->encoder, &env, &reply, ret_line);
}

int json_snapshot_next(JsonSnapshot *snapshot, JsonEncoder *encoder, const DomainTable *table,
                       const EventFilter *filter, uint64_t seq, Text *ret_line) {
        const Turn turn = { snapshot, encoder, table, filter, seq };
        int r = 0;

        for (unsigned looks = 0; looks < LOOKS_MAX && r == 0; looks++) {
                const Denial *denial;

                if (snapshot->next_key < snapshot->n_keys) {
                        r = encode_next_key(&turn, ret_line);
                        continue;
                }

                /* The oldest may have been evicted since: those are history that nobody can ask for any more. */
                denial = denial_log_from(&table->denials, snapshot->next_denial);
                if (!denial || denial->seq >= snapshot->end_denial)
                        return encode_end(&turn, ret_line);
                r = encode_denial(&turn, denial, ret_line);
        }

        if (r == 0)
                *ret_line = TEXT_NULL;
        return r < 0 ? r : 1;
}
