/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an earlier landlockd is supposed to have left: lines of a checkpoint or of events, or a spool. The input's first byte
 * says which. What is damaged is refused by its sum before it is looked at; here the sums are right, and all else may be
 * wrong. Whatever was read, the table can be told in JSON. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/macros.h"
#include "fuzz.h"
#include "model/domain-table-restore.h"
#include "publish/json-snapshot.h"
#include "publish/state-line.h"

#define N_BYTES EVENT_LOG_LINE_MAX
#define N_ENTRIES 16

static const Host host = { .has_boot_id = true, .boot_id = "5f0c1a2e-0b8e-4f6d-9d1a-2c3b4a596877" };

static void restore_line(DomainTable *table, StateLine *line, RestoreFrom from) {
        switch (line->type) {
        case STATE_LINE_RULESET:
                domain_table_restore_ruleset(table, &line->ruleset, from);
                break;
        case STATE_LINE_DOMAIN:
                if (text_is(line->change, "evicted"))
                        domain_table_restore_eviction(table, line->domain.id);
                else
                        domain_table_restore_domain(table, &line->domain, from);
                break;
        case STATE_LINE_PROCESS:
                if (text_is(line->change, "gone"))
                        domain_table_restore_process_gone(table, line->domain.id, line->process.pid);
                else
                        domain_table_restore_process(table, line->domain.id, &line->process, line->n_threads, from);
                break;
        case STATE_LINE_DENIAL:
                domain_table_restore_denial(table, &line->denial, from);
                break;
        default:
                break;
        }
}

static void tell(DomainTable *table) {
        static JsonEncoder encoder;
        const EventFilter everything = EVENT_FILTER_EVERYTHING;
        JsonSnapshot *snapshot;
        Text line;

        json_encoder_init(&encoder, &host);
        if (json_snapshot_new(&snapshot, table, 1, TEXT_NULL) < 0)
                abort();
        while (json_snapshot_next(snapshot, &encoder, table, &everything, 1, &line) != 0)
                ;
        json_snapshot_free(snapshot);
}

static void read_lines(Text text) {
        static const DomainTableLimits limits = { .n_domains = 8, .n_denials = 8, .n_processes = 8, .n_threads = 8,
                                                  .n_rulesets = 4, .n_rules = 16 };
        _cleanup_(state_line_freep) StateLine *line = state_line_new();
        RestoreFrom from = RESTORE_FROM_LIST;
        Counters counters = {};
        DomainTable table;

        if (!line || domain_table_init(&table, &limits, &counters) < 0)
                abort();
        domain_table_restore_begin(&table);
        while (text.len > 0) {
                const char *end = memchr(text.data, '\n', text.len);
                size_t len = end ? (size_t) (end - text.data) + 1 : text.len;

                if (state_line_parse(line, (Text) { text.data, len }) >= 0) {
                        if (line->type == STATE_LINE_END) {
                                domain_table_restore_list_end(&table);
                                from = RESTORE_FROM_EVENT;
                        }
                        restore_line(&table, line, from == RESTORE_FROM_LIST && !line->snapshot ? RESTORE_WITHIN_LIST : from);
                }
                text = (Text) { text.data + len, text.len - len };
        }
        domain_table_restore_list_end(&table);
        domain_table_restore_end(&table);
        tell(&table);
        domain_table_done(&table);
}

/* A log into which the input was put, where it is not sums; it goes on, or is refused. */
static void read_spool(const uint8_t *data, size_t size) {
        const size_t total = event_log_size(N_BYTES, N_ENTRIES);
        void *block = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        const EventMeta meta = { .type = EVENT_TYPE_LOST };
        EventLog log, again;

        if (block == MAP_FAILED)
                abort();
        event_log_begin(&log, block, N_BYTES, N_ENTRIES, "", 1);
        for (unsigned i = 0; i < 20; i++)
                event_log_append(&log, &meta, TEXT_LITERAL("{\"v\":1}\n"));
        /* Each five bytes: where, and what. */
        for (; size >= 5; data += 5, size -= 5) {
                uint32_t at;

                memcpy(&at, data, sizeof(at));
                ((uint8_t *) block)[at % total] = data[4];
        }

        if (event_log_open(&again, block, total, "") < 0) {
                munmap(block, total);
                return;
        }
        for (uint64_t seq = again.oldest_seq; seq < again.next_seq; seq++) {
                Text line = event_log_line(&again, event_log_get(&again, seq));

                assert(line.len > 0 && line.data >= again.bytes && line.data + line.len <= again.bytes + again.n_bytes);
        }
        for (unsigned i = 0; i < 40; i++)
                event_log_append(&again, &meta, TEXT_LITERAL("{\"v\":1}\n"));
        event_log_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = NULL;

        if (size == 0)
                return 0;
        if (data[0] == 's') {
                read_spool(data + 1, size - 1);
                return 0;
        }
        /* A block of its own: the byte after it is another's. */
        text = malloc(size);
        assert(text);
        memcpy(text, data + 1, size - 1);
        read_lines((Text) { text, size - 1 });
        return 0;
}
