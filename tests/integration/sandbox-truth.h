/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a kind was refused, as it saw it itself, and that as one line of JSON. It lives in memory shared by
 * the processes that add to it, so it is of a fixed size and holds no pointers. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
        TRUTH_REFUSALS_MAX = 64,
        TRUTH_DOMAINS_MAX = 16, /* the kernel's own limit of layers */
        TRUTH_PATH_MAX = 2 * PATH_MAX,
};

typedef enum RefusalKind {
        REFUSAL_FILE,
        REFUSAL_NETWORK,
        REFUSAL_SOCKET,
        REFUSAL_PROCESS,
} RefusalKind;

/* Denials that differ in nothing but time and thread. */
typedef struct Refusal {
        char blockers[128]; /* comma-separated, in the kernel's order */
        uint64_t count;
        unsigned domain; /* index + 1 in Truth.creators; 0: spread over all of them */
        bool logged;     /* whether the kernel is to log it; it counts it in either case */
        bool in_syscall; /* false: there is no SYSCALL record beside it */
        pid_t pid;       /* process that made the system call; unknown outside of one */

        RefusalKind kind;
        char path[TRUTH_PATH_MAX]; /* any bytes, of a file or a socket */
        size_t path_len;
        char name[NAME_MAX + 1]; /* of a file of which the kernel gives no path */
        ino_t ino;               /* of a file; 0 if unknown */
        unsigned ioctl_cmd;      /* 0: none */
        char address[46];        /* empty: the wildcard, which the kernel leaves out */
        uint16_t port;           /* 0: left out likewise */
        bool is_local;           /* bind(): address and port are local */
        pid_t other_pid;
        char other_comm[16];
} Refusal;

typedef struct Truth {
        pid_t pid;
        unsigned n_domains;
        pid_t creators[TRUTH_DOMAINS_MAX]; /* process that made each domain */
        size_t n_refusals;
        Refusal refusals[TRUTH_REFUSALS_MAX];
} Truth;

/* Returns an empty one, shared with all later children. */
Truth *truth_new(void);
void truth_free(Truth *truth);

/* Returns the number of the new domain. */
unsigned truth_add_domain(Truth *truth, pid_t creator);

/* Returns the new refusal, borrowed, already filled in but for the object. */
Refusal *truth_add(Truth *truth, unsigned domain, const char *blockers, uint64_t count);

/* The objects. A file's path is "dir/name", or name alone where dir is NULL; it must exist. */
void refusal_set_file(Refusal *refusal, const char *dir, const char *name);
void refusal_set_socket(Refusal *refusal, const void *path, size_t len);
void refusal_set_network(Refusal *refusal, const char *address, uint16_t port, bool is_local);
void refusal_set_process(Refusal *refusal, pid_t pid, const char *comm);

/* Number of denials that the kernel counts over all domains. */
uint64_t truth_denials(const Truth *truth);

/* One line on stdout, at once. */
void truth_print(const Truth *truth, const char *kind, bool json);
