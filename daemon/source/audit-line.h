/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One line of an audit log as text: what auditd writes (raw or enriched, from any node, by an auditd that knows
 * Landlock's record types or not) and what `ausearch --raw` prints. */
#pragma once

#include "source/audit-record.h"

/* `line` is without its end. The record's texts borrow from it.
 * 0; -EBADMSG for what is no audit record; -ENOENT for a record of a type that has no part in Landlock events. */
int audit_line_parse(Text line, AuditRecord *ret);
