/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/bpf-switch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#define PATH "/proc/sys/kernel/ftrace_enabled"

struct BpfSwitch {
        struct event *changed;
        void (*fn)(void *userdata, bool on);
        void *userdata;
        int file; /* is kept open: the kernel could make another inode for the file, of which inotify would not tell */
        int inotify;
        bool on;
};

static bool read_switch(const BpfSwitch *sw) {
        char value = '1';

        return sw->file < 0 || pread(sw->file, &value, 1, 0) <= 0 || value != '0';
}

/* How many have written to it, and closed it, since this was called last. Of a file, events have no name. */
static size_t count_writers(int inotify) {
        struct inotify_event events[16];
        size_t n_writers = 0;
        ssize_t size;

        while ((size = read(inotify, events, sizeof(events))) > 0)
                for (size_t i = 0; i < size / sizeof(events[0]); i++)
                        n_writers += !!(events[i].mask & IN_CLOSE_WRITE);
        return n_writers;
}

static void on_changed(evutil_socket_t fd, short what _unused_, void *userdata) {
        BpfSwitch *sw = userdata;
        size_t n_writers = count_writers(fd);
        bool was_on = sw->on;

        sw->on = read_switch(sw);
        /* Of two, the first can have switched it off for a moment. */
        if (was_on && (!sw->on || n_writers > 1))
                sw->fn(sw->userdata, false);
        if (sw->on && (!was_on || n_writers > 1))
                sw->fn(sw->userdata, true);
}

static int watch(BpfSwitch *sw, struct event_base *base) {
        char path[40];

        snprintf(path, sizeof(path), "/proc/self/fd/%d", sw->file);
        sw->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (sw->inotify < 0 || inotify_add_watch(sw->inotify, path, IN_MODIFY | IN_CLOSE_WRITE) < 0)
                return -errno;
        sw->changed = event_new(base, sw->inotify, EV_READ | EV_PERSIST, on_changed, sw);
        return sw->changed && event_add(sw->changed, NULL) >= 0 ? 0 : -ENOMEM;
}

int bpf_switch_new(
                BpfSwitch **ret, struct event_base *base, int file, void (*fn)(void *userdata, bool on), void *userdata) {
        _cleanup_(bpf_switch_freep) BpfSwitch *sw = calloc(1, sizeof(BpfSwitch));
        int r;

        if (!sw)
                return -ENOMEM;
        sw->fn = fn;
        sw->userdata = userdata;
        sw->inotify = -EBADF;
        sw->file = file >= 0 ? fcntl(file, F_DUPFD_CLOEXEC, 0) : open(PATH, O_RDONLY | O_CLOEXEC);
        r = sw->file < 0 ? 0 : watch(sw, base);
        if (r < 0)
                return r;
        sw->on = read_switch(sw);
        *ret = TAKE_PTR(sw);
        return 0;
}

BpfSwitch *bpf_switch_free(BpfSwitch *sw) {
        if (!sw)
                return NULL;

        FREE_IF_SET(event_free, sw->changed);
        closep(&sw->inotify);
        closep(&sw->file);
        free(sw);
        return NULL;
}

bool bpf_switch_is_on(const BpfSwitch *sw) {
        return sw->on;
}
