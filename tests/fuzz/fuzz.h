/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fuzz target is one function on bytes. With --enable-fuzzers libFuzzer calls it; else fuzz-main.c does, with each
 * file of the seed corpus, so that `make check` replays what was ever found. */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
