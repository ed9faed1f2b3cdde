/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The `options` argument of a method: an a{sv} of which a caller sets what it needs. An option that is not
 * known is an error, so that a filter that this version does not have is never taken for one that matched. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

#define BUS_STRINGS_MAX 64

typedef struct BusStrings {
        bool given; /* the option was, be it with nothing in it */
        size_t n;
        const char *items[BUS_STRINGS_MAX];
} BusStrings;

typedef struct BusOption {
        const char *name;
        const char *type; /* "t", "u", "s", "b" or "as" */
        void *value;      /* uint64_t *, uint32_t *, const char **, int *, BusStrings *; left alone if the option is not given */
} BusOption;

/* Strings are borrowed from the message. On failure the error is set. */
int bus_options_read(sd_bus_message *m, const BusOption *options, size_t n_options, sd_bus_error *error);
