/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random facts of all kinds, as trace events tell them: in order, and of rulesets that are known. The same ones in each
 * run. */
#pragma once

#include "model/domain-table.h"

#define FACTS_TIME UINT64_C(1795308514891000)

/* From the beginning again. */
void facts_begin(void);

/* The next one, a microsecond after the last, for a table that was given those before. Its texts are static. */
Fact facts_next(const DomainTable *table);
uint64_t facts_now(void);

/* A number below n, by the same dice. */
uint64_t facts_choose(uint64_t n);
