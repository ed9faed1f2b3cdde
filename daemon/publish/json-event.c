/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/json-event.h"

#include <assert.h>
#include <errno.h>

#include "publish/json-denial.h"
#include "publish/json-domain.h"
#include "publish/json-member.h"
#include "publish/json-ruleset.h"
#include "publish/json-status.h"

/* Of a ruleset in a snapshot: the rules that do not fit follow in further lines. */
#define RULESET_LINE_SIZE ((size_t) 32 * 1024)

void json_encoder_init(JsonEncoder *e, const Host *host) {
        JsonWriter w;

        *e = (JsonEncoder) { .host = host };
        json_writer_init(&w, e->origin, sizeof(e->origin));
        if (host->has_boot_id)
                json_member_string(&w, "boot_id", host->boot_id);
        if (host->has_machine_id)
                json_member_string(&w, "machine_id", host->machine_id);
        assert(!w.overflow);
        e->n_origin = json_writer_result(&w).len;
}

/* Every line begins so, down to its type. */
static void begin_line(JsonEncoder *e, JsonWriter *w, uint64_t seq, uint64_t time_usec) {
        json_writer_init(w, e->line, sizeof(e->line));
        json_writer_begin_object(w);
        json_writer_raw(w, "\"v\":1", strlen("\"v\":1"));
        json_member_u64(w, "seq", seq);
        json_writer_key(w, "time");
        json_writer_time(w, time_usec);
        if (e->n_origin > 0)
                json_writer_raw(w, e->origin, e->n_origin);
}

/* A line that is not in the stream: the request that it answers is named. */
static void begin_client_line(JsonEncoder *e, JsonWriter *w, const JsonEnvelope *env) {
        begin_line(e, w, env->seq, env->time_usec);
        if (text_known(env->id)) {
                json_writer_key(w, "id");
                json_writer_raw(w, env->id.data, env->id.len);
        }
}

static int end_line(JsonWriter *w, Text *ret_line) {
        json_writer_end_object(w);
        if (json_writer_reserve(w, 1))
                *w->p++ = '\n';
        if (w->overflow)
                return -EMSGSIZE;
        *ret_line = json_writer_result(w);
        return 0;
}

static void render_names(JsonEncoder *e, JsonDomainNames *names, uint64_t domain) {
        char id[DOMAIN_ID_TEXT_SIZE], uuid[UUID_TEXT_SIZE];
        JsonWriter w;

        json_writer_init(&w, names->members, sizeof(names->members));
        host_format_domain(domain, id);
        json_member_string(&w, "domain", id);
        if (host_domain_uuid(e->host, domain, uuid))
                json_member_string(&w, "domain_uuid", uuid);
        assert(!w.overflow);
        names->domain = domain;
        names->len = json_writer_result(&w).len;
}

static void put_domain_names(JsonEncoder *e, JsonWriter *w, uint64_t domain) {
        /* IDs are given out in small steps: multiplied by the golden ratio they spread over all slots. */
        size_t slot = domain * UINT64_C(0x9e3779b97f4a7c15) >> (64 - __builtin_ctz(JSON_DOMAIN_NAMES_MAX));
        JsonDomainNames *names = &e->names[slot];

        if (names->len == 0 || names->domain != domain)
                render_names(e, names, domain);
        json_writer_raw(w, names->members, names->len);
}

#define put_type(w, type) json_writer_raw((w), "\"type\":\"" type "\"", sizeof("\"type\":\"" type "\"") - 1)

static void put_origins(JsonWriter *w, unsigned origins) {
        json_writer_key(w, "origin");
        json_writer_begin_array(w);
        for (; origins; origins &= origins - 1)
                json_writer_text(w, origin_name(origins));
        json_writer_end_array(w);
}

/* ---- ruleset, domain, process ---- */

/* What a change is told as. */
static const struct {
        EventType type;
        const char *change; /* NULL: of that type there is no other */
} changes[] = {
        [CHANGE_RULESET_CREATED] = { EVENT_TYPE_RULESET, "created" },
        [CHANGE_RULE_ADDED] = { EVENT_TYPE_RULESET, "rule-added" },
        [CHANGE_RULESET_FREED] = { EVENT_TYPE_RULESET, "freed" },
        [CHANGE_DOMAIN_ADDED] = { EVENT_TYPE_DOMAIN, "added" },
        [CHANGE_DOMAIN_UPDATED] = { EVENT_TYPE_DOMAIN, "updated" },
        [CHANGE_DOMAIN_FREED] = { EVENT_TYPE_DOMAIN, "freed" },
        [CHANGE_DOMAIN_EVICTED] = { EVENT_TYPE_DOMAIN, "evicted" },
        [CHANGE_DENIAL] = { EVENT_TYPE_DENIAL, NULL },
        [CHANGE_PROCESS_ADDED] = { EVENT_TYPE_PROCESS, "added" },
        [CHANGE_PROCESS_UPDATED] = { EVENT_TYPE_PROCESS, "updated" },
        [CHANGE_PROCESS_GONE] = { EVENT_TYPE_PROCESS, "gone" },
        [CHANGE_RECONCILED] = { EVENT_TYPE_RECONCILED, NULL },
        [CHANGE_LOST] = { EVENT_TYPE_LOST, NULL },
};

static void put_ruleset(JsonWriter *w, const Change *change) {
        put_type(w, "ruleset");
        json_ruleset_put(w, change->ruleset, changes[change->type].change);
        if (change->rule)
                json_rule_put(w, change->rule);
}

static void put_domain(JsonEncoder *e, JsonWriter *w, const Domain *d, const char *change) {
        put_domain_names(e, w, d->id);
        json_domain_put(w, d, change);
        put_origins(w, d->origins);
}

/* The denial or the process that made a domain known is in the table with it, but comes after it in the stream:
 * whoever adds up what comes must not count it twice. The kernel's count runs ahead of it. */
static Domain without_contents(const Domain *d) {
        Domain added = *d;

        added.n_denials = added.n_blocked_other = added.n_processes = 0;
        added.has_n_denials_kernel = false;
        memset(added.n_blocked, 0, sizeof(added.n_blocked));
        return added;
}

static void put_domain_change(JsonEncoder *e, JsonWriter *w, const Change *change) {
        const char *name = changes[change->type].change;

        put_type(w, "domain");
        if (change->type == CHANGE_DOMAIN_ADDED) {
                Domain added = without_contents(change->domain);

                put_domain(e, w, &added, name);
        } else
                put_domain(e, w, change->domain, name);
}

static void put_process(JsonEncoder *e, JsonWriter *w, const Process *p, const char *change) {
        put_domain_names(e, w, p->domain->id);
        json_process_put(w, p, change);
}

/* ---- denial ---- */

static void put_denial(JsonEncoder *e, JsonWriter *w, const Denial *d) {
        json_member_u64(w, "denial", d->seq);
        put_domain_names(e, w, d->domain);
        json_denial_put(w, d);
        put_origins(w, d->origins);
}

/* Without what a sandboxed program can make long at will and what is not needed to know what was denied. */
static Denial shortened(const Denial *d) {
        Denial s = *d;

        s.n_paths = 0;
        s.n_paths_dropped += d->n_paths;
        s.subject.cwd = TEXT_NULL;
        s.incomplete = true;
        return s;
}

/* ---- lost ---- */

static void put_loss(JsonWriter *w, const Loss *loss, unsigned origins) {
        static const struct {
                Text cause, unit;
        } names[] = {
                [LOSS_SOCKET_OVERFLOW] = { TEXT_LITERAL("socket-overflow"), TEXT_LITERAL("messages") },
                [LOSS_SERIAL_GAP] = { TEXT_LITERAL("serial-gap"), TEXT_LITERAL("events") },
                [LOSS_KERNEL_BACKLOG] = { TEXT_LITERAL("kernel-backlog"), TEXT_LITERAL("records") },
                [LOSS_TRACE_OVERRUN] = { TEXT_LITERAL("trace-overrun"), TEXT_LITERAL("events") },
                [LOSS_TRACING_OFF] = { TEXT_LITERAL("tracing-off"), TEXT_LITERAL("events") },
                [LOSS_RESTART] = { TEXT_LITERAL("restart"), TEXT_LITERAL("events") },
                [LOSS_SLOW_CLIENT] = { TEXT_LITERAL("slow-client"), TEXT_LITERAL("events") },
        };

        assert(loss->cause < ARRAY_SIZE(names));
        if (loss->cause == LOSS_SLOW_CLIENT)
                json_member_text(w, "source", TEXT_LITERAL("client"));
        else if (origins)
                json_member_text(w, "source", origin_name(origins));
        else if (loss->cause == LOSS_RESTART)
                json_member_text(w, "source", TEXT_LITERAL("state"));
        json_member_text(w, "cause", names[loss->cause].cause);
        json_member_text(w, "unit", names[loss->cause].unit);
        json_member_u64_if(w, loss->count > 0, "count", loss->count);
        json_member_time(w, "since", loss->since_usec);
        json_member_time(w, "until", loss->until_usec);
}

static void put_repair(JsonWriter *w, uint64_t n_added, uint64_t n_removed) {
        json_writer_begin_object(w);
        json_member_u64(w, "added", n_added);
        json_member_u64(w, "removed", n_removed);
        json_writer_end_object(w);
}

static void put_reconciliation(JsonWriter *w, const Reconciliation *r, unsigned origins) {
        json_writer_key(w, "domains");
        put_repair(w, r->n_domains_added, r->n_domains_removed);
        json_writer_key(w, "processes");
        put_repair(w, r->n_processes_added, r->n_processes_removed);
        put_origins(w, origins);
}

static int encode_change(JsonEncoder *e, const Change *change, const Denial *denial, uint64_t seq, Text *ret_line) {
        JsonWriter w;

        begin_line(e, &w, seq, change->time_usec);
        json_member_text(&w, "node", change->node);
        switch (changes[change->type].type) {
        case EVENT_TYPE_RULESET:
                put_ruleset(&w, change);
                break;
        case EVENT_TYPE_DOMAIN:
                put_domain_change(e, &w, change);
                break;
        case EVENT_TYPE_PROCESS:
                put_type(&w, "process");
                put_process(e, &w, change->process, changes[change->type].change);
                break;
        case EVENT_TYPE_DENIAL:
                put_type(&w, "denial");
                put_denial(e, &w, denial);
                break;
        case EVENT_TYPE_LOST:
                put_type(&w, "lost");
                put_loss(&w, change->loss, change->origins);
                break;
        case EVENT_TYPE_RECONCILED:
                put_type(&w, "reconciled");
                put_reconciliation(&w, change->reconciliation, change->origins);
                break;
        case EVENT_TYPE_MAX:
                assert(false);
                break;
        }
        return end_line(&w, ret_line);
}

int json_encoder_change(JsonEncoder *e, const Change *change, uint64_t seq, Text *ret_line) {
        int r = encode_change(e, change, change->denial, seq, ret_line);

        if (r == -EMSGSIZE && change->type == CHANGE_DENIAL) {
                Denial s = shortened(change->denial);

                r = encode_change(e, change, &s, seq, ret_line);
        }
        return r;
}

/* ---- lines for one client ---- */

int json_encoder_hello(JsonEncoder *e, const JsonEnvelope *env, const Status *status, uint64_t oldest_seq,
                       Text *ret_line) {
        JsonWriter w;

        begin_client_line(e, &w, env);
        put_type(&w, "hello");
        json_status_put(&w, status, oldest_seq);
        return end_line(&w, ret_line);
}

int json_encoder_status(JsonEncoder *e, const JsonEnvelope *env, const Status *status, uint64_t oldest_seq,
                        const DomainTable *table, Text *ret_line) {
        JsonWriter w;

        begin_client_line(e, &w, env);
        put_type(&w, "status");
        json_status_put(&w, status, oldest_seq);
        json_status_put_numbers(&w, &status->counters, table);
        return end_line(&w, ret_line);
}

int json_encoder_missed(JsonEncoder *e, const JsonEnvelope *env, uint64_t first_seq, Text *ret_line) {
        Loss loss = { .cause = LOSS_SLOW_CLIENT, .count = env->seq - first_seq + 1 };
        JsonWriter w;

        begin_client_line(e, &w, env);
        put_type(&w, "lost");
        put_loss(&w, &loss, 0);
        json_member_u64(&w, "first_seq", first_seq);
        json_member_u64(&w, "last_seq", env->seq);
        return end_line(&w, ret_line);
}

int json_encoder_reply(JsonEncoder *e, const JsonEnvelope *env, const JsonReply *reply, Text *ret_line) {
        JsonWriter w;

        begin_client_line(e, &w, env);
        put_type(&w, "reply");
        json_member_string(&w, "op", reply->op);
        json_member_bool_if(&w, true, "ok", !reply->error_name);
        if (reply->error_name) {
                json_writer_key(&w, "error");
                json_writer_begin_object(&w);
                json_member_string(&w, "name", reply->error_name);
                json_member_string(&w, "message", reply->error_message);
                json_writer_end_object(&w);
        }
        json_member_u64_if(&w, reply->has_totals, "rulesets", reply->n_rulesets);
        json_member_u64_if(&w, reply->has_totals, "domains", reply->n_domains);
        json_member_u64_if(&w, reply->has_totals, "processes", reply->n_processes);
        json_member_u64_if(&w, reply->has_totals, "denials", reply->n_denials);
        return end_line(&w, ret_line);
}

/* ---- lines of a snapshot ---- */

static void put_snapshot(JsonWriter *w) {
        json_writer_raw(w, "\"snapshot\":true", strlen("\"snapshot\":true"));
}

int json_encoder_ruleset(JsonEncoder *e, const JsonEnvelope *env, const Ruleset *ruleset, uint64_t *version,
                         Text *ret_line) {
        JsonWriter w;

        begin_client_line(e, &w, env);
        put_type(&w, "ruleset");
        put_snapshot(&w);
        json_ruleset_put(&w, ruleset, NULL);
        json_rules_put(&w, ruleset, RULESET_LINE_SIZE - strlen("]}\n"), version);
        return end_line(&w, ret_line);
}

int json_encoder_domain(JsonEncoder *e, const JsonEnvelope *env, const Domain *domain, Text *ret_line) {
        JsonWriter w;

        begin_client_line(e, &w, env);
        put_type(&w, "domain");
        put_snapshot(&w);
        put_domain(e, &w, domain, NULL);
        return end_line(&w, ret_line);
}

int json_encoder_process(JsonEncoder *e, const JsonEnvelope *env, const Process *process, Text *ret_line) {
        JsonWriter w;

        begin_client_line(e, &w, env);
        put_type(&w, "process");
        put_snapshot(&w);
        put_process(e, &w, process, NULL);
        return end_line(&w, ret_line);
}

static int encode_denial(JsonEncoder *e, const JsonEnvelope *env, const Denial *denial, Text *ret_line) {
        JsonEnvelope own = { .seq = env->seq, .time_usec = denial->time_usec, .id = env->id };
        JsonWriter w;

        begin_client_line(e, &w, &own);
        put_type(&w, "denial");
        put_snapshot(&w);
        put_denial(e, &w, denial);
        return end_line(&w, ret_line);
}

int json_encoder_denial(JsonEncoder *e, const JsonEnvelope *env, const Denial *denial, Text *ret_line) {
        int r = encode_denial(e, env, denial, ret_line);

        if (r == -EMSGSIZE) {
                Denial s = shortened(denial);

                r = encode_denial(e, env, &s, ret_line);
        }
        return r;
}

/* ---- what filters ask of an event ---- */

int json_event_type_from_name(Text name, EventType *ret) {
        static const Text names[EVENT_TYPE_MAX] = {
                [EVENT_TYPE_RULESET] = TEXT_LITERAL("ruleset"),
                [EVENT_TYPE_DOMAIN] = TEXT_LITERAL("domain"),
                [EVENT_TYPE_PROCESS] = TEXT_LITERAL("process"),
                [EVENT_TYPE_DENIAL] = TEXT_LITERAL("denial"),
                [EVENT_TYPE_LOST] = TEXT_LITERAL("lost"),
                [EVENT_TYPE_RECONCILED] = TEXT_LITERAL("reconciled"),
        };

        for (EventType type = 0; type < EVENT_TYPE_MAX; type++)
                if (text_equal(name, names[type])) {
                        *ret = type;
                        return 0;
                }
        return -EINVAL;
}

EventMeta json_event_denial_meta(const Denial *d) {
        return (EventMeta) {
                .type = EVENT_TYPE_DENIAL,
                .domain = d->domain,
                .blockers = d->blockers.known | (text_known(d->blockers.other) ? EVENT_BLOCKER_OTHER : 0),
        };
}

EventMeta json_event_meta(const Change *change) {
        EventMeta meta = { .type = changes[change->type].type };

        if (meta.type == EVENT_TYPE_DENIAL)
                return json_event_denial_meta(change->denial);
        if (change->domain)
                meta.domain = change->domain->id;
        return meta;
}
