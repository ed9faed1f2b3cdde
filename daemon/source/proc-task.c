/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/proc-task.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

/* Audit's clock goes in steps of up to this much, and /proc's in hundredths of a second: both round down. */
#define CLOCK_STEP_USEC (20 * USEC_PER_MSEC)

/* Fields of /proc/TID/stat behind the name: proc_pid_stat(5) numbers them from 3. */
#define STAT_FIRST_FIELD 3
#define STAT_START_TIME 22

static int open_directory(int parent, const char *path) {
        int fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

/* The file's beginning. */
static int read_file(int directory, const char *name, char *buffer, size_t size, Text *ret) {
        _cleanup_close_ int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = read(fd, buffer, size);
        if (n < 0)
                return -errno;
        *ret = (Text) { buffer, n };
        return 0;
}

/* "7 (a name) S 1 …": the name is not escaped and may hold anything but a NUL. */
static int parse_stat(Text stat, Text *ret_comm, bool *ret_dead, uint64_t *ret_start_ticks) {
        const char *open = memchr(stat.data, '(', stat.len), *close = memrchr(stat.data, ')', stat.len);
        Text rest, field = TEXT_NULL;

        if (!open || !close || close < open || close + 2 > stat.data + stat.len)
                return -EBADMSG;
        rest = (Text) { close + 2, stat.data + stat.len - (close + 2) };
        for (unsigned i = STAT_FIRST_FIELD; i <= STAT_START_TIME; i++)
                if (!text_split(&rest, ' ', &field))
                        return -EBADMSG;

        *ret_comm = (Text) { open + 1, close - (open + 1) };
        *ret_dead = close[2] == 'Z' || close[2] == 'X';
        return text_parse_u64(field, 10, ret_start_ticks);
}

static int read_stat(int directory, uint64_t not_after_usec, ProcTask *task) {
        const uint64_t usec_per_tick = USEC_PER_SEC / (uint64_t) sysconf(_SC_CLK_TCK);
        uint64_t ticks;
        char buffer[1024];
        Text stat, comm;
        int r;

        r = read_file(directory, "stat", buffer, sizeof(buffer), &stat);
        if (r >= 0)
                r = parse_stat(stat, &comm, &task->dead, &ticks);
        if (r < 0)
                return r;
        if (ticks > not_after_usec / usec_per_tick)
                return -ESRCH;
        task->start_boottime_usec = ticks * usec_per_tick;

        task->comm = (Text) { task->comm_buffer, MIN(comm.len, sizeof(task->comm_buffer)) };
        memcpy(task->comm_buffer, comm.data, task->comm.len);
        return 0;
}

static bool parse_line(Text line, Text key, int64_t *ret) {
        Text value;

        return text_take_prefix(&line, key) && text_split(&line, '\t', &value) && text_parse_i64(value, ret) >= 0;
}

/* "Uid:\t1000\t1000\t1000\t1000": real, effective, saved and of the file system. */
static bool parse_uids(Text line, int64_t *ret_uid, bool *ret_one) {
        Text value;
        int64_t uid;

        if (!text_take_prefix(&line, TEXT_LITERAL("Uid:\t")) || !text_split(&line, '\t', &value) ||
            text_parse_i64(value, ret_uid) < 0)
                return false;
        *ret_one = true;
        while (text_split(&line, '\t', &value))
                *ret_one = *ret_one && text_parse_i64(value, &uid) >= 0 && uid == *ret_uid;
        return true;
}

static void read_status(int directory, ProcTask *task) {
        Text status, line;
        char buffer[1024];

        if (read_file(directory, "status", buffer, sizeof(buffer), &status) < 0)
                return;
        while (text_split(&status, '\n', &line)) {
                /* 0: it was reaped after its directory was opened. */
                task->has_pid |= parse_line(line, TEXT_LITERAL("Tgid:\t"), &task->pid) && task->pid > 0;
                task->has_uid |= parse_uids(line, &task->uid, &task->one_uid);
        }
}

static Text read_exe(int directory, const char *path, ProcProgram *program) {
        ssize_t n = readlinkat(directory, path, program->buffer, sizeof(program->buffer));

        /* A path that does not fit is cut by the kernel. */
        return n > 0 && (size_t) n < sizeof(program->buffer) ? (Text) { program->buffer, n } : TEXT_NULL;
}

uint64_t proc_task_boottime(uint64_t realtime_usec) {
        uint64_t offset_usec = clock_realtime_usec() - clock_boottime_usec();

        return realtime_usec > offset_usec ? realtime_usec - offset_usec + CLOCK_STEP_USEC : 0;
}

int proc_task_read_name_at(int directory, int64_t tid, uint64_t not_after_usec, ProcTask *ret) {
        ret->tid = tid;
        ret->has_pid = ret->has_uid = false;
        ret->exe = TEXT_NULL;
        return read_stat(directory, not_after_usec, ret);
}

int proc_task_read_at(int directory, int64_t tid, uint64_t not_after_usec, ProcTask *ret) {
        int r = proc_task_read_name_at(directory, tid, not_after_usec, ret);

        if (r < 0)
                return r;
        read_status(directory, ret);
        ret->exe = read_exe(directory, "exe", &ret->program);
        return 0;
}

int proc_task_read(int64_t tid, uint64_t not_after_boottime_usec, ProcTask *ret) {
        _cleanup_close_ int directory = -EBADF;
        char path[32];

        snprintf(path, sizeof(path), "/proc/%" PRIi64, tid);
        directory = open_directory(AT_FDCWD, path);
        if (directory < 0)
                return directory == -ENOENT ? -ESRCH : directory;
        return proc_task_read_at(directory, tid, not_after_boottime_usec, ret);
}

Text proc_task_read_program(int64_t tid, ProcProgram *program) {
        char path[32];

        snprintf(path, sizeof(path), "/proc/%" PRIi64 "/exe", tid);
        return read_exe(AT_FDCWD, path, program);
}

int proc_task_identify(int64_t tid, TaskIdentity *ret) {
        ProcTask task;
        int r;

        r = proc_task_read(tid, UINT64_MAX, &task);
        if (r < 0)
                return r;
        if (!task.has_pid)
                return -ESRCH;
        *ret = (TaskIdentity) {
                .pid = task.pid,
                .uid = task.uid,
                .has_uid = task.has_uid && task.one_uid,
                .start_boottime_usec = task.start_boottime_usec,
        };
        return 0;
}

TaskDescription proc_task_describe(const ProcTask *task) {
        return (TaskDescription) {
                .tid = task->tid,
                .pid = task->pid,
                .uid = task->uid,
                .has_pid = task->has_pid,
                .has_uid = task->has_uid,
                .comm = task->comm,
                .exe = task->exe,
        };
}
