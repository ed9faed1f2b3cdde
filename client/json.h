/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jansson as all of the client uses it: a lack of memory ends the program, so nothing is silently missing. */
#pragma once

#include <jansson.h>

/* Set a member, append an element. They take the value; NULL is one that memory was lacking for. */
void json_put(json_t *object, const char *member, json_t *value);
void json_add(json_t *array, json_t *value);

/* NULL unless the member is a string. Borrowed. */
const char *json_get_text(const json_t *object, const char *member);

/* 0 unless the member is an integer. */
json_int_t json_get_number(const json_t *object, const char *member);

/* Sorts an array. Equal ones keep their order. */
void json_sort(json_t *array, int (*compare)(const json_t *a, const json_t *b));

/* The order of two objects by an ID in hex, and by a number; what has none comes first. */
int json_compare_hex(const json_t *a, const json_t *b, const char *member);
int json_compare_numbers(const json_t *a, const json_t *b, const char *member);
