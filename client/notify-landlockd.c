/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/notify-landlockd.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/macros.h"
#include "client/bus-connection.h"
#include "client/bus-json.h"
#include "client/memory.h"

struct NotifyLandlockd {
        sd_bus *bus;
        bool all;
        NotifyDenialFn fn;
        void *userdata;
        sd_bus_slot *call, *owner_match, *denials_match, *missed_match;
        char *owner; /* the unique name of who took the subscription; NULL: there is none */
        uint64_t cookie;
};

/* Whether it is about our subscription. What follows in the message is left to be read. */
static bool is_ours(const NotifyLandlockd *landlockd, sd_bus_message *m) {
        const char *sender = sd_bus_message_get_sender(m);
        uint64_t cookie;

        return landlockd->owner && sender && strcmp(sender, landlockd->owner) == 0 &&
               sd_bus_message_read_basic(m, 't', &cookie) > 0 && cookie == landlockd->cookie;
}

static void tell(NotifyLandlockd *landlockd, const json_t *properties) {
        _cleanup_(json_decrefp) json_t *event = bus_json_denial(json_get_number(properties, "ID"), properties);
        json_int_t count = json_get_number(properties, "Count");

        landlockd->fn(landlockd->userdata, event, MAX(count, 1));
}

static int on_denials(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *ret_error) {
        NotifyLandlockd *landlockd = userdata;
        json_t *properties;
        int r;

        if (!is_ours(landlockd, m))
                return 0;
        r = sd_bus_message_enter_container(m, 'a', "a{sv}");
        while (r >= 0 && (r = bus_json_read(m, &properties)) > 0) {
                tell(landlockd, properties);
                json_decref(properties);
        }
        if (r < 0)
                log_error(r, "landlockd's signal is not of the form expected (%m): are it and landlock-notify of one version?");
        return 0;
}

static int on_missed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *ret_error) {
        uint64_t n;

        if (is_ours(userdata, m) && sd_bus_message_read_basic(m, 't', &n) > 0)
                log_notice("%" PRIu64 " denials came faster than they could be told; landlockctl(1) lists them.", n);
        return 0;
}

static int on_subscribed(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *ret_error) {
        NotifyLandlockd *landlockd = userdata;
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        const char *sender = sd_bus_message_get_sender(reply);

        landlockd->call = sd_bus_slot_unref(landlockd->call);
        if (sd_bus_error_has_names(error, SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
                log_info("landlockd is not running: waiting for it.");
        else if (error)
                log_error(0, "landlockd does not tell of denials: %s", error->message);
        else if (!sender || sd_bus_message_read_basic(reply, 't', &landlockd->cookie) <= 0)
                log_error(0, "landlockd's answer is not of the form expected.");
        else {
                landlockd->owner = check_memory(strdup(sender));
                log_info("Watching what landlockd tells of %s.", landlockd->all ? "all users" : "this user");
        }
        return 0;
}

/* Its caller checks for the error of any of these. */
static int new_call(NotifyLandlockd *landlockd, const char *method, sd_bus_message **ret) {
        int r = sd_bus_message_new_method_call(landlockd->bus, ret, BUS_CONNECTION_NAME, BUS_CONNECTION_PATH,
                                               BUS_CONNECTION_MANAGER, method);

        return r < 0 ? r : sd_bus_message_set_auto_start(*ret, false);
}

static int subscribe(NotifyLandlockd *landlockd) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = new_call(landlockd, "Subscribe", &m);
        if (r >= 0)
                r = landlockd->all ? sd_bus_message_append(m, "a{sv}", 0)
                                   : sd_bus_message_append(m, "a{sv}", 1, "uid", "u", (uint32_t) getuid());
        if (r >= 0)
                r = sd_bus_call_async(landlockd->bus, &landlockd->call, m, on_subscribed, landlockd, 0);
        return r;
}

/* After landlockd's end nothing of the subscription is left, and the next landlockd gives other numbers. */
static int on_owner_changed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *ret_error) {
        NotifyLandlockd *landlockd = userdata;
        const char *owner;
        int r;

        if (sd_bus_message_read(m, "sss", NULL, NULL, &owner) < 0)
                return 0;
        landlockd->call = sd_bus_slot_unref(landlockd->call);
        free(landlockd->owner);
        landlockd->owner = NULL;
        if (!*owner) {
                log_info("landlockd has ended: waiting for it.");
                return 0;
        }
        r = subscribe(landlockd);
        if (r < 0)
                log_error(r, "Cannot ask landlockd for denials: %m.");
        return 0;
}

static int add_matches(NotifyLandlockd *landlockd) {
        int r;

        r = sd_bus_add_match_async(landlockd->bus, &landlockd->owner_match,
                                   "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                                   "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                                   "arg0='" BUS_CONNECTION_NAME "'", on_owner_changed, NULL, landlockd);
        if (r >= 0)
                r = sd_bus_match_signal_async(landlockd->bus, &landlockd->denials_match, BUS_CONNECTION_NAME,
                                              BUS_CONNECTION_PATH, BUS_CONNECTION_MANAGER, "Denials", on_denials, NULL,
                                              landlockd);
        if (r >= 0)
                r = sd_bus_match_signal_async(landlockd->bus, &landlockd->missed_match, BUS_CONNECTION_NAME,
                                              BUS_CONNECTION_PATH, BUS_CONNECTION_MANAGER, "Missed", on_missed, NULL,
                                              landlockd);
        return r;
}

int notify_landlockd_new(sd_bus *bus, bool all, NotifyDenialFn fn, void *userdata, NotifyLandlockd **ret) {
        _cleanup_(notify_landlockd_freep) NotifyLandlockd *landlockd = check_memory(calloc(1, sizeof(*landlockd)));
        int r;

        *landlockd = (NotifyLandlockd) { .bus = sd_bus_ref(bus), .all = all, .fn = fn, .userdata = userdata };
        r = add_matches(landlockd);
        if (r >= 0)
                r = subscribe(landlockd);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(landlockd);
        return 0;
}

NotifyLandlockd *notify_landlockd_free(NotifyLandlockd *landlockd) {
        if (!landlockd)
                return NULL;
        sd_bus_slot_unref(landlockd->call);
        sd_bus_slot_unref(landlockd->owner_match);
        sd_bus_slot_unref(landlockd->denials_match);
        sd_bus_slot_unref(landlockd->missed_match);
        sd_bus_unref(landlockd->bus);
        free(landlockd->owner);
        free(landlockd);
        return NULL;
}

typedef struct Question {
        uint64_t id;
        NotifyDomainFn fn;
        void *userdata;
} Question;

static int on_described(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *ret_error) {
        const Question *question = userdata;
        _cleanup_(json_decrefp) json_t *properties = NULL, *domain = NULL;

        if (!sd_bus_message_is_method_error(reply, NULL) && bus_json_read(reply, &properties) > 0)
                domain = bus_json_domain(properties);
        question->fn(question->userdata, question->id, domain);
        return 0;
}

int notify_landlockd_describe(NotifyLandlockd *landlockd, uint64_t id, NotifyDomainFn fn, void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        sd_bus_slot *slot = NULL;
        Question *question;
        int r;

        r = new_call(landlockd, "DescribeDomain", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "t", id);
        if (r < 0)
                return r;

        question = check_memory(malloc(sizeof(*question)));
        *question = (Question) { id, fn, userdata };
        r = sd_bus_call_async(landlockd->bus, &slot, m, on_described, question, 0);
        if (r < 0) {
                free(question);
                return r;
        }
        /* The answer, or the bus' end, frees it. */
        sd_bus_slot_set_destroy_callback(slot, free);
        sd_bus_slot_set_floating(slot, true);
        sd_bus_slot_unref(slot);
        return 0;
}
