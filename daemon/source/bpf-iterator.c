/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/bpf-iterator.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

/* As much as the kernel gathers for one read with pages of 4 KiB; and more than any record. */
#define BUFFER_SIZE (32 * 1024)

typedef struct Buffer {
        _Alignas(uint64_t) char data[BUFFER_SIZE];
        size_t n;
} Buffer;

/* Hands over all records that are whole and leaves the beginning of the next one. */
static int take_records(Buffer *buffer, BpfRecordHandler handler, void *userdata) {
        size_t at = 0;

        while (buffer->n - at >= sizeof(BpfRecord)) {
                const BpfRecord *record = (const BpfRecord *) (buffer->data + at);

                if (record->size < sizeof(*record) || record->size > sizeof(buffer->data) || record->size % _Alignof(uint64_t) != 0)
                        return -EBADMSG;
                if (record->size > buffer->n - at)
                        break;
                handler(userdata, record);
                at += record->size;
        }
        buffer->n -= at;
        memmove(buffer->data, buffer->data + at, buffer->n);
        return 0;
}

static int read_all(int fd, BpfRecordHandler handler, void *userdata) {
        _cleanup_free_ Buffer *buffer = malloc(sizeof(Buffer));
        ssize_t n;
        int r = 0;

        if (!buffer)
                return -ENOMEM;
        buffer->n = 0;
        while (r >= 0) {
                n = read(fd, buffer->data + buffer->n, sizeof(buffer->data) - buffer->n);
                if (n == 0)
                        return buffer->n == 0 ? 0 : -EBADMSG;
                /* EAGAIN: the kernel has looked at as many threads as it does in one go. */
                if (n < 0 && errno != EINTR && errno != EAGAIN)
                        return -errno;
                if (n < 0)
                        continue;
                buffer->n += n;
                r = take_records(buffer, handler, userdata);
        }
        return r;
}

int bpf_iterator_read(const struct bpf_link *link, BpfRecordHandler handler, void *userdata) {
        _cleanup_close_ int fd = bpf_iter_create(bpf_link__fd(link));

        return fd < 0 ? fd : read_all(fd, handler, userdata);
}

static int read_some(const struct bpf_program *program, union bpf_iter_link_info *info, BpfRecordHandler handler,
                     void *userdata) {
        LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = info, .link_info_len = sizeof(*info));
        struct bpf_link *link = bpf_program__attach_iter(program, &options);
        int r;

        if (!link)
                return -errno;
        r = bpf_iterator_read(link, handler, userdata);
        bpf_link__destroy(link);
        return r;
}

int bpf_iterator_read_thread(const struct bpf_program *program, int64_t tid, BpfRecordHandler handler, void *userdata) {
        union bpf_iter_link_info info = { .task.tid = tid };

        return tid > 0 && tid <= INT_MAX ? read_some(program, &info, handler, userdata) : 0;
}

int bpf_iterator_read_process(const struct bpf_program *program, int64_t pid, BpfRecordHandler handler, void *userdata) {
        union bpf_iter_link_info info = { .task.pid = pid };

        return pid > 0 && pid <= INT_MAX ? read_some(program, &info, handler, userdata) : 0;
}
