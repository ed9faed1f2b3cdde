/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/trace-instance.h"

#include <dirent.h>
#include <errno.h>
#include <event-parse.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <tracefs.h>

#include "base/host.h"

/* Counts the time in which the system is suspended, as the time of day does. */
#define TRACE_CLOCK "boot"

struct TraceInstance {
        struct tracefs_instance *tracefs;
        int directory; /* locked: the sign that a landlockd has it */
        int per_cpu;
        bool adopted;
        TracePageLayout layout;
};

/* The libraries leave errno as the system call set it, if one did. */
static int negative_errno(void) {
        return errno > 0 ? -errno : -EIO;
}

static int write_file(TraceInstance *instance, const char *file, const char *value) {
        errno = 0;
        return tracefs_instance_file_write(instance->tracefs, file, value) < 0 ? negative_errno() : 0;
}

/* A new instance has the settings of the whole system's tracing, which may be anything. */
static int set_up_reading(TraceInstance *instance) {
        static const struct {
                const char *file, *value;
        } settings[] = {
                { "tracing_on", "1" },
                { "options/overwrite", "1" }, /* what is most recent matters most */
                { "options/block", "0" },     /* it would make an empty buffer look readable */
                { "buffer_percent", "0" },    /* wake up at the first record */
        };
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
                r = write_file(instance, settings[i].file, settings[i].value);
                if (r < 0 && r != -ENOENT)
                        return r;
        }
        return 0;
}

/* Setting the clock empties the buffers, even if it is the same. */
static int set_up_clock(TraceInstance *instance) {
        char *clock = tracefs_get_clock(instance->tracefs);
        int r = clock && strcmp(clock, TRACE_CLOCK) == 0 ? 0 : write_file(instance, "trace_clock", TRACE_CLOCK);

        free(clock);
        return r;
}

static int set_up_buffer(TraceInstance *instance, uint64_t size) {
        char kib[24];

        snprintf(kib, sizeof(kib), "%llu", (unsigned long long) (size + 1023) / 1024);
        return write_file(instance, "buffer_size_kb", kib);
}

static int read_layout(TraceInstance *instance) {
        struct tep_handle *tep = tep_alloc();
        int size, r = -EBADMSG;
        char *text;

        if (!tep)
                return -ENOMEM;
        errno = 0;
        text = tracefs_instance_file_read(instance->tracefs, "events/header_page", &size);
        if (!text)
                r = negative_errno();
        else if (tep_parse_header_page(tep, text, size, sizeof(long)) == 0) {
                instance->layout = (TracePageLayout) {
                        .size = tep_get_sub_buffer_size(tep),
                        .commit_size = tep_get_header_page_size(tep),
                };
                if (instance->layout.commit_size == 4 || instance->layout.commit_size == 8)
                        r = 0;
        }
        free(text);
        tep_free(tep);
        return r;
}

static int make(TraceInstance *instance, const char *path, const char *name) {
        if (mkdir(path, 0700) < 0) {
                if (errno != EEXIST)
                        return -errno;
                instance->adopted = true;
        }
        errno = 0;
        instance->tracefs = tracefs_instance_alloc(NULL, name);
        return instance->tracefs ? 0 : negative_errno();
}

static int lock(TraceInstance *instance, const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct stat locked, named;

        if (fd < 0)
                return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;
        /* Whoever had it may have removed it meanwhile. */
        if (fstat(fd, &locked) < 0 || stat(path, &named) < 0 || locked.st_ino != named.st_ino)
                return -EBUSY;
        instance->directory = TAKE_FD(fd);
        return 0;
}

static int open_per_cpu(TraceInstance *instance) {
        instance->per_cpu = openat(instance->directory, "per_cpu", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return instance->per_cpu < 0 ? -errno : 0;
}

/* Where it is on all systems of today. It can be mounted below debugfs, too, and that is the one that libtracefs may find
 * first; but it need not be writable there, as it is not for the service. */
static const char *tracing_dir(void) {
        static char path[] = "/sys/kernel/tracing";
        struct statfs fs;

        if (statfs(path, &fs) == 0 && fs.f_type == TRACEFS_MAGIC)
                tracefs_set_tracing_dir(path);
        return tracefs_tracing_dir();
}

static int open_instance(TraceInstance *instance, const char *name, uint64_t buffer_size) {
        _cleanup_free_ char *path = NULL;
        const char *tracing;
        int r;

        tracefs_set_loglevel(TEP_LOG_NONE);
        tracing = tracing_dir();
        if (!tracing)
                return -ENODEV;
        if (asprintf(&path, "%s/instances/%s", tracing, name) < 0)
                return -ENOMEM;

        r = make(instance, path, name);
        if (r >= 0)
                r = lock(instance, path);
        if (r >= 0)
                r = open_per_cpu(instance);
        if (r >= 0)
                r = set_up_reading(instance);
        if (r >= 0)
                r = set_up_clock(instance);
        if (r >= 0)
                r = set_up_buffer(instance, buffer_size);
        if (r >= 0)
                r = read_layout(instance);
        return r;
}

int trace_instance_new(TraceInstance **ret, const char *name, uint64_t buffer_size) {
        _cleanup_(trace_instance_freep) TraceInstance *instance = calloc(1, sizeof(TraceInstance));
        int r;

        if (!instance)
                return -ENOMEM;
        instance->directory = instance->per_cpu = -EBADF;
        r = open_instance(instance, name, buffer_size);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(instance);
        return 0;
}

static TraceInstance *end(TraceInstance *instance, bool remove) {
        if (!instance)
                return NULL;

        closep(&instance->per_cpu);
        if (remove && instance->directory >= 0)
                tracefs_instance_destroy(instance->tracefs);
        closep(&instance->directory);
        tracefs_instance_free(instance->tracefs);
        free(instance);
        return NULL;
}

TraceInstance *trace_instance_free(TraceInstance *instance) {
        return end(instance, true);
}

TraceInstance *trace_instance_leave(TraceInstance *instance) {
        return end(instance, false);
}

int trace_instance_remove(const char *name) {
        TraceInstance instance = { .directory = -EBADF };
        _cleanup_free_ char *path = NULL;
        const char *tracing = tracing_dir();
        int r;

        if (!tracing)
                return 0;
        if (asprintf(&path, "%s/instances/%s", tracing, name) < 0)
                return -ENOMEM;
        r = lock(&instance, path);
        if (r >= 0 && rmdir(path) < 0)
                r = -errno;
        closep(&instance.directory);
        return r == -ENOENT ? 0 : r;
}

void trace_instance_explain(int error, const char *name, char *ret_reason, size_t n_reason) {
        /* Which error that makes has changed over time. */
        if (host_is_locked_down()) {
                snprintf(ret_reason, n_reason, "the kernel is locked down for confidentiality "
                         "(/sys/kernel/security/lockdown), which closes tracefs to everybody");
                return;
        }

        switch (-error) {
        case EBUSY:
                snprintf(ret_reason, n_reason, "the tracefs instance %s is in use by another landlockd: stop it, or set "
                         "another TraceInstance= in landlockd.conf", name);
                break;
        case ENODEV:
                snprintf(ret_reason, n_reason, "tracefs is not mounted and cannot be: run "
                         "mount -t tracefs nodev /sys/kernel/tracing");
                break;
        case EPERM:
        case EACCES:
        case EROFS:
                snprintf(ret_reason, n_reason, "tracefs cannot be used (%s): it takes root", strerror(-error));
                break;
        case EMFILE:
                snprintf(ret_reason, n_reason, "too few open files are allowed for all CPUs: raise LimitNOFILE= of "
                         "landlockd.service");
                break;
        default:
                snprintf(ret_reason, n_reason, "the tracefs instance %s cannot be set up: %s", name, strerror(-error));
        }
}

bool trace_instance_is_adopted(const TraceInstance *instance) {
        return instance->adopted;
}

const TracePageLayout *trace_instance_layout(const TraceInstance *instance) {
        return &instance->layout;
}

int trace_instance_per_cpu(const TraceInstance *instance) {
        return instance->per_cpu;
}

int trace_instance_read_format(TraceInstance *instance, const char *group, const char *event, Text *ret) {
        int size;
        char *text;

        errno = 0;
        text = tracefs_event_file_read(instance->tracefs, group, event, "format", &size);
        if (!text)
                return negative_errno();
        *ret = (Text) { text, size };
        return 0;
}

int trace_instance_enable(TraceInstance *instance, const char *group, const char *event) {
        errno = 0;
        return tracefs_event_file_write(instance->tracefs, group, event, "enable", "1") < 0 ? negative_errno() : 0;
}

int trace_instance_enable_last(TraceInstance *instance, const char *group, const char *event) {
        errno = 0;
        if (tracefs_event_file_write(instance->tracefs, group, event, "enable", "0") < 0)
                return negative_errno();
        return trace_instance_enable(instance, group, event);
}

static int open_cpu(const TraceInstance *instance, unsigned cpu) {
        char path[40];
        int fd;

        snprintf(path, sizeof(path), "cpu%u/trace_pipe_raw", cpu);
        fd = openat(instance->per_cpu, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int trace_instance_open_cpus(const TraceInstance *instance,
                             int (*fn)(void *userdata, const TraceInstance *instance, unsigned cpu, int fd), void *userdata) {
        int fd = openat(instance->per_cpu, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
        DIR *directory = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;
        unsigned cpu;

        if (!directory) {
                r = -errno;
                closep(&fd);
                return r;
        }
        while (r >= 0 && (entry = readdir(directory))) {
                if (sscanf(entry->d_name, "cpu%u", &cpu) != 1)
                        continue;
                r = open_cpu(instance, cpu);
                if (r >= 0)
                        r = fn(userdata, instance, cpu, r);
        }
        closedir(directory);
        return r;
}
