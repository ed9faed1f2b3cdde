/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes in domains, as they look on D-Bus: a few fields in the domain's own properties, all of them in a list. */
#pragma once

#include "publish/bus-view.h"

/* Most processes in one answer. */
#define BUS_PROCESSES_MAX 4096

/* Appends an "a(usst)": the domain's most recently seen processes. */
int bus_append_domain_processes(sd_bus_message *m, const BusView *view, const Domain *domain);

/* How many there are. */
size_t bus_domain_n_processes(const BusView *view, const Domain *domain, uint64_t *ret_n_threads);

/* At most how many bytes that takes. */
size_t bus_domain_processes_bytes(const Domain *domain);

/* Appends an "aa{sv}" of processes, the most recently seen first, as far as there is room: the domain's and with
 * `subtree` those of all that are nested in it, or with NULL those of all. *ret_n is how many there are. */
int bus_append_processes(sd_bus_message *m, const BusView *view, const Domain *domain, bool subtree, uint32_t limit,
                         uint64_t *ret_n);
