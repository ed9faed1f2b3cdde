/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/process-list.h"

#include <string.h>

static int compare(const json_t *a, const json_t *b) {
        return json_compare_numbers(a, b, "pid") ?: json_compare_hex(a, b, "domain");
}

void process_list_sort(json_t *list) {
        json_sort(list, compare);
}

Style process_list_style(const json_t *process) {
        const char *known = json_get_text(process, "known");

        return known && strcmp(known, "inferred") == 0 ? STYLE_DIM : STYLE_NONE;
}
