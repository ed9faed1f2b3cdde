/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/notify-landlockd.h"

#include <inttypes.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"
#include "client/bus-connection.h"
#include "client/bus-json.h"
#include "client/memory.h"
#include "client/subscription.h"

/* Between two times that a landlockd that refused is asked: whatever it was, it may pass, or take someone to repair it. */
#define RETRY_MIN_USEC (2 * USEC_PER_SEC)
#define RETRY_MAX_USEC (600 * USEC_PER_SEC)

struct NotifyLandlockd {
        sd_bus *bus;
        bool all;
        NotifyDenialFn fn;
        void *userdata;
        Subscription *subscription;
        sd_event_source *retry;
        uint64_t retry_usec; /* 0: it has not refused */
};

static void on_denial(void *userdata, const json_t *denial) {
        NotifyLandlockd *landlockd = userdata;
        json_int_t count = json_get_number(denial, "count");

        landlockd->fn(landlockd->userdata, denial, MAX(count, 1));
}

static void on_missed(_unused_ void *userdata, uint64_t n) {
        log_notice("%" PRIu64 " denials came faster than they could be told; landlockctl(1) lists them.", n);
}

static void on_malformed(_unused_ void *userdata, int error) {
        log_error(error, "What landlockd sent is not of the form expected (%m): are it and landlock-notify of one version?");
}

static void stop_retrying(NotifyLandlockd *landlockd) {
        landlockd->retry_usec = 0;
        (void) sd_event_source_set_enabled(landlockd->retry, SD_EVENT_OFF);
}

static void on_begun(void *userdata) {
        NotifyLandlockd *landlockd = userdata;

        stop_retrying(landlockd);
        log_info("Watching what landlockd tells of %s.", landlockd->all ? "all users" : "this user");
}

static void on_ended(void *userdata) {
        stop_retrying(userdata);
        log_info("landlockd has ended: waiting for it.");
}

static void retry_later(NotifyLandlockd *landlockd) {
        uint64_t longer = MAX(2 * landlockd->retry_usec, RETRY_MIN_USEC);
        int r;

        landlockd->retry_usec = MIN(longer, RETRY_MAX_USEC);
        r = sd_event_source_set_time(landlockd->retry, clock_monotonic_usec() + landlockd->retry_usec);
        if (r >= 0)
                r = sd_event_source_set_enabled(landlockd->retry, SD_EVENT_ONESHOT);
        if (r < 0)
                log_error(r, "Cannot set a timer: %m.");
}

/* Why is said once, however often it is asked. */
static void on_refused(void *userdata, const sd_bus_error *error) {
        NotifyLandlockd *landlockd = userdata;

        if (bus_connection_nobody_there(error)) {
                stop_retrying(landlockd);
                log_info("landlockd is not running: waiting for it.");
                return;
        }
        if (landlockd->retry_usec == 0)
                log_error(0, "landlockd does not tell of denials: %s", error->message);
        retry_later(landlockd);
}

static int on_retry(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        NotifyLandlockd *landlockd = userdata;
        int r = subscription_retry(landlockd->subscription);

        if (r < 0)
                log_error(r, "Cannot ask landlockd for denials: %m.");
        return 0;
}

static int subscribe(NotifyLandlockd *landlockd) {
        static const SubscriptionEvents events = {
                .begun = on_begun, .refused = on_refused, .ended = on_ended,
                .malformed = on_malformed, .denial = on_denial, .missed = on_missed,
        };
        const SubscriptionFilter filter = { .denials = true, .by_uid = !landlockd->all, .uid = getuid() };

        return subscription_new(landlockd->bus, &filter, &events, landlockd, &landlockd->subscription);
}

int notify_landlockd_new(sd_bus *bus, bool all, NotifyDenialFn fn, void *userdata, NotifyLandlockd **ret) {
        _cleanup_(notify_landlockd_freep) NotifyLandlockd *landlockd = check_memory(calloc(1, sizeof(*landlockd)));
        int r;

        *landlockd = (NotifyLandlockd) { .bus = sd_bus_ref(bus), .all = all, .fn = fn, .userdata = userdata };
        r = sd_event_add_time(sd_bus_get_event(bus), &landlockd->retry, CLOCK_MONOTONIC, 0, 0, on_retry, landlockd);
        if (r >= 0)
                r = sd_event_source_set_enabled(landlockd->retry, SD_EVENT_OFF);
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
        subscription_free(landlockd->subscription);
        sd_event_source_disable_unref(landlockd->retry);
        sd_bus_unref(landlockd->bus);
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

        r = sd_bus_message_new_method_call(landlockd->bus, &m, BUS_CONNECTION_NAME, BUS_CONNECTION_PATH,
                                           BUS_CONNECTION_MANAGER, "DescribeDomain");
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
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
