/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-view.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/host.h"
#include "base/macros.h"
#include "model/origin.h"
#include "publish/bus-error.h"

BusView bus_view_of(const BusModel *model, const BusCaller *caller) {
        return (BusView) { model->table, model->status, caller };
}

BusView bus_view(const BusModel *model, sd_bus_message *m) {
        return bus_view_of(model, bus_access_caller(model->access, m));
}

const Domain *bus_view_domain(const BusView *view, uint64_t id) {
        const Domain *domain = domain_table_get(view->table, id);

        return domain && bus_caller_sees_domain(view->caller, domain) ? domain : NULL;
}

int bus_error_no_domain(sd_bus_error *error, uint64_t id) {
        char hex[DOMAIN_ID_TEXT_SIZE];

        host_format_domain(id, hex);
        return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_DOMAIN, hex);
}

int bus_signal_new(
                sd_bus *bus, const char *destination, const char *path, const char *interface, const char *member,
                sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_signal(bus, &m, path, interface, member);
        if (r < 0)
                return r;
        r = sd_bus_message_set_destination(m, destination);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

bool bus_room_take(BusRoom *room, size_t n_bytes) {
        if (room->n_entries == 0 || room->n_bytes < n_bytes)
                return false;

        room->n_entries--;
        room->n_bytes -= n_bytes;
        return true;
}

int bus_append_text(sd_bus_message *m, Text t) {
        _cleanup_free_ char *escaped = NULL;
        int r;

        r = text_escape(t, &escaped);
        if (r < 0)
                return r;
        return sd_bus_message_append_basic(m, 's', escaped);
}

int bus_append_text_entry(sd_bus_message *m, const char *key, Text t) {
        int r;

        if (!text_known(t))
                return 0;

        r = bus_open_entry(m, key, "s");
        if (r < 0)
                return r;
        r = bus_append_text(m, t);
        if (r < 0)
                return r;
        return bus_close_entry(m);
}

int bus_open_entry(sd_bus_message *m, const char *key, const char *signature) {
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r < 0)
                return r;
        r = sd_bus_message_append_basic(m, 's', key);
        if (r < 0)
                return r;
        return sd_bus_message_open_container(m, 'v', signature);
}

int bus_close_entry(sd_bus_message *m) {
        int r;

        r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

int bus_append_origins(sd_bus_message *m, unsigned origins) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "s");
        for (; r >= 0 && origins; origins &= origins - 1)
                r = sd_bus_message_append_basic(m, 's', origin_name(origins).data);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

int bus_append_domain_entries(sd_bus_message *m, const BusView *view, uint64_t domain) {
        char hex[DOMAIN_ID_TEXT_SIZE], uuid[UUID_TEXT_SIZE];
        int r;

        host_format_domain(domain, hex);
        r = sd_bus_message_append(m, "{sv}{sv}", "Domain", "t", domain, "HexID", "s", hex);
        if (r >= 0 && host_domain_uuid(&view->status->host, domain, uuid))
                r = sd_bus_message_append(m, "{sv}", "UUID", "s", uuid);
        return r;
}

int bus_append_dev_number_entry(sd_bus_message *m, uint32_t major, uint32_t minor) {
        char number[sizeof("4294967295:4294967295")];

        snprintf(number, sizeof(number), "%" PRIu32 ":%" PRIu32, major, minor);
        return sd_bus_message_append(m, "{sv}", "dev_number", "s", number);
}
