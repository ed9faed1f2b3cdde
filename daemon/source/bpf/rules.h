/* SPDX-License-Identifier: GPL-2.0-only */
/* The rules of a domain. The kernel keeps them in two trees, of files and of ports, with those of all domains around it: a
 * rule has one layer for each of the domains that have a rule on that object.
 *
 * The trees are complete before anybody can live in the domain, and never change again; it is kept by each credential that
 * refers to it, and a credential by RCU, in whose read side an iterator runs. */
#pragma once

#include "source/bpf/domain.h"

/* What one look at a domain may cost: three steps for each rule at most, of which a program can make as many as it has
 * memory for. */
#define RULE_STEPS_MAX (32 * 1024)

/* One thread of landlockd reads, so that there is one. */
static BpfRulesRecord rules_record;

typedef struct RuleWalk {
        const struct rb_node *node, *previous;
        uint32_t level;   /* of the domain: 1 for the outermost */
        uint32_t handled; /* rights; the kernel keeps all others in each rule, too */
        uint32_t is_port;
} RuleWalk;

static __always_inline void fill_object_of_rule(BpfRule *rule, const struct landlock_rule *from, bool is_port) {
        const struct inode *inode;

        rule->is_port = is_port;
        if (is_port) {
                rule->key = BPF_CORE_READ(from, key.data);
                rule->dev = 0;
                return;
        }
        inode = BPF_CORE_READ(from, key.object, underobj);
        rule->key = inode ? BPF_CORE_READ(inode, i_ino) : 0;
        rule->dev = inode ? BPF_CORE_READ(inode, i_sb, s_dev) : 0;
}

/* One that is about a file that is not there any more is only counted. */
static __always_inline void add_rule(const RuleWalk *walk, const struct landlock_rule *from, uint32_t access) {
        uint32_t at = rules_record.n_rules;
        BpfRule *rule;

        rules_record.n_all++;
        barrier_var(at);
        if (at >= BPF_RECORD_RULES_MAX)
                return;
        rule = &rules_record.rules[at];
        rule->access = access & walk->handled;
        rule->number = rules_record.n_all;
        fill_object_of_rule(rule, from, walk->is_port);
        if (walk->is_port || rule->key != 0)
                rules_record.n_rules = at + 1;
}

/* The address of the layer of that level; NULL if there is none. */
__noinline uint64_t find_layer(uint64_t address, uint32_t level) {
        const struct landlock_rule *rule = (const void *) address;
        const void *layers = (const void *) rule + bpf_core_field_offset(struct landlock_rule, layers);
        uint32_t n_layers = BPF_CORE_READ(rule, num_layers);

        for (uint32_t i = 0; i < LANDLOCK_MAX_NUM_LAYERS && i < n_layers; i++) {
                const struct landlock_layer *layer = layers + i * bpf_core_type_size(struct landlock_layer);

                if (BPF_CORE_READ_BITFIELD_PROBED(layer, level) == level)
                        return (uint64_t) layer;
        }
        return 0;
}

static __always_inline void take_rule(const RuleWalk *walk, const struct rb_node *node) {
        const struct landlock_rule *rule = (const void *) node - bpf_core_field_offset(struct landlock_rule, node);
        const struct landlock_layer *layer = (const void *) find_layer((uint64_t) rule, walk->level);

        if (layer)
                add_rule(walk, rule, BPF_CORE_READ_BITFIELD_PROBED(layer, access));
}

/* From where it came, it goes on to what is left, to the rule itself, to what is right, and back. Returns whether it is
 * through. */
static long take_step(uint32_t i __attribute__((unused)), void *context) {
        RuleWalk *walk = context;
        const struct rb_node *node = walk->node, *left = BPF_CORE_READ(node, rb_left), *right = BPF_CORE_READ(node, rb_right);
        const struct rb_node *parent = (const void *) (BPF_CORE_READ(node, __rb_parent_color) & ~3UL);
        bool from_right = right && walk->previous == right;

        if (walk->previous == parent && left)
                walk->node = left;
        else {
                if (!from_right)
                        take_rule(walk, node);
                walk->node = right && !from_right ? right : parent;
        }
        walk->previous = node;
        return !walk->node;
}

/* Of the tree at that address. Returns whether that was all of them. */
__noinline bool add_rules(uint64_t address, uint32_t level, uint32_t handled, uint32_t is_port) {
        const struct rb_root *root = (const void *) address;
        RuleWalk walk = { .node = BPF_CORE_READ(root, rb_node), .level = level, .handled = handled, .is_port = is_port };

        if (walk.node)
                bpf_loop(RULE_STEPS_MAX, take_step, &walk, 0);
        return !walk.node;
}

/* Returns the record's size; 0 if there are too many to go through. `level`: that of one of the domain's layers. */
static __always_inline uint64_t fill_rules(const void *domain, const Layers *layers, uint32_t level) {
        const struct access_masks *handled = layers->masks + (level - 1) * bpf_core_type_size(struct access_masks);
        uint32_t handled_fs = BPF_CORE_READ_BITFIELD_PROBED(handled, fs), n;
        uint32_t handled_net = BPF_CORE_READ_BITFIELD_PROBED(handled, net);
        const void *files, *ports;

        if (bpf_core_type_exists(struct landlock_domain)) {
                files = domain + bpf_core_field_offset(struct landlock_domain, rules.root_inode);
                ports = domain + bpf_core_field_offset(struct landlock_domain, rules.root_net_port);
        } else {
                files = domain + bpf_core_field_offset(struct landlock_ruleset___domain, root_inode);
                ports = domain + bpf_core_field_offset(struct landlock_ruleset___domain, root_net_port);
        }
        rules_record.n_all = rules_record.n_rules = 0;
        if (!add_rules((uint64_t) files, level, handled_fs, false) || !add_rules((uint64_t) ports, level, handled_net, true))
                return 0;

        n = rules_record.n_rules;
        rules_record.record.type = BPF_RECORD_RULES;
        rules_record.record.size = __builtin_offsetof(BpfRulesRecord, rules) + n * sizeof(BpfRule);
        return rules_record.record.size;
}
