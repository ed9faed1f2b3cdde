/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/audit-control.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libaudit.h>
#include <poll.h>

#include "base/clock.h"
#include "base/macros.h"

/* In the runtime directory: there as long as the kernel's settings are not what they were. */
#define ORIGINAL_FILE "audit-original"

#define ANSWER_TIMEOUT_MSEC 5000

int audit_control_open(AuditControl *control, int runtime_dir) {
        int fd = audit_open();

        if (fd < 0)
                return -errno;
        *control = (AuditControl) { .fd = fd, .runtime_dir = runtime_dir };
        return 0;
}

void audit_control_close(AuditControl *control) {
        if (control->fd >= 0)
                audit_close(control->fd);
        control->fd = -EBADF;
}

int audit_control_request(AuditControl *control) {
        int r = audit_request_status(control->fd);

        return r < 0 ? r : 0;
}

int audit_control_read(AuditControl *control, AuditKernelStatus *ret) {
        struct audit_reply reply = {};
        int r = 0;

        while (audit_get_reply(control->fd, &reply, GET_REPLY_NONBLOCKING, 0) > 0) {
                if (reply.type == NLMSG_ERROR && reply.error->error != 0)
                        return reply.error->error;
                if (reply.type != AUDIT_GET)
                        continue;
                *ret = (AuditKernelStatus) {
                        .enabled = reply.status->enabled,
                        .backlog_limit = reply.status->backlog_limit,
                        .lost = reply.status->lost,
                        .pid = reply.status->pid,
                };
                r = 1;
        }
        return r;
}

int audit_control_get(AuditControl *control, AuditKernelStatus *ret) {
        uint64_t deadline = clock_monotonic_usec() + ANSWER_TIMEOUT_MSEC * USEC_PER_MSEC;
        struct pollfd pollfd = { .fd = control->fd, .events = POLLIN };
        int r;

        r = audit_control_request(control);
        while (r >= 0) {
                r = audit_control_read(control, ret);
                if (r != 0)
                        break;
                if (clock_monotonic_usec() >= deadline)
                        return -ETIMEDOUT;
                r = poll(&pollfd, 1, 100);
                if (r < 0)
                        r = errno == EINTR ? 0 : -errno;
        }
        return r < 0 ? r : 0;
}

/* Written whole and renamed, so that a reader never sees half of it. */
static int write_original(AuditControl *control) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        fd = openat(control->runtime_dir, ORIGINAL_FILE ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        r = dprintf(fd, "enabled=%u backlog_limit=%u\n", control->original.enabled, control->original.backlog_limit);
        if (r < 0)
                return -EIO;
        return renameat(control->runtime_dir, ORIGINAL_FILE ".new", control->runtime_dir, ORIGINAL_FILE) < 0 ? -errno : 0;
}

int audit_control_enable(AuditControl *control, const AuditKernelStatus *now, unsigned backlog_limit) {
        int r;

        if (!control->changed) {
                control->original = *now;
                r = write_original(control);
                if (r < 0)
                        return r;
                control->changed = true;
        }

        /* The limit first: the first records may come at once. */
        if (now->backlog_limit < backlog_limit) {
                r = audit_set_backlog_limit(control->fd, backlog_limit);
                if (r < 0)
                        return r;
        }
        r = audit_set_enabled(control->fd, 1);
        return r < 0 ? r : 0;
}

void audit_control_adopt(AuditControl *control) {
        _cleanup_close_ int fd = openat(control->runtime_dir, ORIGINAL_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        char line[64] = {};

        if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0)
                return;
        control->changed = sscanf(line, "enabled=%u backlog_limit=%u", &control->original.enabled,
                                  &control->original.backlog_limit) == 2;
}

int audit_control_restore(AuditControl *control) {
        AuditKernelStatus now;
        int r;

        if (!control->changed)
                return 0;
        r = audit_control_get(control, &now);
        if (r < 0)
                return r;

        /* A registered audit daemon, off, or locked: no longer ours to decide. */
        if (now.pid == 0 && now.enabled == 1) {
                r = audit_set_enabled(control->fd, control->original.enabled);
                if (r >= 0 && now.backlog_limit != control->original.backlog_limit)
                        r = audit_set_backlog_limit(control->fd, control->original.backlog_limit);
        }
        if (r < 0)
                return r;

        control->changed = false;
        return unlinkat(control->runtime_dir, ORIGINAL_FILE, 0) < 0 && errno != ENOENT ? -errno : 0;
}
