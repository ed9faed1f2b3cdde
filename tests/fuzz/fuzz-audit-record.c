/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One record as netlink delivers it: its header, its fields, their strings; and the escape of every one. */
#include <assert.h>

#include "base/macros.h"
#include "fuzz.h"
#include "source/audit-record.h"

static void check_text(Text text) {
        _cleanup_free_ char *escaped = NULL, *back = NULL;
        size_t len;

        if (!text_known(text) || text_escape(text, &escaped) < 0)
                return;
        back = malloc(strlen(escaped) + 1);
        assert(back && text_unescape(text_from_string(escaped), back, &len) == 0);
        assert(len == text.len && memcmp(back, text.data, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *buffer = malloc(size / 2 + 1);
        AuditRecord record;
        AuditField field;

        if (!buffer || audit_record_parse((Text) { (const char *) data, size }, &record) < 0)
                return 0;

        while (audit_field_next(&record.body, &field)) {
                char *end = buffer;

                check_text(field.key);
                check_text(audit_field_string(&field, &end));
                assert(end <= buffer + size / 2);
        }
        return 0;
}
