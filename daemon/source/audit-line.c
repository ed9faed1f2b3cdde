/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/audit-line.h"

#include <errno.h>

#include "base/macros.h"

/* A host name is at most 64 bytes, a domain name 253. */
#define NODE_MAX 255

static const struct {
        Text name;
        AuditRecordType type;
} types[] = {
        { { "SYSCALL", 7 }, AUDIT_RECORD_SYSCALL },
        { { "PROCTITLE", 9 }, AUDIT_RECORD_PROCTITLE },
        { { "PATH", 4 }, AUDIT_RECORD_PATH },
        { { "CWD", 3 }, AUDIT_RECORD_CWD },
        { { "EOE", 3 }, AUDIT_RECORD_EOE },
        { { "URINGOP", 7 }, AUDIT_RECORD_URINGOP },
        { { "LANDLOCK_ACCESS", 15 }, AUDIT_RECORD_LANDLOCK_ACCESS },
        { { "LANDLOCK_DOMAIN", 15 }, AUDIT_RECORD_LANDLOCK_DOMAIN },
};

/* "UNKNOWN[1423]", or a bare number as the kernel's own log has it. */
static int parse_numeric_type(Text name, uint16_t *ret) {
        uint64_t number;

        if (text_take_prefix(&name, TEXT_LITERAL("UNKNOWN[")) && name.len > 0 && name.data[name.len - 1] == ']')
                name.len--;
        if (text_parse_u64(name, 10, &number) < 0)
                return -ENOENT;
        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
                if (types[i].type == number) {
                        *ret = number;
                        return 0;
                }
        return -ENOENT;
}

static int parse_type(Text name, uint16_t *ret) {
        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
                if (text_equal(types[i].name, name)) {
                        *ret = types[i].type;
                        return 0;
                }
        return parse_numeric_type(name, ret);
}

int audit_line_parse(Text line, AuditRecord *ret) {
        AuditRecord record = {};
        Text word;
        int r;

        if (text_take_prefix(&line, TEXT_LITERAL("node="))) {
                if (!text_split(&line, ' ', &record.node) || !text_known(line) || record.node.len > NODE_MAX)
                        return -EBADMSG;
        }
        if (!text_take_prefix(&line, TEXT_LITERAL("type=")) || !text_split(&line, ' ', &word) || !text_known(line))
                return -EBADMSG;
        r = parse_type(word, &record.type);
        if (r < 0)
                return r;

        if (!text_take_prefix(&line, TEXT_LITERAL("msg=")))
                return -EBADMSG;
        r = audit_record_parse(line, &record);
        if (r < 0)
                return r;

        *ret = record;
        return 0;
}
