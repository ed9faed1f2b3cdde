/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Patterns of the ignore list: "*" is any text, "?" any one character, and `\xHH` the byte itself, as in every text
 * of landlockd, so that each name can be written down exactly and on one line. fnmatch(3) takes a backslash for
 * something else, and cannot match NUL, with which the names of abstract sockets begin. */
#pragma once

#include <stdbool.h>

/* Characters of a pattern. A longer text is written as its beginning and "*". */
#define NOTIFY_PATTERN_MAX 1024

/* The text is escaped as base/text.h does it; it has to match from the first to the last byte. */
bool notify_pattern_matches(const char *pattern, const char *text);

/* The pattern that matches this escaped text and nothing else, unless it is too long. Never NULL; free() it. */
char *notify_pattern_from_text(const char *text);
