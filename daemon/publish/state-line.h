/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The only reader of landlockd's own lines: what a line of an event or of a snapshot told of its object, in the model's
 * words. The unit test holds it to the encoder: every line that was read gives the same line again. */
#pragma once

#include "base/macros.h"
#include "model/change.h"
#include "publish/event-log.h"
#include "publish/json-reader.h"

/* In a line of EVENT_LOG_LINE_MAX: the shortest rule takes 52 bytes. */
#define STATE_RULES_MAX 2048

typedef enum StateLineType {
        STATE_LINE_RULESET,
        STATE_LINE_DOMAIN,
        STATE_LINE_PROCESS,
        STATE_LINE_DENIAL,
        STATE_LINE_LOST,
        STATE_LINE_CHECKPOINT, /* a checkpoint's first */
        STATE_LINE_END,        /* and its last */
        STATE_LINE_OTHER,      /* any that does not concern the table */
} StateLineType;

/* All texts are borrowed from the StateLine. Of the objects, that of the line's type is filled in; what belongs to the
 * table alone (lists, counts of what is in it) is not. */
typedef struct StateLine {
        StateLineType type;
        bool has_type;
        bool snapshot;
        uint64_t seq, time_usec;
        Text boot_id, machine_id, node, change;
        unsigned origins;

        Ruleset ruleset;     /* with its rules */
        Domain domain;       /* of a process too: its ID */
        uint64_t n_rules;    /* that the domain's ruleset had */
        Process process;
        uint64_t n_threads;
        Denial denial;
        Loss loss;
        uint64_t begun_usec;  /* checkpoint: of the count of events that its seq is of */
        uint64_t next_denial; /* likewise: the number of the next denial */
        uint64_t n_lines;     /* end: of the checkpoint, without this one */
        uint64_t checksum;    /* likewise */

        Rule rules[STATE_RULES_MAX];
        DenialPath paths[DENIAL_PATHS_MAX];
        char texts[EVENT_LOG_LINE_MAX];
} StateLine;

StateLine *state_line_new(void);
StateLine *state_line_free(StateLine *line);
DEFINE_CLEANUP(StateLine *, state_line_free);

/* A line with its newline. -EBADMSG if it is not one as they are written, or lacks what each has; then what is in *ret is
 * of no use. */
int state_line_parse(StateLine *ret, Text line);

/* An array of names, into an unsigned. */
bool state_read_origins(JsonReader *r, void *origins);

/* state-denial.c: the members of a denial's line, into its StateLine. */
bool state_denial_field(JsonReader *r, Text name, StateLine *line);
