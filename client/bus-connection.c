/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/bus-connection.h"

#include <errno.h>
#include <string.h>

#include "client/output.h"

#define ERROR_PREFIX BUS_CONNECTION_NAME ".Error."

static int open_address(const char *address, sd_bus **ret) {
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, address);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, true);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0) {
                sd_bus_unref(bus);
                return r;
        }
        *ret = bus;
        return 0;
}

static ExitCode say_no_bus(const char *name, int error) {
        switch (-error) {
        case EACCES:
        case EPERM:
                output_error("Not permitted to connect to the bus '%s'. Run this as root.", name);
                return EXIT_CODE_NOT_PERMITTED;
        case EINVAL:
                output_error("'%s' is no bus: write --bus=system, --bus=session or a D-Bus address.", name);
                return EXIT_CODE_USAGE;
        case ENOMEDIUM:
                output_error("There is no session bus: this is no login session. "
                             "landlockd is normally on the system bus.");
                return EXIT_CODE_FAILURE;
        default:
                output_error("Cannot connect to the bus '%s': %s. Is D-Bus running? "
                             "Use --bus= if landlockd is on another bus.", name, strerror(-error));
                return EXIT_CODE_FAILURE;
        }
}

int bus_connection_connect(const char *name, sd_bus **ret) {
        if (strcmp(name, "system") == 0)
                return sd_bus_open_system(ret);
        if (strcmp(name, "session") == 0)
                return sd_bus_open_user(ret);
        return open_address(name, ret);
}

ExitCode bus_connection_open(const Options *options, sd_bus **ret) {
        int r = bus_connection_connect(options->bus, ret);

        return r < 0 ? say_no_bus(options->bus, r) : EXIT_CODE_OK;
}

static bool has_prefix(const char *text, const char *prefix) {
        return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool bus_connection_nobody_there(const sd_bus_error *error) {
        return sd_bus_error_has_names(error, SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ||
               has_prefix(error->name, "org.freedesktop.DBus.Error.Spawn.") ||
               has_prefix(error->name, "org.freedesktop.systemd1.");
}

bool bus_connection_no_such_domain(const sd_bus_error *error) {
        return sd_bus_error_has_name(error, ERROR_PREFIX "NoSuchDomain");
}

/* Or its owner vanished. */
static bool error_is_not_running(const sd_bus_error *error) {
        return sd_bus_error_has_name(error, SD_BUS_ERROR_DISCONNECTED) || bus_connection_nobody_there(error);
}

ExitCode bus_connection_say_error(const sd_bus_error *error, int number) {
        if (!error->name || has_prefix(error->name, "System.Error.")) {
                output_error("The bus broke off: %s.", strerror(-number));
                return EXIT_CODE_FAILURE;
        }
        if (error_is_not_running(error)) {
                output_error("landlockd is not running on this bus (%s). Start it: systemctl start landlockd",
                             error->message);
                return EXIT_CODE_NOT_RUNNING;
        }
        output_error("%s", error->message);
        if (sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED) ||
            strcmp(error->name, ERROR_PREFIX "CallerDomainUnknown") == 0)
                return EXIT_CODE_NOT_PERMITTED;
        if (bus_connection_no_such_domain(error) || strcmp(error->name, ERROR_PREFIX "NoSuchProcess") == 0)
                return EXIT_CODE_NOT_FOUND;
        if (strcmp(error->name, ERROR_PREFIX "InvalidOption") == 0)
                return EXIT_CODE_USAGE;
        return EXIT_CODE_FAILURE;
}

ExitCode bus_connection_new_call(sd_bus *bus, const char *interface, const char *method, sd_bus_message **ret) {
        int r = sd_bus_message_new_method_call(bus, ret, BUS_CONNECTION_NAME, BUS_CONNECTION_PATH, interface, method);

        return r < 0 ? bus_connection_say_error(&SD_BUS_ERROR_NULL, r) : EXIT_CODE_OK;
}

ExitCode bus_connection_call(sd_bus *bus, sd_bus_message *call, sd_bus_message **ret_reply) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = sd_bus_call(bus, call, 0, &error, ret_reply);

        return r < 0 ? bus_connection_say_error(&error, r) : EXIT_CODE_OK;
}

ExitCode bus_connection_bad_reply(int error) {
        output_error("landlockd's answer is not of the form expected (%s): are it and landlockctl of one version?",
                     strerror(-error));
        return EXIT_CODE_FAILURE;
}
