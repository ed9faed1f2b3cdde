/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/bpf-events.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "base/clock.h"
#include "source/bpf-kernel.h"
#include "source/bpf/events.skel.h"

/* Of what the kernel takes as the size of a ring buffer. */
#define BUFFER_SIZE_MAX (UINT64_C(1) << 30)

/* Between two words of what was lost. */
#define TELL_INTERVAL_USEC (1 * USEC_PER_SEC)

/* What the program at the beginning of a function missed, that at its end has told by then, or missed, too: however long
 * a thread had to wait for a processor between them, on a machine with thousands that want one. */
#define SURE_AFTER_USEC (10 * USEC_PER_SEC)

struct BpfEvents {
        struct events_bpf *programs;
        struct ring_buffer *ring;
        BpfEventsOptions options;
        size_t n_left; /* records that this turn may hand over */
        uint64_t n_not_told, n_never_told; /* by programs that the kernel did not begin, when they were counted last */
        uint64_t counted_usec;             /* monotonic */
        uint64_t n_lost;                   /* that was told */
        uint64_t told_usec;                /* monotonic */
};

static int on_sample(void *userdata, void *data, size_t size) {
        BpfEvents *events = userdata;
        const BpfRecord *record = data;

        if (size >= sizeof(*record) && record->size == size)
                events->options.handler(events->options.userdata, record);
        /* Ends this turn; the record is taken. */
        return --events->n_left > 0 ? 0 : -EAGAIN;
}

/* A power of two that is as large or larger. */
static uint32_t ring_size(uint64_t size) {
        uint64_t n = sysconf(_SC_PAGESIZE);

        while (n < size && n < BUFFER_SIZE_MAX)
                n *= 2;
        return n;
}

static bool serves(const struct bpf_program *program, BpfEventsWay way) {
        switch (bpf_program__type(program)) {
        case BPF_PROG_TYPE_TRACING:
                return way == BPF_EVENTS_FUNCTIONS;
        case BPF_PROG_TYPE_TRACEPOINT:
                return way == BPF_EVENTS_SYSTEM_CALL;
        default:
                return way == BPF_EVENTS_EXITS;
        }
}

static void choose_programs(BpfEvents *events) {
        bool functions = events->options.way == BPF_EVENTS_FUNCTIONS;
        BpfKernelFunctions kernel = {};
        struct bpf_program *program;

        if (functions)
                kernel = bpf_kernel_functions();
        bpf_object__for_each_program(program, events->programs->obj)
                bpf_program__set_autoload(program, serves(program, events->options.way));
        bpf_program__set_autoload(events->programs->progs.log_denial, functions && kernel.denials_are_understood);
        bpf_program__set_autoload(events->programs->progs.logged_denial, functions && kernel.denials_are_understood);
        bpf_program__set_autoload(events->programs->progs.restrict_threads, functions && kernel.restricts_threads);
        bpf_program__set_autoload(events->programs->progs.restricted_threads, functions && kernel.restricts_threads);
}

static int set_up(BpfEvents *events) {
        LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = BPF_KERNEL_TYPES);
        int r;

        events->programs = events_bpf__open_opts(&options);
        if (!events->programs)
                return -errno;
        choose_programs(events);
        r = bpf_map__set_max_entries(events->programs->maps.records, ring_size(events->options.buffer_size));
        if (r >= 0)
                r = events_bpf__load(events->programs);
        if (r < 0)
                return r;

        events->ring = ring_buffer__new(bpf_map__fd(events->programs->maps.records), on_sample, events, NULL);
        if (!events->ring)
                return -errno;
        events->programs->bss->credential_offset = events->options.credential_offset;
        events->programs->bss->tell_exits = events->options.way == BPF_EVENTS_EXITS;
        return events_bpf__attach(events->programs);
}

int bpf_events_new(BpfEvents **ret, const BpfEventsOptions *options) {
        _cleanup_(bpf_events_freep) BpfEvents *events = calloc(1, sizeof(BpfEvents));
        int r;

        if (!events)
                return -ENOMEM;
        events->options = *options;
        r = set_up(events);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(events);
        return 0;
}

BpfEvents *bpf_events_free(BpfEvents *events) {
        if (!events)
                return NULL;

        ring_buffer__free(events->ring);
        events_bpf__destroy(events->programs);
        free(events);
        return NULL;
}

int bpf_events_fd(const BpfEvents *events) {
        return ring_buffer__epoll_fd(events->ring);
}

void bpf_events_be_quiet(BpfEvents *events) {
        events->programs->bss->quiet = true;
}

bool bpf_events_read(BpfEvents *events, size_t n_max) {
        events->n_left = n_max;
        return ring_buffer__consume(events->ring) < 0;
}

/* Times that the kernel did not begin a program because it had not ended on this CPU. */
static uint64_t count_missed(const struct bpf_program *program) {
        struct bpf_prog_info info = {};
        uint32_t size = sizeof(info);
        int fd = bpf_program__fd(program);

        return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) >= 0 ? info.recursion_misses : 0;
}

/* Until now: what there was no room for, or no other program tells; of two that tell the same, no more than the one that
 * missed less. Not of commit_creds(): what is missed there is nearly always about threads that are in no domain. */
static uint64_t count_lost(const struct events_bpf *programs) {
        uint64_t n_missed_twice = MIN(count_missed(programs->progs.thread_leaves),
                                      count_missed(programs->progs.thread_leaves_too));

        return programs->bss->n_lost + count_missed(programs->progs.after_restrict_self) +
                count_missed(programs->progs.thread_exits) + n_missed_twice;
}

/* Until now, of functions: what was not told at their beginning, and not yet at their end. */
static uint64_t count_not_told(const struct events_bpf *programs) {
        uint64_t n_missed = count_missed(programs->progs.log_denial) + count_missed(programs->progs.log_drop_domain);
        uint64_t n_late = programs->bss->n_late_denials + programs->bss->n_late_ends;

        return n_missed > n_late ? n_missed - n_late : 0;
}

uint64_t bpf_events_take_lost(BpfEvents *events) {
        uint64_t now_usec = clock_monotonic_usec(), n_not_told, n_sure, n_lost, n_new;

        if (now_usec - events->told_usec < TELL_INTERVAL_USEC)
                return 0;
        events->told_usec = now_usec;
        if (now_usec - events->counted_usec >= SURE_AFTER_USEC) {
                n_not_told = count_not_told(events->programs);
                n_sure = MIN(n_not_told, events->n_not_told);
                events->n_never_told = MAX(events->n_never_told, n_sure);
                events->n_not_told = n_not_told;
                events->counted_usec = now_usec;
        }
        n_lost = count_lost(events->programs) + events->n_never_told;
        n_new = n_lost - events->n_lost;
        events->n_lost = n_lost;
        return n_new;
}

bool bpf_events_tell_denials(const BpfEvents *events) {
        return bpf_program__autoload(events->programs->progs.log_denial);
}
