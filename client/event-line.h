/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A line of landlockd's NDJSON, looked at before anybody sees it. */
#pragma once

#include "client/json.h"
#include "client/options.h"

/* -EBADMSG if it is no JSON object or holds what could drive a terminal. The line is without its end. */
int event_line_parse(Text line, json_t **ret);

/* On standard output, as the mode asks; JSON_DEFAULT is for people. `event` is what the line says. */
void event_line_print(Text line, const json_t *event, JsonMode mode);
