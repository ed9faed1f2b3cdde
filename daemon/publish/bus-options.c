/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-options.h"

#include <string.h>

#include "publish/bus-error.h"
#include "publish/bus-view.h"

static const BusOption *option_find(const BusOption *options, size_t n_options, const char *name) {
        for (size_t i = 0; i < n_options; i++)
                if (strcmp(options[i].name, name) == 0)
                        return &options[i];
        return NULL;
}

static int refuse_unknown(const char *name, sd_bus_error *error) {
        _cleanup_free_ char *escaped = NULL;
        int r;

        r = text_escape(text_from_string(name), &escaped);
        if (r < 0)
                return r;
        return sd_bus_error_setf(error, BUS_ERROR_OPTION_UNKNOWN, escaped);
}

static int read_strings(sd_bus_message *m, const BusOption *option, sd_bus_error *error) {
        BusStrings *strings = option->value;
        const char *item;
        int r;

        *strings = (BusStrings) { .given = true };
        r = sd_bus_message_enter_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "s");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read_basic(m, 's', &item)) > 0) {
                if (strings->n == BUS_STRINGS_MAX)
                        return sd_bus_error_setf(error, BUS_ERROR_OPTION_STRINGS, option->name, BUS_STRINGS_MAX);
                strings->items[strings->n++] = item;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

/* Reads one "{sv}" that has been entered. */
static int read_option(sd_bus_message *m, const BusOption *options, size_t n_options, sd_bus_error *error) {
        const char *name, *type;
        const BusOption *option;
        int r;

        r = sd_bus_message_read_basic(m, 's', &name);
        if (r < 0)
                return r;
        r = sd_bus_message_peek_type(m, NULL, &type);
        if (r < 0)
                return r;

        option = option_find(options, n_options, name);
        if (!option)
                return refuse_unknown(name, error);
        if (strcmp(type, option->type) != 0)
                return sd_bus_error_setf(error, BUS_ERROR_OPTION_TYPE, option->name, option->type, type);
        if (strcmp(type, "as") == 0)
                return read_strings(m, option, error);
        return sd_bus_message_read(m, "v", option->type, option->value);
}

int bus_options_read(sd_bus_message *m, const BusOption *options, size_t n_options, sd_bus_error *error) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_option(m, options, n_options, error);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}
