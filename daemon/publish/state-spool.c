/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/state-spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"

#define SPOOL_NEW STATE_SPOOL ".new"

bool state_set_aside(int directory, const char *name, const char *reason) {
        char bad[64];

        snprintf(bad, sizeof(bad), "%s.bad", name);
        if (renameat(directory, name, directory, bad) < 0) {
                log_warning("The state file %s cannot be used: %s. It cannot be renamed to %s either: %s.", name, reason, bad,
                            strerror(errno));
                return false;
        }
        log_warning("The state file %s cannot be used: %s. It is now %s, and landlockd begins a new one.", name, reason, bad);
        return true;
}

static void *map(int fd, size_t size) {
        return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

/* ---- what is there ---- */

/* -EBADMSG: this is no spool of ours; *ret_reason says why. */
static int open_file(const StateSpoolOptions *options, EventLog *ret, const char **ret_reason) {
        _cleanup_close_ int fd = openat(options->directory, STATE_SPOOL, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        EventLogHeader header;
        struct stat st;
        size_t size;
        void *block;
        int r;

        *ret_reason = "it is no file";
        if (fd < 0)
                return errno == ELOOP || errno == EISDIR || errno == ENXIO ? -EBADMSG : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADMSG;

        *ret_reason = "it is damaged, or was not written by this version of landlockd on this machine";
        if (pread(fd, &header, sizeof(header), 0) != sizeof(header) || event_log_check_header(&header, &size) < 0 ||
            (uint64_t) st.st_size != size)
                return -EBADMSG;

        /* What was reserved may have been given back: by a copy of the file, for example. */
        r = posix_fallocate(fd, 0, size);
        if (r != 0)
                return -r;
        block = map(fd, size);
        if (block == MAP_FAILED)
                return -errno;
        r = event_log_open(ret, block, size, options->machine_id);
        if (r < 0)
                munmap(block, size);
        return r;
}

/* ---- a new one ---- */

static int make_file(const StateSpoolOptions *options, uint64_t begun_usec, EventLog *ret) {
        size_t size = event_log_size(options->n_bytes, options->n_entries);
        _cleanup_close_ int fd = -EBADF;
        void *block;
        int r;

        if (unlinkat(options->directory, SPOOL_NEW, 0) < 0 && errno != ENOENT)
                return -errno;
        fd = openat(options->directory, SPOOL_NEW, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;

        r = posix_fallocate(fd, 0, size);
        block = r == 0 ? map(fd, size) : MAP_FAILED;
        if (block == MAP_FAILED) {
                r = r != 0 ? -r : -errno;
                unlinkat(options->directory, SPOOL_NEW, 0);
                return r;
        }
        event_log_begin(ret, block, options->n_bytes, options->n_entries, options->machine_id, begun_usec);
        return 0;
}

/* It takes the old one's place when it is whole. */
static int put_in_place(const StateSpoolOptions *options) {
        int r;

        if (renameat(options->directory, SPOOL_NEW, options->directory, STATE_SPOOL) >= 0)
                return 0;
        r = -errno;
        unlinkat(options->directory, SPOOL_NEW, 0);
        return r;
}

static int create(const StateSpoolOptions *options, EventLog *ret) {
        EventLog log;
        int r;

        r = make_file(options, clock_realtime_usec(), &log);
        if (r < 0)
                return r;
        r = put_in_place(options);
        if (r < 0)
                event_log_done(&log);
        else
                *ret = log;
        return r;
}

static void resize(const StateSpoolOptions *options, EventLog *log) {
        EventLog resized;
        int r;

        r = make_file(options, log->header->begun_usec, &resized);
        if (r >= 0) {
                event_log_copy(&resized, log);
                r = put_in_place(options);
                if (r < 0)
                        event_log_done(&resized);
        }
        if (r < 0) {
                log_warning("There is no room for an event spool of the new size (%s): the one that there is stays in use.",
                            strerror(-r));
                return;
        }
        event_log_done(log);
        *log = resized;
}

int state_spool_open(const StateSpoolOptions *options, EventLog *ret_log, bool *ret_set_aside) {
        const char *reason;
        int r;

        *ret_set_aside = false;
        r = open_file(options, ret_log, &reason);
        if (r == -EBADMSG) {
                *ret_set_aside = true;
                r = state_set_aside(options->directory, STATE_SPOOL, reason) ? -ENOENT : -EEXIST;
        }
        if (r == -ENOENT)
                return create(options, ret_log);
        if (r < 0)
                return r;

        if (ret_log->n_bytes != options->n_bytes || ret_log->n_entries != options->n_entries)
                resize(options, ret_log);
        return 0;
}
