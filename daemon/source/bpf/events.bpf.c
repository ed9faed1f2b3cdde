/* SPDX-License-Identifier: GPL-2.0-only */
/* What Linux 7.3 tells by trace events of its own, for kernels before it: domains that are made, threads that restrict
 * themselves, accesses that are denied, domains that end. */
#include "source/bpf/denial.h"

char LICENSE[] SEC("license") = "GPL";

/* Records for which there was no room. */
uint64_t n_lost;

/* What was not told at the beginning of a function, but at its end. */
uint64_t n_late_denials, n_late_ends;

struct {
        __uint(type, BPF_MAP_TYPE_RINGBUF);
} records SEC(".maps");

/* Where a record is put together. Each program has one on each CPU: the kernel does not begin a program again on a CPU
 * on which it has not ended, but it may begin another one. */
typedef union Scratch {
        BpfRestrictionRecord restriction;
        BpfDenialRecord denial;
} Scratch;

enum { SCRATCH_COMMIT, SCRATCH_COMMITTED, SCRATCH_RESTRICTED, SCRATCH_EXIT, SCRATCH_DENY, SCRATCH_DENIED, SCRATCH_MAX };

struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, SCRATCH_MAX);
        __type(key, uint32_t);
        __type(value, Scratch);
} scratches SEC(".maps");

/* Processes all of whose threads are being restricted (LANDLOCK_RESTRICT_SELF_TSYNC), and the thread that asked for it. */
struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 1024);
        __type(key, int);
        __type(value, int);
} process_wide SEC(".maps");

#define _unused_ __attribute__((unused))

static __always_inline Scratch *get_scratch(uint32_t index) {
        return bpf_map_lookup_elem(&scratches, &index);
}

/* Whether others wake landlockd up. Where a program can lose its processor, it would lose it to landlockd, again and
 * again: and while it has, it is not run for anybody else there. */
bool quiet;

static __always_inline void submit(void *record, uint64_t size) {
        if (bpf_ringbuf_output(&records, record, size, quiet ? BPF_RB_NO_WAKEUP : 0) < 0)
                __sync_fetch_and_add(&n_lost, 1);
}

static __always_inline struct task_struct *current_task(void) {
        return (struct task_struct *) bpf_get_current_task();
}

static __always_inline const void *domain_of_credential(const struct cred *credential) {
        const void *blob = BPF_CORE_READ(credential, security);
        const struct landlock_cred_security *landlock = blob + credential_offset;

        return blob ? BPF_CORE_READ(landlock, domain) : NULL;
}

/* The current thread, and one layer of the domain that it is in or gets into. */
static __always_inline uint64_t fill_layer(BpfRestrictionRecord *record, BpfRecordType type, const Layers *layers,
                                           const struct landlock_hierarchy *hierarchy, uint32_t layer) {
        const struct task_struct *task = current_task();
        uint64_t size;

        if (!hierarchy || layer >= layers->n || layers->n > LANDLOCK_MAX_NUM_LAYERS)
                return 0;
        size = fill_domain(&record->domain, hierarchy, layers, layer);
        if (size > sizeof(record->domain))
                return 0;
        size += __builtin_offsetof(BpfRestrictionRecord, domain);
        record->record.type = type;
        record->record.size = size;
        record->time_ns = bpf_ktime_get_boot_ns();
        fill_thread(&record->thread, task, innermost_id(layers));
        record->creator_tid = record->thread.tid;
        record->n_threads = BPF_CORE_READ(task, signal, nr_threads);
        record->process_wide = record->n_threads == 1;
        record->no_new_privs = BPF_CORE_READ(task, atomic_flags) >> PFA_NO_NEW_PRIVS & 1;
        return size;
}

static __always_inline uint64_t fill_restriction(BpfRestrictionRecord *record, BpfRecordType type, const void *domain) {
        Layers layers;

        get_layers(domain, &layers);
        return fill_layer(record, type, &layers, layers.innermost, layers.n - 1);
}

static __always_inline void submit_restriction(BpfRestrictionRecord *record, uint64_t size) {
        if (size > 0 && size <= sizeof(*record))
                submit(record, size);
}

static __always_inline void tell_count(BpfRecordType type, const struct landlock_hierarchy *hierarchy) {
        BpfCountRecord record = {
                .record = { type, sizeof(record) },
                .time_ns = bpf_ktime_get_boot_ns(),
                .domain = BPF_CORE_READ(hierarchy, id),
                .n_denials = BPF_CORE_READ(hierarchy, num_denials.counter),
                .counted = is_counted(hierarchy),
        };

        submit(&record, sizeof(record));
}

/* --- attached to functions ------------------------------------------------------------------------------------- */

/* Of the function, and behind them what it returns. */
typedef struct Arguments {
        const void *pointers[3];
} Arguments;

/* What a thread has told, by its address in the kernel, from the beginning of a function to its end. The kernel does not
 * begin a program on a CPU on which it was interrupted by the very thread that would run it now. So what happens is told
 * at the beginning of a function, and at its end by another program if the first one was not run. */
typedef struct Told {
        const void *address;
        uint64_t thread;
} Told;

struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 4096);
        __type(key, Told);
        __type(value, char);
} told SEC(".maps");

static __always_inline void remember_told(const void *address) {
        const Told key = { address, bpf_get_current_pid_tgid() };
        char yes = 1;

        bpf_map_update_elem(&told, &key, &yes, BPF_ANY);
}

static __always_inline bool was_told(const void *address) {
        const Told key = { address, bpf_get_current_pid_tgid() };

        return bpf_map_delete_elem(&told, &key) == 0;
}

/* Threads that have made a domain and are about to get into it. */
struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 1024);
        __type(key, int);
        __type(value, char);
} makers SEC(".maps");

SEC("fexit/landlock_merge_ruleset")
int merge_ruleset(const Arguments *arguments) {
        int tid = bpf_get_current_pid_tgid();
        char yes = 1;

        /* Errors are the last 4095 addresses. */
        if (arguments->pointers[2] && (uint64_t) arguments->pointers[2] < (uint64_t) -4095)
                bpf_map_update_elem(&makers, &tid, &yes, BPF_ANY);
        return 0;
}

static __always_inline bool was_maker(void) {
        int tid = bpf_get_current_pid_tgid();

        return bpf_map_delete_elem(&makers, &tid) == 0;
}

SEC("fentry/landlock_restrict_sibling_threads")
int restrict_threads(const void *context _unused_) {
        int pid = bpf_get_current_pid_tgid() >> 32, tid = bpf_get_current_pid_tgid();

        bpf_map_update_elem(&process_wide, &pid, &tid, BPF_ANY);
        return 0;
}

SEC("fexit/landlock_restrict_sibling_threads")
int restricted_threads(const Arguments *arguments) {
        int pid = bpf_get_current_pid_tgid() >> 32, result = (long) arguments->pointers[2];

        if (result >= 0)
                return 0;
        bpf_map_delete_elem(&process_wide, &pid);
        was_maker();
        return 0;
}

/* Whoever asked for it is the last one. Returns whether anybody did. */
static __always_inline bool note_process_wide(BpfRestrictionRecord *record) {
        int pid = record->thread.pid;
        const int *tid = bpf_map_lookup_elem(&process_wide, &pid);

        if (!tid)
                return false;
        record->process_wide = true;
        record->creator_tid = *tid;
        if (*tid == record->thread.tid)
                bpf_map_delete_elem(&process_wide, &pid);
        return true;
}

/* The one place where the current thread gets into another domain, from which there is no way back. */
SEC("fentry/commit_creds")
int commit_creds(const Arguments *arguments) {
        const void *domain = domain_of_credential(arguments->pointers[0]);
        Scratch *scratch;
        uint64_t size;

        if (!domain)
                return 0;
        remember_told(arguments->pointers[0]);
        scratch = get_scratch(SCRATCH_COMMIT);
        if (!scratch || domain == domain_of(current_task()))
                return 0;
        size = fill_restriction(&scratch->restriction, BPF_RECORD_RESTRICTED, domain);
        was_maker();
        note_process_wide(&scratch->restriction);
        submit_restriction(&scratch->restriction, size);
        return 0;
}

/* In which domain it was before is not known any more: a change that nobody announced is none that can be told. */
SEC("fexit/commit_creds")
int committed_creds(const Arguments *arguments) {
        const void *domain = domain_of_credential(arguments->pointers[0]);
        Scratch *scratch = get_scratch(SCRATCH_COMMITTED);
        bool is_announced;
        uint64_t size;

        if (!domain || !scratch || was_told(arguments->pointers[0]))
                return 0;
        size = fill_restriction(&scratch->restriction, BPF_RECORD_INSIDE, domain);
        is_announced = was_maker();
        is_announced |= note_process_wide(&scratch->restriction);
        if (is_announced)
                scratch->restriction.record.type = BPF_RECORD_RESTRICTED;
        submit_restriction(&scratch->restriction, size);
        return 0;
}

/* Whether the current thread is who was denied, and in the domain that did. A file, or whoever is to get a signal or to
 * be traced, can bring the domain of another one. */
static __always_inline bool is_subject(const struct landlock_cred_security *subject, uint32_t request,
                                       const struct landlock_hierarchy *hierarchy, uint32_t layer) {
        const struct task_struct *task = current_task();
        const void *domain = domain_of(task);
        Layers layers;

        if (request == LANDLOCK_REQUEST_SCOPE_SIGNAL || request == LANDLOCK_REQUEST_PTRACE)
                return (const void *) subject == (const void *) credential_of(task);
        if (!domain)
                return false;
        get_layers(domain, &layers);
        return layer_of(&layers, layer) == hierarchy;
}

static __always_inline bool is_silent(const struct landlock_hierarchy *hierarchy, bool same_exec) {
        if (!is_counted(hierarchy))
                return true;
        return same_exec ? !BPF_CORE_READ_BITFIELD_PROBED(hierarchy, log_same_exec)
                         : !BPF_CORE_READ_BITFIELD_PROBED(hierarchy, log_new_exec);
}

static __always_inline bool fill_denial(BpfDenialRecord *record, const struct landlock_cred_security *subject,
                                        const struct landlock_request *request) {
        const void *domain = BPF_CORE_READ(subject, domain);
        const struct landlock_hierarchy *hierarchy;
        Refusal refusal;
        Layers layers;

        if (!domain)
                return false;
        get_layers(domain, &layers);
        get_refusal(request, layers.n, &refusal);
        hierarchy = layer_of(&layers, refusal.layer);
        if (!hierarchy)
                return false;

        __builtin_memset(record, 0, __builtin_offsetof(BpfDenialRecord, name));
        record->record.type = BPF_RECORD_DENIED;
        record->time_ns = bpf_ktime_get_boot_ns();
        record->domain = BPF_CORE_READ(hierarchy, id);
        record->access = refusal.access;
        record->request = BPF_CORE_READ(request, type);
        record->same_exec = BPF_CORE_READ(subject, domain_exec) >> (refusal.layer % LANDLOCK_MAX_NUM_LAYERS) & 1;
        record->is_silent = is_silent(hierarchy, record->same_exec);
        record->is_subject = is_subject(subject, record->request, hierarchy, refusal.layer);
        fill_thread(&record->thread, current_task(), 0);
        fill_object(record, request);
        return true;
}

static __always_inline void tell_denial(uint32_t scratch_index, const Arguments *arguments) {
        Scratch *scratch = get_scratch(scratch_index);
        uint64_t size;

        if (!scratch || !fill_denial(&scratch->denial, arguments->pointers[0], arguments->pointers[1]))
                return;
        size = __builtin_offsetof(BpfDenialRecord, name) + (((uint64_t) scratch->denial.n_name + 7) & 0x1f8);
        scratch->denial.record.size = size;
        if (size <= sizeof(scratch->denial))
                submit(&scratch->denial, size);
}

SEC("fentry/landlock_log_denial")
int log_denial(const Arguments *arguments) {
        remember_told(arguments->pointers[1]);
        tell_denial(SCRATCH_DENY, arguments);
        return 0;
}

SEC("fexit/landlock_log_denial")
int logged_denial(const Arguments *arguments) {
        if (was_told(arguments->pointers[1]))
                return 0;
        tell_denial(SCRATCH_DENIED, arguments);
        __sync_fetch_and_add(&n_late_denials, 1);
        return 0;
}

SEC("fentry/landlock_log_drop_domain")
int log_drop_domain(const Arguments *arguments) {
        remember_told(arguments->pointers[0]);
        tell_count(BPF_RECORD_FREED, arguments->pointers[0]);
        return 0;
}

SEC("fexit/landlock_log_drop_domain")
int logged_drop_domain(const Arguments *arguments) {
        if (was_told(arguments->pointers[0]))
                return 0;
        tell_count(BPF_RECORD_FREED, arguments->pointers[0]);
        __sync_fetch_and_add(&n_late_ends, 1);
        return 0;
}

/* --- where the kernel refuses that ----------------------------------------------------------------------------- */

/* What events/syscalls/sys_enter_landlock_restrict_self/format describes. */
typedef struct SystemCall {
        uint64_t common;
        uint64_t number;
        uint64_t ruleset_fd, flags;
} SystemCall;

/* What a thread was called with, and the domain that it was in. */
typedef struct Before {
        uint64_t domain;
        uint64_t flags;
} Before;

struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 1024);
        __type(key, int);
        __type(value, Before);
} callers SEC(".maps");

static __always_inline uint64_t current_domain_id(const void *domain) {
        Layers layers = {};

        if (domain)
                get_layers(domain, &layers);
        return innermost_id(&layers);
}

SEC("tracepoint/syscalls/sys_enter_landlock_restrict_self")
int before_restrict_self(const SystemCall *call) {
        const Before before = { current_domain_id(domain_of(current_task())), call->flags };
        int tid = bpf_get_current_pid_tgid();

        bpf_map_update_elem(&callers, &tid, &before, BPF_ANY);
        return 0;
}

/* A call that succeeds need not make a domain: it can be about its log only. */
SEC("tracepoint/syscalls/sys_exit_landlock_restrict_self")
int after_restrict_self(const void *context _unused_) {
        const void *domain = domain_of(current_task());
        Scratch *scratch = get_scratch(SCRATCH_RESTRICTED);
        int tid = bpf_get_current_pid_tgid();
        const Before *before = bpf_map_lookup_elem(&callers, &tid);
        uint64_t size;

        if (!domain || !scratch || !before || before->domain == current_domain_id(domain))
                return 0;
        size = fill_restriction(&scratch->restriction, BPF_RECORD_RESTRICTED, domain);
        scratch->restriction.process_wide |= !!(before->flags & LANDLOCK_RESTRICT_SELF_TSYNC);
        submit_restriction(&scratch->restriction, size);
        return 0;
}

/* How often each domain had denied something when that was told last. */
struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 4096);
        __type(key, uint64_t);
        __type(value, uint64_t);
} told_denials SEC(".maps");

static __always_inline void tell_denials_counted(const struct landlock_hierarchy *hierarchy) {
        uint64_t id = BPF_CORE_READ(hierarchy, id), n_denials = BPF_CORE_READ(hierarchy, num_denials.counter);
        const uint64_t *n_told = bpf_map_lookup_elem(&told_denials, &id);

        if (n_denials == 0 || (n_told && *n_told == n_denials))
                return;
        bpf_map_update_elem(&told_denials, &id, &n_denials, BPF_ANY);
        tell_count(BPF_RECORD_COUNTED, hierarchy);
}

/* Whether nobody tells who gets into a domain: then it is told who leaves one, and which, if nobody has before. A child
 * that nobody follows could have children, so each exit counts. */
bool tell_exits;

/* Domains that were told of. */
struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 8192);
        __type(key, uint64_t);
        __type(value, char);
} told_domains SEC(".maps");

static __always_inline void tell_untold(const Layers *layers, const struct landlock_hierarchy *hierarchy, uint32_t layer) {
        Scratch *scratch = get_scratch(SCRATCH_EXIT);
        uint64_t id = BPF_CORE_READ(hierarchy, id), size;
        char yes = 1;

        if (!scratch || bpf_map_lookup_elem(&told_domains, &id))
                return;
        size = fill_layer(&scratch->restriction, BPF_RECORD_INSIDE, layers, hierarchy, layer);
        submit_restriction(&scratch->restriction, size);
        bpf_map_update_elem(&told_domains, &id, &yes, BPF_ANY);
}

static __always_inline void tell_exit(const Layers *layers) {
        BpfExitRecord record = {
                .record = { BPF_RECORD_EXITING, sizeof(record) },
                .time_ns = bpf_ktime_get_boot_ns(),
        };

        fill_thread(&record.thread, current_task(), innermost_id(layers));
        submit(&record, sizeof(record));
}

/* The last thread of a domain is the last that is denied anything by it: what the kernel has counted by then is all, also
 * what it does not log. */
static __always_inline void tell_leaving(const void *domain) {
        const struct landlock_hierarchy *hierarchy;
        Layers layers;

        get_layers(domain, &layers);
        hierarchy = layers.innermost;
        for (uint32_t i = 0; hierarchy && i < LANDLOCK_MAX_NUM_LAYERS; i++) {
                if (tell_exits)
                        tell_untold(&layers, hierarchy, layers.n - 1 - i);
                tell_denials_counted(hierarchy);
                hierarchy = BPF_CORE_READ(hierarchy, parent);
        }
        if (tell_exits)
                tell_exit(&layers);
}

SEC("tracepoint/sched/sched_process_exit")
int thread_exits(const void *context _unused_) {
        const void *domain = domain_of(current_task());

        if (domain)
                tell_leaving(domain);
        return 0;
}

/* The same at raw tracepoints, which take no perf_event_open(). A program there can lose the processor to a thread that
 * exits, for which it is not run then (Linux 7.2): so there are two of them, of which either does it. */
static __always_inline void tell_leaving_once(void) {
        const void *domain = domain_of(current_task());

        if (!domain || was_told(domain))
                return;
        remember_told(domain);
        tell_leaving(domain);
}

SEC("raw_tracepoint/sched_process_exit")
int thread_leaves(const void *context _unused_) {
        tell_leaving_once();
        return 0;
}

SEC("raw_tracepoint/sched_process_exit")
int thread_leaves_too(const void *context _unused_) {
        tell_leaving_once();
        return 0;
}
