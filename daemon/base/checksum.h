/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells what a dead landlockd left whole from what is torn or damaged. No protection from somebody who wants to forge it:
 * only root can write there. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Of the data after those of which `sum` is; 0 begins. Where the data are cut matters. */
uint64_t checksum_add(uint64_t sum, const void *data, size_t len);
