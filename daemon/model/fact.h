/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The only vocabulary between sources and the model: one thing that a source learned. */
#pragma once

#include "model/denial.h"
#include "model/origin.h"

typedef enum FactType {
        FACT_DOMAIN_DESCRIBED,
        FACT_DOMAIN_FREED,
        FACT_ACCESS_DENIED,
        FACT_EVENTS_LOST,
} FactType;

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
} DomainDescription;

typedef struct DomainEnd {
        uint64_t domain;
        uint64_t n_denials; /* the kernel's count over the domain's whole life, logged or not */
        bool has_n_denials;
} DomainEnd;

typedef enum LossCause {
        LOSS_SOCKET_OVERFLOW, /* ENOBUFS: some number of messages */
        LOSS_SERIAL_GAP,      /* audit events of any kind whose serial never came */
        LOSS_KERNEL_BACKLOG,  /* records the kernel dropped before it numbered them */
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
        Text node;          /* the host that a collected log names; unknown for this host's own */
        union {
                DomainDescription described;
                DomainEnd freed;
                Denial denied;
                Loss lost;
        };
} Fact;

/* Where a source puts its facts. The fact and its texts are borrowed for the call. */
typedef struct FactSink {
        void (*fn)(void *userdata, const Fact *fact);
        void *userdata;
} FactSink;
