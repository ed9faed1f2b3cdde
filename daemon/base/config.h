/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* landlockd.conf(5): read at the start, and again when asked to. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum AuditMode {
        AUDIT_AUTO, /* enable the kernel's audit unless an audit daemon decides about it */
        AUDIT_YES,  /* enable it or fail */
        AUDIT_NO,   /* never change it */
} AuditMode;

#define CONFIG_TRACE_INSTANCE_MAX 64

typedef struct Config {
        AuditMode audit;
        uint64_t audit_backlog_limit; /* records; 0: leave the kernel's */
        uint64_t audit_receive_buffer; /* bytes */
        bool trace, bpf;
        bool unprivileged_access; /* on D-Bus, to what is one's own */
        char trace_instance[CONFIG_TRACE_INSTANCE_MAX + 1];
        uint64_t trace_buffer_size; /* bytes for each CPU */
        uint64_t max_domains, max_denials, max_processes, max_threads, max_rulesets, max_rules;
        uint64_t json_history_size; /* bytes */
        uint64_t json_max_clients;
        int log_priority;
} Config;

#define CONFIG_FILE_DEFAULT SYSCONFDIR "/landlockd/landlockd.conf"

void config_set_defaults(Config *config);

/* Reads `path`, then every `*.conf` in the directory PATH.d in the order of their names. A `path` of NULL is the default file, which need
 * not exist. The first error ends it: -errno, with a sentence in `error` that names file and line. */
int config_load(Config *config, const char *path, char *error, size_t error_size);

/* Calls for each setting, by its key, that is not the same in both. */
void config_compare(const Config *a, const Config *b, void (*fn)(void *userdata, const char *key), void *userdata);
