/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading what a BPF program writes of the threads that the kernel shows it. */
#pragma once

#include <stdint.h>

#include "source/bpf/record.h"

struct bpf_link;
struct bpf_program;

/* The record is borrowed for the call. */
typedef void (*BpfRecordHandler)(void *userdata, const BpfRecord *record);

/* Of all threads, by a program that is attached. */
int bpf_iterator_read(const struct bpf_link *link, BpfRecordHandler handler, void *userdata);

/* Of one thread, or of all threads of one process. No record if there is none. */
int bpf_iterator_read_thread(const struct bpf_program *program, int64_t tid, BpfRecordHandler handler, void *userdata);
int bpf_iterator_read_process(const struct bpf_program *program, int64_t pid, BpfRecordHandler handler, void *userdata);
