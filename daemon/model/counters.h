/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything landlockd counts, in one list: `status`, D-Bus and JSON publish exactly these names.
 * All count up from the daemon's start. */
#pragma once

#include <stdint.h>

#define COUNTERS(X)                                                                            \
        X(audit_messages, "messages read from the audit socket")                               \
        X(audit_records, "records of Landlock events among them")                              \
        X(audit_events, "Landlock events assembled from them")                                 \
        X(audit_events_incomplete, "events published without all their records: deadline or cap") \
        X(audit_foreign, "messages that did not come from the kernel: ignored")                \
        X(audit_malformed, "records that could not be understood: skipped")                    \
        X(audit_oversized, "messages or events over their cap: the excess was cut")            \
        X(audit_duplicates, "records that repeat one of the same event: skipped")              \
        X(audit_overflows, "times the socket's receive buffer overflowed")                     \
        X(audit_events_missing, "audit events (of any kind) never received: gaps in the serials") \
        X(audit_kernel_lost, "records that the kernel dropped before sending: its lost counter") \
        X(trace_records, "trace records read from the ring buffers")                           \
        X(trace_events, "Landlock events among them")                                          \
        X(trace_malformed, "trace records that could not be understood: skipped")              \
        X(trace_out_of_order, "trace records that came after younger ones had been applied")   \
        X(trace_events_missing, "trace records that a full ring buffer dropped")               \
        X(bpf_switched_off, "times that BPF programs were not run any more: kernel.ftrace_enabled=0") \
        X(denials, "denials seen")                                                             \
        X(denials_joined, "denials that audit and trace both told, published once")            \
        X(denials_joined_late, "those of them that the second told when they were published already") \
        X(denials_unseen, "denials the kernel counted by a domain's end but did not report: not logged, or lost") \
        X(denials_evicted, "denials dropped from the log at its cap")                          \
        X(domains, "domains seen")                                                             \
        X(domains_freed, "domains that the kernel freed")                                      \
        X(domains_evicted, "freed domains dropped from the history at its cap")                \
        X(domains_evicted_live, "domains dropped at the cap while still live")                 \
        X(rulesets, "rulesets seen")                                                           \
        X(rulesets_evicted, "rulesets dropped at the cap")                                     \
        X(rules, "rules seen")                                                                 \
        X(rules_dropped, "rules not kept: over the cap")                                       \
        X(processes, "processes seen in a domain")                                             \
        X(tasks_evicted, "processes dropped at the cap")                                       \
        X(reconciliations, "times the table was compared with what lives in the kernel")       \
        X(reconciled_added, "domains and processes that were missing in the table then")       \
        X(reconciled_removed, "domains and processes that were in it and did not live any more") \
        X(facts_dropped, "facts dropped for want of memory")                                   \
        X(checkpoints, "checkpoints of the tables written")                                    \
        X(checkpoints_failed, "checkpoints that could not be written")                         \
        X(state_set_aside, "files of an earlier landlockd that were damaged: set aside")       \
        X(state_lines_bad, "lines of an earlier landlockd that could not be understood: skipped") \
        X(json_events, "events published")                                                     \
        X(json_events_oversized, "events not published: longer than a line may be")            \
        X(json_clients, "clients accepted on the JSON socket")                                 \
        X(json_clients_rejected, "clients turned away at the cap")                             \
        X(json_clients_dropped, "clients disconnected: hostile or stuck")                      \
        X(json_client_events_lost, "events that slow clients missed, summed over clients")     \
        X(json_requests_bad, "requests refused as malformed or unknown")                       \
        X(bus_calls_denied, "D-Bus calls refused")                                             \
        X(bus_callers_evicted, "D-Bus callers forgotten at the cap: asked about anew when they call again") \
        X(bus_subscriptions, "subscriptions made on D-Bus")                                    \
        X(bus_subscriptions_ended, "those that have ended, by themselves or with their client") \
        X(bus_subscriptions_refused, "subscriptions refused at a cap")                         \
        X(bus_signals, "signals sent to D-Bus subscribers")                                    \
        X(bus_denials_told, "denials told by them, summed over subscriptions")                 \
        X(bus_missed, "denials and changes of domains that slow D-Bus subscribers missed, summed likewise")

typedef struct Counters {
#define X(name, meaning) uint64_t name;
        COUNTERS(X)
#undef X
} Counters;
