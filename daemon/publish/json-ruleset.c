/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/json-ruleset.h"

#include "publish/json-member.h"

static void put_rights(JsonWriter *w, AccessClass class, uint64_t bits) {
        char buffer[ACCESS_NAME_SIZE];

        json_writer_begin_array(w);
        while (bits)
                json_writer_text(w, access_next_name(class, &bits, buffer));
        json_writer_end_array(w);
}

void json_handled_put(JsonWriter *w, const AccessRights *handled) {
        json_writer_key(w, "handled");
        json_writer_begin_object(w);
        json_writer_key(w, "fs");
        put_rights(w, ACCESS_FS, handled->bits[ACCESS_FS]);
        json_writer_key(w, "net");
        put_rights(w, ACCESS_NET, handled->bits[ACCESS_NET]);
        json_writer_key(w, "scope");
        put_rights(w, ACCESS_SCOPE, handled->bits[ACCESS_SCOPE]);
        json_writer_end_object(w);
}

void json_ruleset_put(JsonWriter *w, const Ruleset *r, const char *change) {
        JsonWriterMark mark;

        json_member_hex(w, "ruleset", r->id);
        json_member_string(w, "change", change);
        json_member_u64(w, "version", r->version);

        mark = json_writer_begin_optional(w, "creator");
        json_member_i64_if(w, r->has_creator_tid, "tid", r->creator_tid);
        json_writer_end_optional(w, mark);

        json_member_time(w, "created", r->created_usec);
        if (r->has_handled)
                json_handled_put(w, &r->handled);
        json_member_u64(w, "rules_total", r->version);
        json_member_u64(w, "rules_unknown", ruleset_n_unknown_rules(r, r->version));
        json_member_bool_if(w, r->freed, "freed", true);
}

static void put_object(JsonWriter *w, const Rule *rule) {
        switch (rule->kind) {
        case RULE_PATH_BENEATH:
                json_member_text(w, "path", rule->path);
                json_writer_key(w, "dev_number");
                json_writer_dev_number(w, rule->dev_major, rule->dev_minor);
                json_member_u64(w, "ino", rule->ino);
                break;
        case RULE_NET_PORT:
                json_member_u64(w, "port", rule->port);
                break;
        }
}

static void put_rule(JsonWriter *w, const Rule *rule) {
        json_writer_begin_object(w);
        json_member_u64(w, "version", rule->version);
        json_member_string(w, "kind", rule_kind_to_string(rule->kind));
        json_writer_key(w, "access");
        put_rights(w, rule_access_class(rule), rule->access);
        put_object(w, rule);
        json_writer_end_object(w);
}

void json_rule_put(JsonWriter *w, const Rule *rule) {
        json_writer_key(w, "rules");
        json_writer_begin_array(w);
        put_rule(w, rule);
        json_writer_end_array(w);
}

void json_rules_put(JsonWriter *w, const Ruleset *r, size_t size_max, uint64_t *version) {
        json_writer_key(w, "rules");
        json_writer_begin_array(w);
        for (size_t first = ruleset_n_rules(r, *version), i = first; i < r->n_rules; i++) {
                JsonWriterMark mark = json_writer_mark(w);

                put_rule(w, &r->rules[i]);
                if (i > first && (w->overflow || json_writer_result(w).len > size_max)) {
                        json_writer_return_to(w, mark);
                        break;
                }
                *version = r->rules[i].version;
        }
        json_writer_end_array(w);
}
