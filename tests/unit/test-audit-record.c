/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <errno.h>

#include "source/audit-line.h"
#include "source/audit-record.h"

static void test_header(void **state _unused_) {
        AuditRecord record = { .type = 1423 };

        assert_int_equal(audit_record_parse(TEXT_LITERAL("audit(1795308514.891:2): domain=1 x=y"), &record), 0);
        assert_true(record.time_usec == UINT64_C(1795308514891000));
        assert_int_equal(record.serial, 2);
        assert_int_equal(record.type, 1423);
        assert_text(record.body, "domain=1 x=y");

        assert_int_equal(audit_record_parse(TEXT_LITERAL("audit(0.000:4294967295):"), &record), 0);
        assert_true(record.serial == UINT32_MAX);
        assert_text(record.body, "");
}

static void test_header_malformed(void **state _unused_) {
        static const char *const bad[] = {
                "", "audit", "audit(", "audit(1.2", "audit(1.2:3", "audit(1.2:3)", "audit(.2:3): ", "audit(1:3): ",
                "audit(1.2000:3): ", "audit(1.2:4294967296): ", "audit(99999999999999999999.1:2): ", "audit(-1.2:3): ",
                "Audit(1.2:3): ", " audit(1.2:3): ",
        };
        AuditRecord record;

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_int_equal(audit_record_parse(text_from_string(bad[i]), &record), -EBADMSG);
}

static void field_is(Text *body, const char *key, const char *value, bool quoted) {
        AuditField field;

        assert_true(audit_field_next(body, &field));
        assert_true(text_equal(field.key, text_from_string(key)));
        assert_true(text_equal(field.value, text_from_string(value)));
        assert_int_equal(field.quoted, quoted);
}

static void test_fields(void **state _unused_) {
        Text body = TEXT_LITERAL("a=1  path=\"/with space=x\" subj=/usr/bin/x (enforce) empty= k=\"\" open=\"never closed z=1 key=(null)\n");
        AuditField field;

        field_is(&body, "a", "1", false);
        field_is(&body, "path", "/with space=x", true);
        field_is(&body, "subj", "/usr/bin/x (enforce)", false);
        field_is(&body, "empty", "", false);
        field_is(&body, "k", "", true);
        field_is(&body, "open", "\"never closed", false);
        field_is(&body, "z", "1", false);
        field_is(&body, "key", "(null)\n", false);
        assert_false(audit_field_next(&body, &field));
        assert_false(audit_field_next(&body, &field));
}

static Text string_of(const char *value, bool quoted, char *buffer) {
        AuditField field = { .value = text_from_string(value), .quoted = quoted };

        return audit_field_string(&field, &buffer);
}

static void test_strings(void **state _unused_) {
        char buffer[64];

        assert_text(string_of("3005", true, buffer), "3005");
        assert_text(string_of("3005", false, buffer), "0\x05");
        assert_text(string_of("0064656D6F", false, buffer), "\0demo");
        assert_text(string_of("fF", false, buffer), "\xff");
        assert_text(string_of("", true, buffer), "");
        assert_null(string_of("", false, buffer).data);
        assert_null(string_of("(null)", false, buffer).data);
        assert_null(string_of("abc", false, buffer).data);
        assert_null(string_of("zz", false, buffer).data);
}

static void test_lines(void **state _unused_) {
        AuditRecord record;

        assert_int_equal(audit_line_parse(TEXT_LITERAL("type=UNKNOWN[1423] msg=audit(1.002:3): domain=a"), &record), 0);
        assert_int_equal(record.type, AUDIT_RECORD_LANDLOCK_ACCESS);
        assert_null(record.node.data);
        assert_int_equal(audit_line_parse(TEXT_LITERAL("node=web-1 type=LANDLOCK_DOMAIN msg=audit(1.002:3): domain=a"), &record), 0);
        assert_int_equal(record.type, AUDIT_RECORD_LANDLOCK_DOMAIN);
        assert_text(record.node, "web-1");
        assert_int_equal(audit_line_parse(TEXT_LITERAL("type=SYSCALL msg=audit(1.002:3): a=b\x1d" "ARCH=x86_64 A=\"b\""), &record), 0);
        assert_text(record.body, "a=b");

        assert_int_equal(audit_line_parse(TEXT_LITERAL("type=USER_LOGIN msg=audit(1.002:3): a=b"), &record), -ENOENT);
        assert_int_equal(audit_line_parse(TEXT_LITERAL("type=UNKNOWN[9999] msg=audit(1.002:3): a=b"), &record), -ENOENT);
        assert_int_equal(audit_line_parse(TEXT_LITERAL("type=UNKNOWN[x] msg=audit(1.002:3): a=b"), &record), -ENOENT);
        assert_int_equal(audit_line_parse(TEXT_LITERAL("type=SYSCALL"), &record), -EBADMSG);
        assert_int_equal(audit_line_parse(TEXT_LITERAL("type=SYSCALL audit(1.002:3): a=b"), &record), -EBADMSG);
        assert_int_equal(audit_line_parse(TEXT_LITERAL("node=x"), &record), -EBADMSG);
        assert_int_equal(audit_line_parse(TEXT_LITERAL("hello"), &record), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_header),
                cmocka_unit_test(test_header_malformed),
                cmocka_unit_test(test_fields),
                cmocka_unit_test(test_strings),
                cmocka_unit_test(test_lines),
        };

        return cmocka_run_group_tests_name("audit-record", tests, NULL, NULL);
}
