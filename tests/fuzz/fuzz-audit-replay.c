/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A whole log: lines, assembly, decoding, the table, and the JSON of every change, which must be JSON. (An inode may be
 * larger than the integers that jansson has.) */
#include <assert.h>
#include <jansson.h>

#include "base/macros.h"
#include "fuzz.h"
#include "model/domain-table.h"
#include "publish/json-event.h"
#include "source/audit-replay.h"

typedef struct Target {
        DomainTable table;
        JsonEncoder encoder;
        uint64_t seq;
} Target;

static void on_fact(void *userdata, const Fact *fact) {
        Target *target = userdata;
        Change changes[DOMAIN_TABLE_CHANGES_MAX];
        size_t n = domain_table_apply(&target->table, fact, changes);

        for (size_t i = 0; i < n; i++) {
                Text line;
                json_t *json;

                if (json_encoder_change(&target->encoder, &changes[i], ++target->seq, &line) < 0)
                        continue;
                json = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
                assert(json);
                json_decref(json);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const DomainTableLimits limits = { .n_domains = 16, .n_denials = 16, .n_processes = 16, .n_threads = 16 };
        static Target target;
        _cleanup_(audit_replay_freep) AuditReplay *replay = NULL;
        Counters counters = {};
        Host host = {};
        /* The first byte says how the input is cut, as a reader may cut it. */
        size_t step = size > 0 ? data[0] + 1 : 1;

        target = (Target) {};
        json_encoder_init(&target.encoder, &host);
        if (domain_table_init(&target.table, &limits, &counters) < 0 ||
            audit_replay_new(&replay, (FactSink) { .fn = on_fact, .userdata = &target }, &counters) < 0)
                abort();

        for (size_t i = 0; i < size; i += step)
                audit_replay_feed(replay, (const char *) data + i, MIN(step, size - i));
        audit_replay_end(replay);
        domain_table_done(&target.table);
        return 0;
}
