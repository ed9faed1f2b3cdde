/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the programs that sandbox themselves end when the system does not do what they need. */
#pragma once

/* Reports on stderr and ends the process, which may be a forked child. */
void sandbox_die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
