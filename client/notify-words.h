/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blockers in plain words, for people who never heard of Landlock: "writing /etc/passwd". */
#pragma once

/* What was tried, to be read after "Blocked from": the blockers are the kernel's names, comma-separated; object is
 * what it was tried on, NULL if that is not known. Never NULL; free() it. */
char *notify_words(const char *blockers, const char *object);
