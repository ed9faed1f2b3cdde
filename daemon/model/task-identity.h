/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which process a number stands for, and whose it is: what tells it from a later one with the same number, asked
 * now. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct TaskIdentity {
        int64_t pid;         /* its thread group's */
        int64_t uid;         /* of the initial user namespace */
        bool has_uid;        /* false: it runs with the rights of several */
        uint64_t start_boottime_usec; /* in steps of 10 ms */
} TaskIdentity;

/* -ESRCH: there is no such thread. Does not wait. */
typedef int (*TaskIdentify)(int64_t tid, TaskIdentity *ret);
