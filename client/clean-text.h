/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last look at text before a person's terminal sees it.
 *
 * landlockd escapes what the kernel gave it (base/text.h). A client trusts that for the meaning of a text, not
 * for the safety of a terminal: a daemon that is broken, or something else that owns its bus name, must not be
 * able to move the cursor. So the same rule is applied once more, with a backslash left as it stands. On text
 * that is already escaped this changes nothing. */
#pragma once

#include "base/text.h"

/* No control, no broken UTF-8, no character that reorders text. */
bool clean_text_check(Text text);

/* A copy in which every byte that fails the check is `\xHH`; with ascii_only, for terminals that do not speak
 * UTF-8, every byte above 0x7f too. Never NULL; free() it. */
char *clean_text(Text text, bool ascii_only);
