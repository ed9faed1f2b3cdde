/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/json-status.h"

#include "publish/json-member.h"

static void put_source(JsonWriter *w, const SourceStatus *source) {
        json_writer_begin_object(w);
        json_member_string(w, "name", source->name);
        json_member_string(w, "state", source_state_to_string(source->state));
        if (source->reason[0])
                json_member_string(w, "reason", source->reason);
        json_writer_end_object(w);
}

void json_status_put(JsonWriter *w, const Status *status, uint64_t oldest_seq) {
        JsonWriterMark mark;

        json_member_string(w, "version", status->version);
        json_member_time(w, "started", status->started_usec);

        mark = json_writer_begin_optional(w, "landlock");
        json_member_i64_if(w, status->landlock_abi >= 0, "abi", status->landlock_abi);
        json_member_i64_if(w, status->landlock_errata >= 0, "errata", status->landlock_errata);
        json_writer_end_optional(w, mark);

        json_writer_key(w, "sources");
        json_writer_begin_array(w);
        for (size_t i = 0; i < status->n_sources; i++)
                put_source(w, status->sources[i]);
        json_writer_end_array(w);

        json_member_time(w, "counted_since", status->counted_since_usec);
        json_member_u64(w, "oldest_seq", oldest_seq);
}

void json_status_put_numbers(JsonWriter *w, const Counters *counters, const DomainTable *table) {
        json_writer_key(w, "counters");
        json_writer_begin_object(w);
#define X(name, meaning) json_member_u64(w, #name, counters->name);
        COUNTERS(X)
#undef X
        json_writer_end_object(w);

        json_writer_key(w, "tables");
        json_writer_begin_object(w);
        json_member_u64(w, "domains_live", table->n_live);
        json_member_u64(w, "domains_freed", table->n_freed);
        json_member_u64(w, "denials", table->denials.n);
        json_member_u64(w, "processes", table->processes.n_processes);
        json_member_u64(w, "threads", table->processes.n_threads);
        json_member_u64(w, "rulesets", table->rulesets.n_rulesets);
        json_member_u64(w, "rules", table->rulesets.n_rules);
        json_writer_end_object(w);
}
