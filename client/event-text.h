/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events, and parts of them, in words. Whatever is missing of them is not known, and shown as that. All strings
 * are new, to be freed, and not escaped yet for the terminal: table_add() and output_clean() do that. */
#pragma once

#include "client/json.h"
#include "client/output.h"

/* Local time, "2026-11-22 00:28:34", or with milliseconds, "2026-11-22 00:28:34.891"; what is no RFC 3339 UTC time
 * stays as it is. NULL if there is none. */
char *event_text_time(const json_t *time);
char *event_text_time_exact(const json_t *time);

/* "sh[18353]" of an object with comm and pid; NULL if both are unknown. */
char *event_text_process(const json_t *process);

/* "/etc/passwd", "127.0.0.1:80", "@name", "init[1]"; NULL if the object is not known. */
char *event_text_object(const json_t *object);

/* What a rule is about: "/usr", "port 443"; NULL if that is not known. */
char *event_text_rule(const json_t *rule);

/* "fs.write_file,fs.truncate"; NULL if there are none. */
char *event_text_names(const json_t *list);

/* The same of all that is handled: "fs.execute,net.bind_tcp,scope.signal". */
char *event_text_handled(const json_t *handled);

/* "3", or "3 of 5" when the kernel counted more than were seen; NULL if not known. ret_style may be NULL. */
char *event_text_denials(const json_t *domain, Style *ret_style);

/* What an event says besides its time, type and domain. */
char *event_text_message(const json_t *event, Style *ret_style);

/* One line on standard output. */
void event_text_print(const json_t *event);
