/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the model looks on D-Bus: what all of the interfaces share. Texts are escaped here and nowhere else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "model/domain-table.h"
#include "model/status.h"
#include "model/task-identity.h"
#include "publish/bus-access.h"

#define BUS_NAME "io.landlock.Landlockd1"
#define BUS_PATH "/io/landlock/Landlockd1"
#define BUS_MANAGER_INTERFACE BUS_NAME ".Manager"

/* What the objects show; their userdata. */
typedef struct BusModel {
        const DomainTable *table;
        const Status *status;
        const DomainReader *reader;
        TaskIdentify identify;
        BusAccess *access; /* NULL while there is no connection */
} BusModel;

/* What of it one caller is shown. */
typedef struct BusView {
        const DomainTable *table;
        const Status *status;
        const BusCaller *caller;
} BusView;

BusView bus_view_of(const BusModel *model, const BusCaller *caller);

/* For who sent the call that is being handled. */
BusView bus_view(const BusModel *model, sd_bus_message *m);

/* NULL if there is no such domain, and just so if the caller may not see it. */
const Domain *bus_view_domain(const BusView *view, uint64_t id);

/* Sets the error that a domain is answered with which there is not; -errno. */
int bus_error_no_domain(sd_bus_error *error, uint64_t id);

/* A signal that goes to that client alone. */
int bus_signal_new(sd_bus *bus, const char *destination, const char *path, const char *interface, const char *member,
                   sd_bus_message **ret);

/* Room left in one answer. dbus-daemon disconnects whoever sends more than 32 MiB on the system bus, and how
 * long the texts are is up to those who are sandboxed: so bytes are limited, not only entries. */
typedef struct BusRoom {
        size_t n_entries;
        size_t n_bytes;
} BusRoom;

#define BUS_ANSWER_BYTES_MAX ((size_t) 16 * 1024 * 1024)

/* Takes one entry of at most `n_bytes` out of the room; false, taking nothing, if it does not fit. */
bool bus_room_take(BusRoom *room, size_t n_bytes);

/* At most how many bytes a text takes in a message. */
static inline size_t bus_text_bytes(Text t) {
        return 4 * t.len + 16;
}

/* Appends an "s": the escaped text, "" if it is not known. */
int bus_append_text(sd_bus_message *m, Text t);

/* Appends a "{sv}" of that text; nothing if it is not known. */
int bus_append_text_entry(sd_bus_message *m, const char *key, Text t);

/* What is appended between these is the value of a "{sv}". */
int bus_open_entry(sd_bus_message *m, const char *key, const char *signature);
int bus_close_entry(sd_bus_message *m);

/* Appends an "as": "audit", "trace", ... */
int bus_append_origins(sd_bus_message *m, unsigned origins);

/* Appends "{sv}"s of the domain's ID, its ID in hexadecimal and, if the boot is known, its UUID. */
int bus_append_domain_entries(sd_bus_message *m, const BusView *view, uint64_t domain);

/* Appends a "{sv}" of a device's numbers: "254:0". */
int bus_append_dev_number_entry(sd_bus_message *m, uint32_t major, uint32_t minor);
