/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A line that a client of the JSON socket sent: checked member by member, so that a wrong one is named instead of
 * being ignored. */
#pragma once

#include "publish/event-log.h"

/* With its newline. */
#define JSON_REQUEST_MAX ((size_t) 4096)

/* Of a request's "id", as JSON. */
#define JSON_REQUEST_ID_MAX 256

typedef enum JsonOp {
        JSON_OP_SNAPSHOT,
        JSON_OP_STATUS,
        JSON_OP_SUBSCRIBE,
        JSON_OP_REPLAY,
        JSON_OP_UNKNOWN,
} JsonOp;

typedef struct JsonRequest {
        JsonOp op;
        char id[JSON_REQUEST_ID_MAX]; /* to be given back as it came */
        size_t n_id;                  /* 0: none */
        EventFilter filter;           /* subscribe */
        uint64_t since;               /* replay */
        const char *error_name;       /* NULL: the request is good. Static */
        char error[256];              /* a sentence for people; quotes what the client sent, unescaped */
} JsonRequest;

/* Always fills *ret: a request that is no good still has an op and an ID to answer to, if they could be read.
 * Returns whether it is good. */
bool json_request_parse(Text line, JsonRequest *ret);

/* "snapshot", NULL for JSON_OP_UNKNOWN; static. */
const char *json_op_to_string(JsonOp op);
