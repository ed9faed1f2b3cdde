/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The only vocabulary between sources and the model: one thing that a source learned. */
#pragma once

#include "model/denial.h"
#include "model/origin.h"
#include "model/ruleset.h"

typedef enum FactType {
        FACT_RULESET_CREATED,
        FACT_RULE_ADDED,
        FACT_RULESET_FREED,
        FACT_DOMAIN_CREATED,
        FACT_DOMAIN_ENFORCED, /* on a thread */
        FACT_DOMAIN_DESCRIBED,
        FACT_DOMAIN_COUNTED,
        FACT_DOMAIN_FREED,
        FACT_ACCESS_DENIED,
        FACT_TASK_RESTRICTED, /* itself; the kernel is to be asked to which domain */
        FACT_TASK_FORKED,
        FACT_TASK_EXECED,
        FACT_TASK_EXITED,
        FACT_DOMAIN_SEEN, /* to live, by looking */
        FACT_TASK_SEEN,   /* in a domain, by looking */
        FACT_PROCESS_GONE, /* from a domain, by looking */
        FACT_SNAPSHOT_BEGUN, /* what lives is going to be told, all of it */
        FACT_SNAPSHOT_ENDED, /* what was not told does not live any more, if all of it was */
        FACT_EVENTS_LOST,
} FactType;

/* A thread, as far as the source knows it. Texts are borrowed. */
typedef struct TaskDescription {
        int64_t tid; /* in the initial PID namespace */
        int64_t pid; /* its thread group's */
        int64_t uid;
        bool has_pid, has_uid;
        Text comm, exe;
} TaskDescription;

typedef struct RulesetCreation {
        uint64_t ruleset;
        AccessRights handled;
        int64_t tid;
} RulesetCreation;

typedef struct RuleAddition {
        uint64_t ruleset;
        Rule rule; /* its path is borrowed */
} RuleAddition;

typedef struct RulesetEnd {
        uint64_t ruleset;
        uint64_t version;
} RulesetEnd;

typedef struct DomainCreation {
        uint64_t domain;
        uint64_t parent; /* 0: none, the outermost */
        uint64_t ruleset, ruleset_version; /* ruleset 0: the source does not tell */
        TaskDescription creator;
        Text label; /* as in DomainDescription */
} DomainCreation;

typedef struct DomainEnforcement {
        uint64_t domain;
        TaskDescription task;
        bool process_wide; /* the call was for all threads of the process, or there was only this one */
        bool no_new_privs; /* of the thread, then */
} DomainEnforcement;

typedef enum DomainMode {
        DOMAIN_MODE_UNKNOWN,
        DOMAIN_MODE_ENFORCING,
} DomainMode;

/* Who made a domain, as the kernel remembers it. pid is the process, not the thread. */
typedef struct DomainDescription {
        uint64_t domain;
        DomainMode mode;
        int64_t creator_pid, creator_uid;
        bool has_creator_pid, has_creator_uid;
        Text creator_comm, creator_exe;
        Text label; /* for people: "firefox@app-firefox.scope" */
} DomainDescription;

/* What of a living domain can be read in the kernel at any time. */
typedef struct DomainSight {
        uint64_t parent;      /* 0: none, the outermost */
        DomainDescription described;
        uint64_t n_denials;   /* the kernel's count until now */
        AccessRights handled; /* by this layer alone; scope: what is scoped */
        uint64_t ruleset, ruleset_version; /* with its rules; told before */
        bool has_parent, has_n_denials, has_handled, has_ruleset;
} DomainSight;

/* How often a living domain has denied something. */
typedef struct DomainCount {
        uint64_t domain;
        uint64_t n_denials; /* the kernel's count until now, logged or not */
} DomainCount;

typedef struct DomainEnd {
        uint64_t domain;
        uint64_t n_denials; /* the kernel's count over the domain's whole life, logged or not */
        bool has_n_denials;
} DomainEnd;

typedef struct TaskRestriction {
        int64_t tid;
        bool process_wide; /* all threads of its process were */
} TaskRestriction;

/* The child is in the domain of its parent. */
typedef struct TaskFork {
        int64_t parent_tid;
        int64_t tid;      /* the child's */
        bool is_thread;   /* of the parent's process; else a process of its own */
} TaskFork;

typedef struct TaskExec {
        int64_t old_tid; /* differs from task.tid when a thread that did not lead its process executed */
        TaskDescription task;
} TaskExec;

typedef struct TaskExit {
        int64_t tid;
} TaskExit;

typedef struct TaskSight {
        uint64_t domain;
        TaskDescription task;
        Attribution attribution;
        bool exiting; /* the thread is, so that it is not there any more for whoever was told of that before */
} TaskSight;

typedef struct ProcessEnd {
        uint64_t domain;
        int64_t pid;
} ProcessEnd;

typedef struct SnapshotEnd {
        bool is_complete;
} SnapshotEnd;

typedef enum LossCause {
        LOSS_SOCKET_OVERFLOW, /* ENOBUFS: some number of messages */
        LOSS_SERIAL_GAP,      /* audit events of any kind whose serial never came */
        LOSS_KERNEL_BACKLOG,  /* records the kernel dropped before it numbered them */
        LOSS_TRACE_OVERRUN,   /* trace events that a full ring buffer dropped */
        LOSS_TRACING_OFF,     /* what BPF programs on functions would have told while the kernel did not run them */
        LOSS_RESTART,         /* what happened while no landlockd ran, or was published and is not known any more */
        LOSS_SLOW_CLIENT,     /* published events that one client did not read in time */
} LossCause;

/* What was not received, as far as that can be known. */
typedef struct Loss {
        LossCause cause;
        uint64_t count;      /* in the unit of the cause; 0: an unknown number, at least one */
        uint64_t since_usec; /* realtime; the loss lies between these */
        uint64_t until_usec;
} Loss;

typedef struct Fact {
        FactType type;
        unsigned origins;   /* ORIGIN_* */
        uint64_t time_usec; /* realtime, by the kernel's clock */
        uint64_t boot_usec; /* the same by the boot clock, which nobody sets: what came first; 0: unknown */
        Text node;          /* the host that a collected log names; unknown for this host's own */
        union {
                RulesetCreation ruleset_created;
                RuleAddition rule_added;
                RulesetEnd ruleset_freed;
                DomainCreation created;
                DomainEnforcement enforced;
                DomainDescription described;
                DomainSight sight;
                DomainCount counted;
                DomainEnd freed;
                Denial denied;
                TaskRestriction restricted;
                TaskFork forked;
                TaskExec execed;
                TaskExit exited;
                TaskSight seen;
                ProcessEnd gone;
                SnapshotEnd snapshot_ended;
                Loss lost;
        };
} Fact;

/* Where a source puts its facts. The fact and its texts are borrowed for the call. */
typedef struct FactSink {
        void (*fn)(void *userdata, const Fact *fact);
        /* Whether the model follows this thread: what happens to others need not be looked at closely. NULL: none. */
        bool (*follows)(void *userdata, int64_t tid);
        void *userdata;
} FactSink;
