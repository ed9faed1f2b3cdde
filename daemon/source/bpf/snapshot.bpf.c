/* SPDX-License-Identifier: GPL-2.0-only */
/* All threads that live in a domain, and these domains, as they are now: iterators over the kernel's threads. */
#include "source/bpf/cgroup.h"
#include "source/bpf/domain.h"
#include "source/bpf/rules.h"

char LICENSE[] SEC("license") = "GPL";

/* Where a credential's domain is not as it has to be. */
uint32_t n_malformed;

/* Domains that have been written, each with the run in which it was, and whether that was for a thread that lives in it:
 * see writing(). One that is pushed out is written again, which does no harm. */
struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 8192);
        __type(key, uint64_t);
        __type(value, uint32_t);
} written SEC(".maps");

uint32_t run;

/* One thread of landlockd reads, so that there is one of each. */
static BpfDomainRecord domain_record;
static const struct landlock_hierarchy *chain[LANDLOCK_MAX_NUM_LAYERS]; /* the outermost first */
static uint64_t ids[LANDLOCK_MAX_NUM_LAYERS];                           /* of those that have to be written; else 0 */

/* How many there are. That it is checked to be within bounds is hidden from the compiler, which would leave the second check
 * out of loops: the verifier, which does not remember as much, needs it there. */
static __always_inline uint32_t number_of(const Layers *layers) {
        uint32_t n = layers->n;

        barrier_var(n);
        return n;
}

/* Follows the layers outwards; there must be as many as the domain says. */
static __always_inline bool follow_layers(const Layers *layers) {
        const struct landlock_hierarchy *hierarchy = layers->innermost;
        uint32_t n = number_of(layers);

        if (layers->n == 0 || layers->n > LANDLOCK_MAX_NUM_LAYERS)
                return false;
        for (uint32_t i = 0; i < LANDLOCK_MAX_NUM_LAYERS && i < n; i++) {
                if (!hierarchy)
                        return false;
                chain[(n - 1 - i) % LANDLOCK_MAX_NUM_LAYERS] = hierarchy;
                hierarchy = BPF_CORE_READ(hierarchy, parent);
        }
        return !hierarchy;
}

/* What is remembered of a domain: more, if it is written for one that lives in it and not only in one nested in it. */
static __always_inline uint32_t writing(bool innermost) {
        return run << 1 | innermost;
}

static __always_inline bool is_written(uint64_t domain, bool innermost) {
        const uint32_t *last = bpf_map_lookup_elem(&written, &domain);

        return last && (*last | !innermost) == writing(true);
}

/* By what the thread's own domain is recognised comes before it. Returns whether there was room. */
static __always_inline bool write_member(struct seq_file *seq, const struct task_struct *task, const Layers *layers) {
        uint64_t domain = innermost_id(layers);
        uint64_t size = is_written(domain, true) ? 0 : fill_member(task, domain);

        barrier_var(size);
        return size == 0 || size > sizeof(member_record) || bpf_seq_write(seq, &member_record, size) >= 0;
}

/* Of a thread either all that is to be written is, or the kernel calls again when there is room. */
static __always_inline int write_domains(struct seq_file *seq, const Layers *layers) {
        uint32_t n = number_of(layers);

        for (uint32_t i = 0; i < LANDLOCK_MAX_NUM_LAYERS && i < n; i++) {
                const struct landlock_hierarchy *hierarchy = chain[i];
                uint64_t id = BPF_CORE_READ(hierarchy, id);
                uint64_t size;

                ids[i] = is_written(id, i + 1 == n) ? 0 : id;
                if (ids[i] == 0)
                        continue;
                size = fill_domain(&domain_record, hierarchy, layers, i);
                if (size > sizeof(domain_record))
                        return -1;
                if (bpf_seq_write(seq, &domain_record, size) < 0)
                        return -1;
        }
        return 0;
}

static __always_inline void remember_written(const Layers *layers) {
        uint32_t n = number_of(layers);

        for (uint32_t i = 0; i < LANDLOCK_MAX_NUM_LAYERS && i < n; i++) {
                uint32_t value = writing(i + 1 == n);

                if (ids[i] != 0)
                        bpf_map_update_elem(&written, &ids[i], &value, BPF_ANY);
        }
}

/* A thread that has begun to exit may have told so already: it does not come back. */
static __always_inline bool is_living(const struct task_struct *task) {
        return !(task->flags & PF_EXITING);
}

SEC("iter/task")
int threads(struct bpf_iter__task *context) {
        const struct task_struct *task = context->task;
        const void *domain = task && is_living(task) ? domain_of(task) : NULL;
        BpfThreadRecord record;
        Layers layers;

        if (!domain)
                return 0;
        get_layers(domain, &layers);
        if (!follow_layers(&layers)) {
                n_malformed++;
                return 0;
        }
        if (!write_member(context->meta->seq, task, &layers) || write_domains(context->meta->seq, &layers) < 0)
                return 0;
        fill_thread(&record, task, innermost_id(&layers));
        if (bpf_seq_write(context->meta->seq, &record, sizeof(record)) >= 0)
                remember_written(&layers);
        return 0;
}

/* For one thread, in a domain or not. */
SEC("iter/task")
int thread(struct bpf_iter__task *context) {
        const struct task_struct *task = context->task;
        BpfThreadRecord record;
        const void *domain;
        Layers layers = {};

        if (!task || !is_living(task))
                return 0;
        domain = domain_of(task);
        if (domain)
                get_layers(domain, &layers);
        fill_thread(&record, task, innermost_id(&layers));
        bpf_seq_write(context->meta->seq, &record, sizeof(record));
        return 0;
}

/* The domain whose rules are wanted; and whether it has more than can be gone through. */
uint64_t wanted_domain;
uint32_t wanted_is_too_big;

/* For one thread that is in that domain, or in one nested in it: the domain's rules. */
SEC("iter/task")
int rules(struct bpf_iter__task *context) {
        const struct task_struct *task = context->task;
        const void *domain = task ? domain_of(task) : NULL;
        uint32_t level = 0, n;
        Layers layers;
        uint64_t size;

        if (!domain)
                return 0;
        get_layers(domain, &layers);
        if (!follow_layers(&layers))
                return 0;
        n = number_of(&layers);
        for (uint32_t i = 0; i < LANDLOCK_MAX_NUM_LAYERS && i < n; i++)
                if (BPF_CORE_READ(chain[i], id) == wanted_domain)
                        level = i + 1;
        size = level ? fill_rules(domain, &layers, level) : 0;
        wanted_is_too_big = level && size == 0;
        rules_record.domain = wanted_domain;
        barrier_var(size);
        if (size > 0 && size <= sizeof(rules_record))
                bpf_seq_write(context->meta->seq, &rules_record, size);
        return 0;
}

/* For one thread: what there is at the offset. */
SEC("iter/task")
int credential(struct bpf_iter__task *context) {
        const struct task_struct *task = context->task;
        const struct landlock_cred_security *credential = task ? credential_of(task) : NULL;
        BpfCredentialRecord record = {
                .record = { BPF_RECORD_CREDENTIAL, sizeof(record) },
        };

        if (!credential)
                return 0;
        record.domain_address = (uint64_t) BPF_CORE_READ(credential, domain);
        record.domain_exec = BPF_CORE_READ(credential, domain_exec);
        record.log_subdomains_off = BPF_CORE_READ_BITFIELD_PROBED(credential, log_subdomains_off);
        bpf_seq_write(context->meta->seq, &record, sizeof(record));
        return 0;
}
