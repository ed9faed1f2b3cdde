/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shows and sets the kernel's audit setting, so that a test can see that landlockd left it as it was, and put it
 * back where landlockd could not. It is auditctl without the audit daemon that the package of that comes with. */

#include <errno.h>
#include <libaudit.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char *what, int error) {
        fprintf(stderr, "audit-state: %s: %s\n", what, strerror(error));
        return EXIT_FAILURE;
}

/* The status comes after an acknowledgement, maybe with other answers between them. */
static int print_status(int fd) {
        struct audit_reply reply;
        int r;

        r = audit_request_status(fd);
        if (r < 0)
                return fail("cannot ask the kernel", -r);
        do {
                struct pollfd pollfd = { .fd = fd, .events = POLLIN };

                if (poll(&pollfd, 1, 5000) <= 0)
                        return fail("the kernel does not answer", ETIMEDOUT);
                r = audit_get_reply(fd, &reply, GET_REPLY_NONBLOCKING, 0);
                if (r < 0 && r != -EAGAIN)
                        return fail("the kernel refuses", -r);
        } while (r <= 0 || reply.type != AUDIT_GET);

        printf("enabled=%u backlog_limit=%u\n", reply.status->enabled, reply.status->backlog_limit);
        return EXIT_SUCCESS;
}

static int set_status(int fd, const char *text) {
        unsigned enabled, backlog_limit;
        int r;

        if (sscanf(text, "enabled=%u backlog_limit=%u", &enabled, &backlog_limit) != 2)
                return fail(text, EINVAL);
        r = audit_set_enabled(fd, enabled);
        if (r > 0)
                r = audit_set_backlog_limit(fd, backlog_limit);
        return r > 0 ? EXIT_SUCCESS : fail("cannot change the setting", -r);
}

/* With the rule `-a never,task`, as Fedora's default is, the kernel gives new processes no audit context: their
 * denials come without a SYSCALL record. */
static int set_task_contexts(int fd, int wanted) {
        struct audit_rule_data *rule = audit_rule_create_data();
        int r;

        if (!rule)
                return fail("cannot make a rule", ENOMEM);
        r = wanted ? audit_delete_rule_data(fd, rule, AUDIT_FILTER_TASK, AUDIT_NEVER)
                   : audit_add_rule_data(fd, rule, AUDIT_FILTER_TASK, AUDIT_NEVER);
        free(rule);
        return r > 0 ? EXIT_SUCCESS : fail("cannot change the rule for new processes", -r);
}

int main(int argc, char *argv[]) {
        int fd, r;

        if (argc > 2) {
                fputs("Usage: audit-state [\"enabled=N backlog_limit=N\" | task-contexts | no-task-contexts]\n", stderr);
                return 2;
        }
        fd = audit_open();
        if (fd < 0)
                return fail("no audit in this kernel", errno);
        if (argc < 2)
                r = print_status(fd);
        else if (strcmp(argv[1], "task-contexts") == 0 || strcmp(argv[1], "no-task-contexts") == 0)
                r = set_task_contexts(fd, strcmp(argv[1], "task-contexts") == 0);
        else
                r = set_status(fd, argv[1]);
        audit_close(fd);
        return r;
}
