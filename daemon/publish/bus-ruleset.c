/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-ruleset.h"

#include "base/host.h"

/* Of one domain or ruleset; RulesCount tells of the others. */
#define RULES_MAX 1024
#define RULES_BYTES_MAX (BUS_ANSWER_BYTES_MAX / 2)

/* Keys, numbers and padding of a rule, and the name of a right: well above what they come to. */
#define RULE_FIXED_BYTES 512
#define RIGHT_BYTES (ACCESS_NAME_SIZE + 16)

int bus_append_rights(sd_bus_message *m, AccessClass class, uint64_t bits) {
        char buffer[ACCESS_NAME_SIZE];
        int r;

        r = sd_bus_message_open_container(m, 'a', "s");
        while (r >= 0 && bits)
                r = bus_append_text(m, access_next_name(class, &bits, buffer));
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static size_t rights_bytes(uint64_t bits) {
        return (size_t) __builtin_popcountll(bits) * RIGHT_BYTES;
}

size_t bus_rights_bytes(const AccessRights *rights) {
        size_t n = 0;

        for (AccessClass class = 0; class < ACCESS_CLASS_MAX; class++)
                n += rights_bytes(rights->bits[class]);
        return n;
}

static int append_rights_entry(sd_bus_message *m, const char *key, AccessClass class, uint64_t bits) {
        int r;

        r = bus_open_entry(m, key, "as");
        if (r >= 0)
                r = bus_append_rights(m, class, bits);
        if (r < 0)
                return r;
        return bus_close_entry(m);
}

static int append_path_entries(sd_bus_message *m, const Rule *rule) {
        int r = text_known(rule->path) ? bus_append_text_entry(m, "path", rule->path) : 0;

        if (r >= 0)
                r = bus_append_dev_number_entry(m, rule->dev_major, rule->dev_minor);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "ino", "t", rule->ino);
        return r;
}

static int append_rule(sd_bus_message *m, const Rule *rule) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(
                                m, "{sv}{sv}", "version", "t", rule->version, "kind", "s",
                                rule_kind_to_string(rule->kind));
        if (r >= 0)
                r = append_rights_entry(m, "access", rule_access_class(rule), rule->access);
        if (r >= 0 && rule->kind == RULE_PATH_BENEATH)
                r = append_path_entries(m, rule);
        if (r >= 0 && rule->kind == RULE_NET_PORT)
                r = sd_bus_message_append(m, "{sv}", "port", "t", rule->port);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

int bus_append_rules(sd_bus_message *m, const Ruleset *ruleset, size_t n_rules) {
        BusRoom room = { RULES_MAX, RULES_BYTES_MAX };
        int r;

        r = sd_bus_message_open_container(m, 'a', "a{sv}");
        for (size_t i = 0; r >= 0 && i < n_rules; i++) {
                const Rule *rule = &ruleset->rules[i];

                if (!bus_room_take(&room, RULE_FIXED_BYTES + rights_bytes(rule->access) + bus_text_bytes(rule->path)))
                        break;
                r = append_rule(m, rule);
        }
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static int append_handled_entries(sd_bus_message *m, const AccessRights *handled) {
        int r;

        r = append_rights_entry(m, "HandledAccessFS", ACCESS_FS, handled->bits[ACCESS_FS]);
        if (r >= 0)
                r = append_rights_entry(m, "HandledAccessNet", ACCESS_NET, handled->bits[ACCESS_NET]);
        if (r >= 0)
                r = append_rights_entry(m, "Scoped", ACCESS_SCOPE, handled->bits[ACCESS_SCOPE]);
        return r;
}

static int append_rules_entry(sd_bus_message *m, const Ruleset *ruleset) {
        int r;

        r = bus_open_entry(m, "Rules", "aa{sv}");
        if (r >= 0)
                r = bus_append_rules(m, ruleset, ruleset->n_rules);
        if (r < 0)
                return r;
        return bus_close_entry(m);
}

static int append_members(sd_bus_message *m, const BusView *view, const Ruleset *ruleset) {
        char hex[DOMAIN_ID_TEXT_SIZE];
        int r;

        host_format_domain(ruleset->id, hex);
        r = sd_bus_message_append(m, "{sv}{sv}", "Ruleset", "s", hex, "RulesetVersion", "t", ruleset->version);
        /* Whose thread that was nobody tells. */
        if (r >= 0 && ruleset->has_creator_tid && bus_caller_sees_all(view->caller))
                r = sd_bus_message_append(m, "{sv}", "CreatorTID", "u", (uint32_t) ruleset->creator_tid);
        if (r >= 0 && ruleset->created_usec > 0)
                r = sd_bus_message_append(m, "{sv}", "Created", "t", ruleset->created_usec);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "Freed", "b", ruleset->freed);
        if (r >= 0 && ruleset->has_handled)
                r = append_handled_entries(m, &ruleset->handled);
        if (r >= 0)
                r = append_rules_entry(m, ruleset);
        if (r >= 0)
                r = sd_bus_message_append(
                                m, "{sv}{sv}{sv}", "RulesCount", "t", (uint64_t) ruleset->n_rules, "RulesUnknown", "t",
                                ruleset_n_unknown_rules(ruleset, ruleset->version), "DomainsCount", "t",
                                (uint64_t) bus_caller_count_made_from(view->caller, view->table, ruleset));
        return r;
}

int bus_append_ruleset(sd_bus_message *m, const BusView *view, const Ruleset *ruleset) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = append_members(m, view, ruleset);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}
