/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/json.h"

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
