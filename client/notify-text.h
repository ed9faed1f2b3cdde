/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts on their way into a notification, where two things are at stake that a terminal does not know: a name may be
 * as long as a path can be, and the body is markup on most servers. What is invisible or drives a terminal has been
 * escaped before (client/clean-text.h); this comes on top of it. */
#pragma once

#include <stddef.h>

/* At most n_max characters, the last two thirds of them the end of the text, "…" for what is left out between. The
 * text is valid UTF-8. Never NULL; free() it. */
char *notify_text_shorten(const char *text, size_t n_max);

/* The text as XML character data, so that no part of it is markup. Never NULL; free() it. */
char *notify_text_markup(const char *text);
