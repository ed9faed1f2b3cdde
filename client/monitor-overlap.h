/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Denials that are both in a list and in signals. To miss none, who follows the log subscribes first and lists then, so
 * that those between come twice; and a signal tells of several at once by the number of the first, so that the number
 * alone does not say how many of them were listed. */
#pragma once

#include <stdint.h>

#include "client/json.h"

/* A zeroed one is of an empty list. */
typedef struct MonitorOverlap {
        uint64_t begin, end; /* numbers, from and up to, of what may be in both */
        json_t *numbers;     /* those listed of each access */
} MonitorOverlap;

/* The list's cursors from before and after the subscription was made. */
void monitor_overlap_init(MonitorOverlap *overlap, uint64_t begin, uint64_t end);
void monitor_overlap_done(MonitorOverlap *overlap);

/* A denial was listed: an event of bus_json_denial(). They come in their order. */
void monitor_overlap_add(MonitorOverlap *overlap, const json_t *denial);

/* Some were told by a signal: returns how many of them were listed already. */
uint64_t monitor_overlap_take(MonitorOverlap *overlap, const json_t *denial);
