/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/json-domain.h"

#include "publish/json-member.h"
#include "publish/json-ruleset.h"

static void put_parent(JsonWriter *w, const Domain *d) {
        if (!d->has_parent)
                return;
        if (d->parent_id > 0)
                json_member_hex(w, "parent", d->parent_id);
        else
                json_member_bool_if(w, true, "outermost", true);
}

static void put_creator(JsonWriter *w, const Domain *d) {
        JsonWriterMark mark = json_writer_begin_optional(w, "creator");

        json_member_i64_if(w, d->has_creator_pid, "pid", d->creator_pid);
        json_member_i64_if(w, d->has_creator_tid, "tid", d->creator_tid);
        json_member_i64_if(w, d->has_creator_uid, "uid", d->creator_uid);
        json_member_text(w, "comm", d->creator_comm);
        json_member_text(w, "exe", d->creator_exe);
        json_writer_end_optional(w, mark);
}

/* Which rules those are is told by the ruleset's own lines. */
static void put_ruleset(JsonWriter *w, const Domain *d) {
        size_t n_rules = d->ruleset ? ruleset_n_rules(d->ruleset, d->ruleset_version) : 0;

        if (d->has_ruleset) {
                json_writer_key(w, "ruleset");
                json_writer_begin_object(w);
                json_member_hex(w, "id", d->ruleset_id);
                json_member_u64(w, "version", d->ruleset_version);
                json_member_u64(w, "rules", n_rules);
                json_member_u64(w, "rules_unknown", d->ruleset_version - n_rules);
                json_writer_end_object(w);
        }
        if (domain_handled(d))
                json_handled_put(w, domain_handled(d));
}

static void put_enforcement(JsonWriter *w, const Domain *d) {
        if (!d->has_enforcement)
                return;
        json_writer_key(w, "enforcement");
        json_writer_begin_object(w);
        json_member_bool_if(w, true, "process_wide", d->process_wide);
        json_member_bool_if(w, true, "no_new_privs", d->no_new_privs);
        json_writer_end_object(w);
}

static void put_counts(JsonWriter *w, const Domain *d) {
        JsonWriterMark mark;

        json_writer_key(w, "denials");
        json_writer_begin_object(w);
        json_member_u64(w, "seen", d->n_denials);
        json_member_u64_if(w, d->has_n_denials_kernel, "kernel", d->n_denials_kernel);
        json_member_u64_if(w, domain_denials_settled(d), "unseen", domain_denials_unseen(d));
        json_writer_end_object(w);

        mark = json_writer_begin_optional(w, "blockers");
        for (Blocker b = 0; b < BLOCKER_MAX; b++)
                if (d->n_blocked[b] > 0) {
                        json_writer_key_text(w, blocker_name(b));
                        json_writer_u64(w, d->n_blocked[b]);
                }
        json_member_u64_if(w, d->n_blocked_other > 0, "other", d->n_blocked_other);
        json_writer_end_optional(w, mark);
}

void json_domain_put(JsonWriter *w, const Domain *d, const char *change) {
        json_member_string(w, "state", domain_state_to_string(d->state));
        json_member_string(w, "change", change);
        json_member_string(w, "mode", domain_mode_to_string(d->mode));
        json_member_text(w, "label", d->label);
        put_parent(w, d);
        put_creator(w, d);
        put_ruleset(w, d);
        put_enforcement(w, d);
        json_member_time(w, "created", d->created_usec);
        json_member_time(w, "first_seen", d->first_seen_usec);
        json_member_time(w, "last_seen", d->last_seen_usec);
        json_member_time(w, "freed", d->freed_usec);
        put_counts(w, d);
        json_member_u64(w, "processes_count", d->n_processes);
}

void json_process_put(JsonWriter *w, const Process *p, const char *change) {
        json_member_string(w, "change", change);
        json_member_i64_if(w, true, "pid", p->pid);
        json_member_i64_if(w, p->has_uid, "uid", p->uid);
        json_member_text(w, "comm", p->comm);
        json_member_text(w, "exe", p->exe);
        json_member_string(w, "known", attribution_to_string(p->attribution));
        json_member_u64_if(w, p->n_threads > 0, "threads", p->n_threads);
        json_member_time(w, "first_seen", p->first_seen_usec);
        json_member_time(w, "last_seen", p->last_seen_usec);
}
