/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/state-line.h"

#include <errno.h>
#include <stdlib.h>

StateLine *state_line_new(void) {
        return malloc(sizeof(StateLine));
}

StateLine *state_line_free(StateLine *line) {
        free(line);
        return NULL;
}

/* ---- words ---- */

static bool read_state(JsonReader *r, void *value) {
        Text text;

        if (!json_reader_text(r, &text))
                return false;
        for (DomainState state = DOMAIN_ALLOCATED; state <= DOMAIN_DEALLOCATED; state++)
                if (text_equal(text, text_from_string(domain_state_to_string(state)))) {
                        *(DomainState *) value = state;
                        return true;
                }
        return false;
}

static bool read_mode(JsonReader *r, void *value) {
        Text text;

        if (!json_reader_text(r, &text) || !text_equal(text, text_from_string(domain_mode_to_string(DOMAIN_MODE_ENFORCING))))
                return false;
        *(DomainMode *) value = DOMAIN_MODE_ENFORCING;
        return true;
}

static bool read_attribution(JsonReader *r, void *value) {
        Text text;

        return json_reader_text(r, &text) && attribution_from_name(text, value) >= 0;
}

static bool read_rule_kind(JsonReader *r, void *value) {
        Text text;

        if (!json_reader_text(r, &text))
                return false;
        for (RuleKind kind = RULE_PATH_BENEATH; kind <= RULE_NET_PORT; kind++)
                if (text_equal(text, text_from_string(rule_kind_to_string(kind)))) {
                        *(RuleKind *) value = kind;
                        return true;
                }
        return false;
}

bool state_read_origins(JsonReader *r, void *value) {
        unsigned origin;
        Text text;

        json_reader_begin_array(r);
        while (json_reader_next_element(r)) {
                if (!json_reader_text(r, &text) || origin_from_name(text, &origin) < 0)
                        return false;
                *(unsigned *) value |= origin;
        }
        return !r->failed;
}

/* What was lost of the state is of no origin. */
static bool read_source(JsonReader *r, void *value) {
        Text text;

        return json_reader_text(r, &text) && (text_is(text, "state") || origin_from_name(text, value) >= 0);
}

/* ---- ruleset ---- */

static bool read_rights(JsonReader *r, AccessClass class, uint64_t *bits) {
        uint64_t bit;
        Text name;

        json_reader_begin_array(r);
        while (json_reader_next_element(r)) {
                if (!json_reader_text(r, &name) || access_from_name(class, name, &bit) < 0)
                        return false;
                *bits |= bit;
        }
        return !r->failed;
}

static bool read_fs(JsonReader *r, void *handled) {
        return read_rights(r, ACCESS_FS, &((AccessRights *) handled)->bits[ACCESS_FS]);
}

static bool read_net(JsonReader *r, void *handled) {
        return read_rights(r, ACCESS_NET, &((AccessRights *) handled)->bits[ACCESS_NET]);
}

static bool read_scope(JsonReader *r, void *handled) {
        return read_rights(r, ACCESS_SCOPE, &((AccessRights *) handled)->bits[ACCESS_SCOPE]);
}

static bool read_handled(JsonReader *r, void *handled) {
        static const JsonField fields[] = {
                JSON_FIELD_WHOLE("fs", read_fs),
                JSON_FIELD_WHOLE("net", read_net),
                JSON_FIELD_WHOLE("scope", read_scope),
        };

        return json_reader_fields(r, fields, ARRAY_SIZE(fields), handled);
}

/* The kind comes before the rights, which have their names by it. */
static bool read_access(JsonReader *r, void *value) {
        Rule *rule = value;

        return read_rights(r, rule_access_class(rule), &rule->access);
}

static bool read_rules(JsonReader *r, void *value) {
        static const JsonField fields[] = {
                JSON_FIELD("version", Rule, json_reader_u64, version),
                JSON_FIELD("kind", Rule, read_rule_kind, kind),
                JSON_FIELD_WHOLE("access", read_access),
                JSON_FIELD("path", Rule, json_reader_text, path),
                JSON_FIELD("dev_number", Rule, json_reader_dev_number, dev_major),
                JSON_FIELD("ino", Rule, json_reader_u64, ino),
                JSON_FIELD("port", Rule, json_reader_u64, port),
        };
        StateLine *line = value;

        json_reader_begin_array(r);
        while (json_reader_next_element(r)) {
                if (line->ruleset.n_rules == STATE_RULES_MAX)
                        return false;
                Rule *rule = &line->rules[line->ruleset.n_rules++];

                *rule = (Rule) {};
                if (!json_reader_fields(r, fields, ARRAY_SIZE(fields), rule) || rule->version == 0)
                        return false;
        }
        return !r->failed;
}

static bool read_ruleset_creator(JsonReader *r, void *value) {
        static const JsonField fields[] = {
                JSON_FIELD_IF("tid", Ruleset, json_reader_i64, creator_tid, has_creator_tid),
        };

        return json_reader_fields(r, fields, ARRAY_SIZE(fields), value);
}

static bool ruleset_field(JsonReader *r, Text name, StateLine *line) {
        static const JsonField fields[] = {
                JSON_FIELD("ruleset", StateLine, json_reader_hex, ruleset.id),
                JSON_FIELD("change", StateLine, json_reader_text, change),
                JSON_FIELD("version", StateLine, json_reader_u64, ruleset.version),
                JSON_FIELD("creator", StateLine, read_ruleset_creator, ruleset),
                JSON_FIELD("created", StateLine, json_reader_time, ruleset.created_usec),
                JSON_FIELD_IF("handled", StateLine, read_handled, ruleset.handled, ruleset.has_handled),
                JSON_FIELD("freed", StateLine, json_reader_bool, ruleset.freed),
                JSON_FIELD_WHOLE("rules", read_rules),
        };

        return json_reader_field(r, fields, ARRAY_SIZE(fields), name, line);
}

/* ---- domain ---- */

static bool read_outermost(JsonReader *r, void *value) {
        Domain *domain = value;

        domain->parent_id = 0;
        return json_reader_bool(r, &domain->has_parent);
}

static bool read_creator(JsonReader *r, void *value) {
        static const JsonField fields[] = {
                JSON_FIELD_IF("pid", Domain, json_reader_i64, creator_pid, has_creator_pid),
                JSON_FIELD_IF("tid", Domain, json_reader_i64, creator_tid, has_creator_tid),
                JSON_FIELD_IF("uid", Domain, json_reader_i64, creator_uid, has_creator_uid),
                JSON_FIELD("comm", Domain, json_reader_text, creator_comm),
                JSON_FIELD("exe", Domain, json_reader_text, creator_exe),
        };

        return json_reader_fields(r, fields, ARRAY_SIZE(fields), value);
}

static bool read_domain_ruleset(JsonReader *r, void *value) {
        static const JsonField fields[] = {
                JSON_FIELD_IF("id", StateLine, json_reader_hex, domain.ruleset_id, domain.has_ruleset),
                JSON_FIELD("version", StateLine, json_reader_u64, domain.ruleset_version),
                JSON_FIELD("rules", StateLine, json_reader_u64, n_rules),
        };

        return json_reader_fields(r, fields, ARRAY_SIZE(fields), value);
}

static bool read_enforcement(JsonReader *r, void *value) {
        static const JsonField fields[] = {
                JSON_FIELD("process_wide", Domain, json_reader_bool, process_wide),
                JSON_FIELD("no_new_privs", Domain, json_reader_bool, no_new_privs),
        };

        return json_reader_fields(r, fields, ARRAY_SIZE(fields), value);
}

static bool read_counts(JsonReader *r, void *value) {
        static const JsonField fields[] = {
                JSON_FIELD("seen", Domain, json_reader_u64, n_denials),
                JSON_FIELD_IF("kernel", Domain, json_reader_u64, n_denials_kernel, has_n_denials_kernel),
        };

        return json_reader_fields(r, fields, ARRAY_SIZE(fields), value);
}

static bool read_blocked(JsonReader *r, void *value) {
        Domain *domain = value;
        Text name;

        json_reader_begin_object(r);
        while (json_reader_next_member(r, &name)) {
                uint64_t n;
                Blocker blocker;

                if (!json_reader_u64(r, &n))
                        return false;
                if (text_is(name, "other"))
                        domain->n_blocked_other = n;
                else if (blocker_from_name(name, &blocker) >= 0)
                        domain->n_blocked[blocker] = n;
                else /* a later version's */
                        domain->n_blocked_other += n;
        }
        return !r->failed;
}

static bool domain_field(JsonReader *r, Text name, StateLine *line) {
        static const JsonField fields[] = {
                JSON_FIELD("domain", StateLine, json_reader_hex, domain.id),
                JSON_FIELD("state", StateLine, read_state, domain.state),
                JSON_FIELD("change", StateLine, json_reader_text, change),
                JSON_FIELD("mode", StateLine, read_mode, domain.mode),
                JSON_FIELD("label", StateLine, json_reader_text, domain.label),
                JSON_FIELD_IF("parent", StateLine, json_reader_hex, domain.parent_id, domain.has_parent),
                JSON_FIELD("outermost", StateLine, read_outermost, domain),
                JSON_FIELD("creator", StateLine, read_creator, domain),
                JSON_FIELD_WHOLE("ruleset", read_domain_ruleset),
                JSON_FIELD_IF("handled", StateLine, read_handled, domain.handled, domain.has_handled),
                JSON_FIELD_IF("enforcement", StateLine, read_enforcement, domain, domain.has_enforcement),
                JSON_FIELD("created", StateLine, json_reader_time, domain.created_usec),
                JSON_FIELD("first_seen", StateLine, json_reader_time, domain.first_seen_usec),
                JSON_FIELD("last_seen", StateLine, json_reader_time, domain.last_seen_usec),
                JSON_FIELD("freed", StateLine, json_reader_time, domain.freed_usec),
                JSON_FIELD("denials", StateLine, read_counts, domain),
                JSON_FIELD("blockers", StateLine, read_blocked, domain),
                JSON_FIELD("origin", StateLine, state_read_origins, domain.origins),
        };

        return json_reader_field(r, fields, ARRAY_SIZE(fields), name, line);
}

static bool process_field(JsonReader *r, Text name, StateLine *line) {
        static const JsonField fields[] = {
                JSON_FIELD("domain", StateLine, json_reader_hex, domain.id),
                JSON_FIELD("change", StateLine, json_reader_text, change),
                JSON_FIELD("pid", StateLine, json_reader_i64, process.pid),
                JSON_FIELD_IF("uid", StateLine, json_reader_i64, process.uid, process.has_uid),
                JSON_FIELD("comm", StateLine, json_reader_text, process.comm),
                JSON_FIELD("exe", StateLine, json_reader_text, process.exe),
                JSON_FIELD("known", StateLine, read_attribution, process.attribution),
                JSON_FIELD("threads", StateLine, json_reader_u64, n_threads),
                JSON_FIELD("first_seen", StateLine, json_reader_time, process.first_seen_usec),
                JSON_FIELD("last_seen", StateLine, json_reader_time, process.last_seen_usec),
        };

        return json_reader_field(r, fields, ARRAY_SIZE(fields), name, line);
}

/* ---- other lines ---- */

static bool read_cause(JsonReader *r, void *value) {
        /* What is lost to a client alone is in no log. */
        static const Text causes[] = {
                [LOSS_SOCKET_OVERFLOW] = TEXT_LITERAL("socket-overflow"),
                [LOSS_SERIAL_GAP] = TEXT_LITERAL("serial-gap"),
                [LOSS_KERNEL_BACKLOG] = TEXT_LITERAL("kernel-backlog"),
                [LOSS_TRACE_OVERRUN] = TEXT_LITERAL("trace-overrun"),
                [LOSS_TRACING_OFF] = TEXT_LITERAL("tracing-off"),
                [LOSS_RESTART] = TEXT_LITERAL("restart"),
        };
        Text text;

        if (!json_reader_text(r, &text))
                return false;
        for (LossCause cause = 0; cause < ARRAY_SIZE(causes); cause++)
                if (text_equal(text, causes[cause])) {
                        *(LossCause *) value = cause;
                        return true;
                }
        return false;
}

static bool lost_field(JsonReader *r, Text name, StateLine *line) {
        static const JsonField fields[] = {
                JSON_FIELD("source", StateLine, read_source, origins),
                JSON_FIELD("cause", StateLine, read_cause, loss.cause),
                JSON_FIELD("count", StateLine, json_reader_u64, loss.count),
                JSON_FIELD("since", StateLine, json_reader_time, loss.since_usec),
                JSON_FIELD("until", StateLine, json_reader_time, loss.until_usec),
        };

        return json_reader_field(r, fields, ARRAY_SIZE(fields), name, line);
}

static bool checkpoint_field(JsonReader *r, Text name, StateLine *line) {
        static const JsonField fields[] = {
                JSON_FIELD("counted_since", StateLine, json_reader_time, begun_usec),
                JSON_FIELD("next_denial", StateLine, json_reader_u64, next_denial),
        };

        return json_reader_field(r, fields, ARRAY_SIZE(fields), name, line);
}

static bool end_field(JsonReader *r, Text name, StateLine *line) {
        static const JsonField fields[] = {
                JSON_FIELD("lines", StateLine, json_reader_u64, n_lines),
                JSON_FIELD("checksum", StateLine, json_reader_hex, checksum),
        };

        return json_reader_field(r, fields, ARRAY_SIZE(fields), name, line);
}

static bool no_field(JsonReader *r _unused_, Text name _unused_, StateLine *line _unused_) {
        return false;
}

static const struct {
        Text name;
        bool (*field)(JsonReader *r, Text name, StateLine *line);
} types[] = {
        [STATE_LINE_RULESET] = { TEXT_LITERAL("ruleset"), ruleset_field },
        [STATE_LINE_DOMAIN] = { TEXT_LITERAL("domain"), domain_field },
        [STATE_LINE_PROCESS] = { TEXT_LITERAL("process"), process_field },
        [STATE_LINE_DENIAL] = { TEXT_LITERAL("denial"), state_denial_field },
        [STATE_LINE_LOST] = { TEXT_LITERAL("lost"), lost_field },
        [STATE_LINE_CHECKPOINT] = { TEXT_LITERAL("checkpoint"), checkpoint_field },
        [STATE_LINE_END] = { TEXT_LITERAL("end"), end_field },
        [STATE_LINE_OTHER] = { TEXT_LITERAL(""), no_field },
};

/* ---- the line ---- */

static bool read_type(JsonReader *r, void *value) {
        StateLineType *type = value;
        Text text;

        if (!json_reader_text(r, &text))
                return false;
        for (*type = 0; *type < STATE_LINE_OTHER; (*type)++)
                if (text_equal(text, types[*type].name))
                        break;
        return true;
}

/* What every line begins with, down to its type. */
static bool common_field(JsonReader *r, Text name, StateLine *line) {
        static const JsonField fields[] = {
                JSON_FIELD("seq", StateLine, json_reader_u64, seq),
                JSON_FIELD("time", StateLine, json_reader_time, time_usec),
                JSON_FIELD("boot_id", StateLine, json_reader_text, boot_id),
                JSON_FIELD("machine_id", StateLine, json_reader_text, machine_id),
                JSON_FIELD("node", StateLine, json_reader_text, node),
                JSON_FIELD_IF("type", StateLine, read_type, type, has_type),
                JSON_FIELD("snapshot", StateLine, json_reader_bool, snapshot),
        };

        return json_reader_field(r, fields, ARRAY_SIZE(fields), name, line);
}

static bool is_complete(const StateLine *line) {
        if (!line->has_type || line->seq > UINT64_MAX / 2)
                return false;
        switch (line->type) {
        case STATE_LINE_RULESET:
                return line->ruleset.id != 0;
        case STATE_LINE_DOMAIN:
                return line->domain.id != 0;
        case STATE_LINE_PROCESS:
                return line->domain.id != 0 && line->process.pid > 0;
        case STATE_LINE_DENIAL:
                return line->denial.domain != 0 && line->denial.seq != 0 && line->denial.seq < UINT64_MAX / 2;
        case STATE_LINE_CHECKPOINT:
                return line->begun_usec != 0 && line->next_denial != 0 && line->next_denial < UINT64_MAX / 2;
        case STATE_LINE_LOST:
        case STATE_LINE_END:
        case STATE_LINE_OTHER:
                break;
        }
        return true;
}

static void clear(StateLine *line) {
        /* All but the arrays, of which only so much is read as was written. */
        memset(line, 0, offsetof(StateLine, rules));
        line->type = STATE_LINE_OTHER;
        line->ruleset.rules = line->rules;
        line->denial.paths = line->paths;
}

int state_line_parse(StateLine *ret, Text line) {
        JsonReader r;
        Text name;

        clear(ret);
        if (line.len == 0 || line.len > EVENT_LOG_LINE_MAX || line.data[line.len - 1] != '\n')
                return -EBADMSG;
        line.len--;

        json_reader_init(&r, line, ret->texts);
        json_reader_begin_object(&r);
        while (json_reader_next_member(&r, &name))
                if (!(ret->has_type && types[ret->type].field(&r, name, ret)) && !r.failed &&
                    !common_field(&r, name, ret) && !r.failed)
                        json_reader_skip(&r);
        if (!json_reader_done(&r) || !is_complete(ret))
                return -EBADMSG;
        ret->denial.time_usec = ret->time_usec;
        return 0;
}
