/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/json.h"

#include <stdlib.h>
#include <string.h>

#include "client/memory.h"

void json_put(json_t *object, const char *member, json_t *value) {
        if (json_object_set_new(object, member, check_memory(value)) < 0)
                out_of_memory();
}

void json_add(json_t *array, json_t *value) {
        if (json_array_append_new(array, check_memory(value)) < 0)
                out_of_memory();
}

const char *json_get_text(const json_t *object, const char *member) {
        return json_string_value(json_object_get(object, member));
}

json_int_t json_get_number(const json_t *object, const char *member) {
        return json_integer_value(json_object_get(object, member));
}

typedef int (*Compare)(const json_t *a, const json_t *b);

typedef struct Element {
        json_t *value;
        size_t index;
} Element;

static int compare_elements(const void *a, const void *b, void *userdata) {
        const Element *x = a, *y = b;
        const Compare *compare = userdata;
        int order = (*compare)(x->value, y->value);

        return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

void json_sort(json_t *array, Compare compare) {
        size_t n = json_array_size(array);
        _cleanup_free_ Element *elements = check_memory(calloc(n + 1, sizeof(Element)));

        for (size_t i = 0; i < n; i++)
                elements[i] = (Element) { json_incref(json_array_get(array, i)), i };
        qsort_r(elements, n, sizeof(Element), compare_elements, &compare);
        json_array_clear(array);
        for (size_t i = 0; i < n; i++)
                json_add(array, elements[i].value);
}

int json_compare_hex(const json_t *a, const json_t *b, const char *member) {
        const char *x = json_get_text(a, member) ?: "", *y = json_get_text(b, member) ?: "";
        size_t n_x = strlen(x), n_y = strlen(y);

        return n_x != n_y ? (n_x > n_y) - (n_x < n_y) : strcmp(x, y);
}

int json_compare_numbers(const json_t *a, const json_t *b, const char *member) {
        json_int_t x = json_get_number(a, member), y = json_get_number(b, member);

        return (x > y) - (x < y);
}
