/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every line of NDJSON that landlockd publishes, and the only place that knows its members' names. They are
 * described to readers in doc/landlockd-event.schema.json. What is not known is absent; members are only ever added. */
#pragma once

#include "base/host.h"
#include "model/change.h"
#include "model/domain-table.h"
#include "model/status.h"
#include "publish/event-log.h"
#include "publish/json-writer.h"

/* With its newline. */
#define JSON_LINE_MAX EVENT_LOG_LINE_MAX

/* `"domain":"…","domain_uuid":"…"` of a domain: its UUID is a SHA-1, which costs as much as the rest of an event. */
typedef struct JsonDomainNames {
        uint64_t domain;
        size_t len; /* 0: free */
        char members[sizeof("\"domain\":\"\",\"domain_uuid\":\"\"") + DOMAIN_ID_TEXT_SIZE + UUID_TEXT_SIZE];
} JsonDomainNames;

#define JSON_DOMAIN_NAMES_MAX 256 /* a power of two */

/* Renders one line at a time. Owns nothing: no destructor. */
typedef struct JsonEncoder {
        const Host *host;
        size_t n_origin;
        char origin[192]; /* `"boot_id":"…","machine_id":"…"`; may be empty */
        JsonDomainNames names[JSON_DOMAIN_NAMES_MAX]; /* direct-mapped */
        char line[JSON_LINE_MAX];
} JsonEncoder;

/* Borrows the host for the encoder's life. */
void json_encoder_init(JsonEncoder *e, const Host *host);

/* What the lines have in common that are made for one client instead of being published to all. */
typedef struct JsonEnvelope {
        uint64_t seq; /* the last event that was published before */
        uint64_t time_usec;
        Text id; /* the request's, as JSON; TEXT_NULL if it had none or there was no request */
} JsonEnvelope;

typedef struct JsonReply {
        const char *op;         /* NULL if it was not understood */
        const char *error_name; /* NULL: ok */
        const char *error_message;
        bool has_totals; /* of a snapshot */
        uint64_t n_rulesets, n_domains, n_processes, n_denials;
} JsonReply;

/* Each of these gives one line with its newline, borrowed until the next call; -EMSGSIZE if it would be longer than
 * JSON_LINE_MAX. */

/* The event that is published as number `seq`. A denial that is too long goes without its paths: no path that a
 * sandboxed program chooses hides what it was denied. */
int json_encoder_change(JsonEncoder *e, const Change *change, uint64_t seq, Text *ret_line);

int json_encoder_hello(JsonEncoder *e, const JsonEnvelope *env, const Status *status, uint64_t oldest_seq,
                       Text *ret_line);
int json_encoder_status(JsonEncoder *e, const JsonEnvelope *env, const Status *status, uint64_t oldest_seq,
                        const DomainTable *table, Text *ret_line);
int json_encoder_reply(JsonEncoder *e, const JsonEnvelope *env, const JsonReply *reply, Text *ret_line);

/* Events first_seq to env->seq, which one client is not going to get any more. */
int json_encoder_missed(JsonEncoder *e, const JsonEnvelope *env, uint64_t first_seq, Text *ret_line);

/* The lines of a snapshot; a denial's has the denial's own time, a ruleset's as many of the rules after version
 * *version as fit into 32 KiB, and at least one; the last of them is the new *version, also on -EMSGSIZE. */
int json_encoder_ruleset(JsonEncoder *e, const JsonEnvelope *env, const Ruleset *ruleset, uint64_t *version,
                         Text *ret_line);
int json_encoder_domain(JsonEncoder *e, const JsonEnvelope *env, const Domain *domain, Text *ret_line);
int json_encoder_process(JsonEncoder *e, const JsonEnvelope *env, const Process *process, Text *ret_line);
int json_encoder_denial(JsonEncoder *e, const JsonEnvelope *env, const Denial *denial, Text *ret_line);

/* -EINVAL for what is no type of event that a client can subscribe to. */
int json_event_type_from_name(Text name, EventType *ret);

/* What a filter is matched against. */
EventMeta json_event_denial_meta(const Denial *denial);
EventMeta json_event_meta(const Change *change);
