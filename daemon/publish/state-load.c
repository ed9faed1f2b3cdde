/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/state-load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/checksum.h"
#include "base/macros.h"
#include "model/domain-table-restore.h"
#include "publish/state-line.h"
#include "publish/state-spool.h"

typedef struct Loader {
        int directory;
        const Host *host;
        const EventLog *log;
        DomainTable *table;
        StateLine *line;
        char *buffer;        /* of one line of the file */
        uint64_t next_event; /* to be applied */
        bool has_checkpoint;
        bool merges;         /* the events of the spool are those that the checkpoint's seq counts */
        StateLoad *result;
} Loader;

/* ---- one line ---- */

static bool is_of_this_boot(const Loader *loader) {
        return text_equal(loader->line->boot_id, text_from_string(loader->host->boot_id));
}

static int apply_line(Loader *loader, RestoreFrom from) {
        DomainTable *table = loader->table;
        StateLine *line = loader->line;

        switch (line->type) {
        case STATE_LINE_RULESET:
                return domain_table_restore_ruleset(table, &line->ruleset, from);
        case STATE_LINE_DOMAIN:
                if (!text_is(line->change, "evicted"))
                        return domain_table_restore_domain(table, &line->domain, from);
                domain_table_restore_eviction(table, line->domain.id);
                return 0;
        case STATE_LINE_PROCESS:
                if (!text_is(line->change, "gone"))
                        return domain_table_restore_process(table, line->domain.id, &line->process, line->n_threads, from);
                domain_table_restore_process_gone(table, line->domain.id, line->process.pid);
                return 0;
        case STATE_LINE_DENIAL:
                return domain_table_restore_denial(table, &line->denial, from);
        case STATE_LINE_LOST:
        case STATE_LINE_CHECKPOINT:
        case STATE_LINE_END:
        case STATE_LINE_OTHER:
                break;
        }
        return 0;
}

/* ---- the spool ---- */

/* A line that is there, and is of this boot. */
static bool parse_event(Loader *loader, uint64_t seq) {
        const EventLogEntry *entry = event_log_get(loader->log, seq);

        if (state_line_parse(loader->line, event_log_line(loader->log, entry)) < 0 || loader->line->seq != seq) {
                loader->result->n_bad_lines++;
                return false;
        }
        if (is_of_this_boot(loader))
                return true;
        /* The count of denials goes on over a boot, as that of events does. */
        if (loader->line->type == STATE_LINE_DENIAL)
                denial_log_skip(&loader->table->denials, loader->line->denial.seq + 1);
        return false;
}

/* Events up to one, which is included. */
static int apply_events(Loader *loader, uint64_t last, RestoreFrom from) {
        for (; loader->next_event <= last && loader->next_event < loader->log->next_seq; loader->next_event++) {
                int r;

                if (!parse_event(loader, loader->next_event))
                        continue;
                loader->result->found = true;
                loader->result->last_usec = MAX(loader->result->last_usec, loader->line->time_usec);
                r = apply_line(loader, from);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Of events that are in the checkpoint, the denials are listed in the spool only. */
static int list_denials(Loader *loader, uint64_t last) {
        for (uint64_t seq = loader->log->oldest_seq; seq <= last && seq < loader->log->next_seq; seq++) {
                int r;

                if (event_log_get(loader->log, seq)->meta.type != EVENT_TYPE_DENIAL || !parse_event(loader, seq))
                        continue;
                r = apply_line(loader, RESTORE_FROM_LIST);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- the checkpoint ---- */

/* The next line with its newline; false at the end, or where there is no line that a checkpoint can have. */
static bool read_line(Loader *loader, FILE *file, Text *ret) {
        size_t len;

        if (!fgets(loader->buffer, EVENT_LOG_LINE_MAX + 1, file))
                return false;
        /* A NUL in it, or no end, is nothing that we wrote: the checksum does not fit then. */
        len = strlen(loader->buffer);
        *ret = (Text) { loader->buffer, len };
        return len > 0;
}

/* Whether the last line has the count and the sum of those before it. */
static bool is_whole(Loader *loader, FILE *file) {
        uint64_t sum = 0, n = 0;
        Text line;

        while (read_line(loader, file, &line)) {
                if (!text_has_prefix(line, TEXT_LITERAL("{\"v\":1,\"type\":\"end\""))) {
                        sum = checksum_add(sum, line.data, line.len);
                        n++;
                        continue;
                }
                return state_line_parse(loader->line, line) >= 0 && loader->line->type == STATE_LINE_END &&
                       loader->line->n_lines == n && loader->line->checksum == sum && fgetc(file) == EOF;
        }
        return false;
}

static FILE *open_checkpoint(Loader *loader, int *ret_error) {
        int fd = openat(loader->directory, STATE_CHECKPOINT, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        struct stat st;
        FILE *file;

        *ret_error = fd >= 0 || errno == ENOENT ? 0 : -EBADMSG;
        if (fd < 0)
                return NULL;
        file = fstat(fd, &st) >= 0 && S_ISREG(st.st_mode) ? fdopen(fd, "r") : NULL;
        if (!file) {
                close(fd);
                *ret_error = -EBADMSG;
        }
        return file;
}

/* How the spool continues what the checkpoint has. */
static int join_spool(Loader *loader) {
        const StateLine *line = loader->line;
        const EventLog *log = loader->log;
        StateLoad *result = loader->result;

        loader->has_checkpoint = result->found = true;
        result->last_usec = result->missing_since_usec = line->time_usec;
        denial_log_skip(&loader->table->denials, line->next_denial);

        loader->merges = line->begun_usec == log->header->begun_usec;
        if (!loader->merges) {
                /* The spool of that time is not there any more: all in this one came later. */
                result->incomplete = true;
                return 0;
        }
        if (log->oldest_seq > line->seq + 1) {
                result->incomplete = true;
                result->n_missing = log->oldest_seq - line->seq - 1;
        }
        loader->next_event = MAX(log->oldest_seq, line->seq + 1);
        return list_denials(loader, line->seq);
}

static int apply_list(Loader *loader, FILE *file) {
        Text text;
        int r = 0;

        while (r >= 0 && read_line(loader, file, &text)) {
                if (state_line_parse(loader->line, text) < 0) {
                        loader->result->n_bad_lines++;
                        continue;
                }
                if (loader->line->type == STATE_LINE_CHECKPOINT) {
                        /* Of another boot: nothing in it lives. */
                        if (!is_of_this_boot(loader))
                                return 0;
                        r = join_spool(loader);
                        continue;
                }
                if (loader->merges && loader->line->seq >= loader->next_event) {
                        r = apply_events(loader, loader->line->seq, RESTORE_WITHIN_LIST);
                        /* The line's place was needed. */
                        if (r >= 0)
                                r = state_line_parse(loader->line, text);
                }
                if (r >= 0)
                        r = apply_line(loader, RESTORE_FROM_LIST);
        }
        return r;
}

static int load_checkpoint(Loader *loader) {
        _cleanup_fclose_ FILE *file = NULL;
        int r;

        file = open_checkpoint(loader, &r);
        if (r >= 0 && !file)
                return 0;
        if (r < 0 || !is_whole(loader, file)) {
                loader->result->set_aside = true;
                state_set_aside(loader->directory, STATE_CHECKPOINT, "it is damaged");
                return 0;
        }
        rewind(file);
        r = apply_list(loader, file);
        domain_table_restore_list_end(loader->table);
        return r;
}

/* ---- all ---- */

/* Events that the table should have in it, and that are not known any more. */
static void find_missing(Loader *loader) {
        const EventLog *log = loader->log;
        StateLoad *result = loader->result;
        bool known = log->oldest_seq < log->next_seq && parse_event(loader, log->oldest_seq);

        /* The first ones of this boot are not there, and there was no time yet for a checkpoint. */
        if (!loader->has_checkpoint && known && log->oldest_seq > 1)
                result->incomplete = true;
        if (result->incomplete)
                result->missing_until_usec = known ? loader->line->time_usec : result->last_usec;
}

static int load(Loader *loader) {
        StateLoad *result = loader->result;
        int r;

        loader->next_event = loader->log->oldest_seq;
        r = load_checkpoint(loader);
        if (r >= 0)
                r = apply_events(loader, UINT64_MAX, RESTORE_FROM_EVENT);
        if (result->found) {
                result->last_usec = MAX(result->last_usec, loader->log->header->alive_usec);
                find_missing(loader);
        }
        return r;
}

int state_load(int directory, const Host *host, const EventLog *log, DomainTable *table, StateLoad *ret) {
        _cleanup_(state_line_freep) StateLine *line = state_line_new();
        _cleanup_free_ char *buffer = malloc(EVENT_LOG_LINE_MAX + 1);
        Loader loader = {
                .directory = directory,
                .host = host,
                .log = log,
                .table = table,
                .line = line,
                .buffer = buffer,
                .result = ret,
        };
        Counters counters = *table->counters;
        int r;

        *ret = (StateLoad) {};
        if (!line || !buffer)
                return -ENOMEM;
        domain_table_restore_begin(table);
        r = load(&loader);
        domain_table_restore_end(table);
        /* What was counted then is no news now. */
        *table->counters = counters;
        return r;
}
