/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-access.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/queue.h>

#include "publish/bus-error.h"

/* At the cap the sender that has not called for longest is forgotten, and asked about anew if it calls again. */
#define CALLERS_MAX 128
/* Calls of one sender while the bus is asked about it. */
#define HELD_MAX 32

/* A sender. Its unique name is never given to another one while the bus runs, so what is known of it stays true. */
typedef struct Caller {
        BusAccess *access;
        char *name;
        BusCaller who;
        sd_bus_slot *question; /* to the bus; NULL once it is answered */
        sd_bus_message *held[HELD_MAX];
        size_t n_held;
        bool kept;             /* even if it does not call for long */
        TAILQ_ENTRY(Caller) entry;
} Caller;

typedef TAILQ_HEAD(CallerList, Caller) CallerList;

struct BusAccess {
        BusAccessOptions options;
        sd_bus_slot *filter;
        CallerList callers; /* who called last comes first */
        size_t n_callers;
};

static Caller *caller_free(Caller *caller) {
        if (!caller)
                return NULL;

        for (size_t i = 0; i < caller->n_held; i++)
                sd_bus_message_unref(caller->held[i]);
        sd_bus_slot_unref(caller->question);
        closep(&caller->who.pidfd);
        free(caller->name);
        free(caller);
        return NULL;
}
DEFINE_CLEANUP(Caller *, caller_free);

static void forget(BusAccess *access, Caller *caller) {
        TAILQ_REMOVE(&access->callers, caller, entry);
        access->n_callers--;
        caller_free(caller);
}

static Caller *caller_find(BusAccess *access, const char *name) {
        Caller *caller;

        TAILQ_FOREACH(caller, &access->callers, entry)
                if (strcmp(caller->name, name) == 0)
                        break;
        if (caller && caller != TAILQ_FIRST(&access->callers)) {
                TAILQ_REMOVE(&access->callers, caller, entry);
                TAILQ_INSERT_HEAD(&access->callers, caller, entry);
        }
        return caller;
}

/* Refuses a call that was held, when sd-bus no longer waits for what the filter says of it. */
static void refuse_held(sd_bus_message *m, BusAccess *access) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        access->options.counters->bus_calls_denied++;
        sd_bus_error_setf(&error, BUS_ERROR_CALLER_UNKNOWN);
        /* If it cannot be sent, the caller has no answer: nothing was given away. */
        (void) sd_bus_reply_method_error(m, &error);
}

/* The bus's answer. The sender of the answer is checked too: on a bus whose policy lets replies through that
 * nobody asked for, anyone could send one. */
static int on_uid(sd_bus_message *answer, void *userdata, _unused_ sd_bus_error *error) {
        Caller *caller = userdata;
        BusAccess *access = caller->access;
        const char *sender = sd_bus_message_get_sender(answer);
        bool known = sender && strcmp(sender, "org.freedesktop.DBus") == 0 &&
                     !sd_bus_message_is_method_error(answer, NULL) &&
                     sd_bus_message_read(answer, "u", &caller->who.uid) > 0;

        caller->who.observes_all = known && caller->who.uid == 0;
        for (size_t i = 0; i < caller->n_held; i++)
                if (!known || sd_bus_enqueue_for_read(access->options.bus, caller->held[i]) < 0)
                        refuse_held(caller->held[i], access);
        while (caller->n_held > 0)
                sd_bus_message_unref(caller->held[--caller->n_held]);

        if (known)
                caller->question = sd_bus_slot_unref(caller->question);
        else
                forget(access, caller);
        return 1;
}

static int make_room(BusAccess *access) {
        Caller *caller;

        if (access->n_callers < CALLERS_MAX)
                return 0;

        TAILQ_FOREACH_REVERSE(caller, &access->callers, CallerList, entry)
                if (!caller->question && !caller->kept) {
                        forget(access, caller);
                        return 0;
                }
        return -EBUSY;
}

/* Asks the bus about a sender that is not known yet. -EBUSY if it is being asked about too many. */
static int caller_ask(BusAccess *access, const char *name, Caller **ret) {
        _cleanup_(caller_freep) Caller *caller = NULL;
        int r;

        r = make_room(access);
        if (r < 0)
                return r;

        caller = calloc(1, sizeof(Caller));
        if (!caller)
                return -ENOMEM;
        *caller = (Caller) { .access = access, .name = strdup(name), .who.pidfd = -EBADF };
        if (!caller->name)
                return -ENOMEM;
        r = sd_bus_call_method_async(
                        access->options.bus, &caller->question, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                        "org.freedesktop.DBus", "GetConnectionUnixUser", on_uid, caller, "s", name);
        if (r < 0)
                return r;

        TAILQ_INSERT_HEAD(&access->callers, caller, entry);
        access->n_callers++;
        *ret = TAKE_PTR(caller);
        return 0;
}

static int hold(Caller *caller, sd_bus_message *m) {
        if (caller->n_held == HELD_MAX)
                return -EBUSY;
        caller->held[caller->n_held++] = sd_bus_message_ref(m);
        return 0;
}

/* It may have entered a domain since its last call. */
static int check_caller(BusAccess *access, Caller *caller, sd_bus_error *error) {
        bus_caller_locate(&caller->who, access->options.table, access->options.reader);
        return bus_caller_check(&caller->who, access->options.unprivileged, error);
}

/* Returns 0 to let the call through, 1 if it is held, -errno with the error set if it is refused. */
static int check(BusAccess *access, sd_bus_message *m, sd_bus_error *error) {
        const char *sender = sd_bus_message_get_sender(m);
        Caller *caller;
        int r;

        if (!sender)
                return sd_bus_error_setf(error, BUS_ERROR_CALLER_UNKNOWN);

        caller = caller_find(access, sender);
        if (caller && !caller->question)
                return check_caller(access, caller, error);

        r = caller ? 0 : caller_ask(access, sender, &caller);
        if (r >= 0)
                r = hold(caller, m);
        if (r == -EBUSY)
                return sd_bus_error_setf(error, BUS_ERROR_CALLER_BUSY);
        return r < 0 ? r : 1;
}

/* Sees every incoming message first; what it returns other than 0 ends the message's way. */
static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        BusAccess *access = userdata;
        uint8_t type;
        int r;

        r = sd_bus_message_get_type(m, &type);
        if (r < 0)
                return r;
        if (type != SD_BUS_MESSAGE_METHOD_CALL)
                return 0;
        if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Peer", "Ping"))
                return 0;

        r = check(access, m, error);
        if (r < 0)
                access->options.counters->bus_calls_denied++;
        return r;
}

const BusCaller *bus_access_caller(BusAccess *access, sd_bus_message *m) {
        Caller *caller = caller_find(access, sd_bus_message_get_sender(m));

        assert(caller && !caller->question);
        return &caller->who;
}

const BusCaller *bus_access_find_caller(BusAccess *access, const char *unique_name) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Caller *caller = caller_find(access, unique_name);

        if (!caller || caller->question || check_caller(access, caller, &error) < 0)
                return NULL;
        return &caller->who;
}

void bus_access_keep_caller(BusAccess *access, const char *unique_name, bool keep) {
        Caller *caller = caller_find(access, unique_name);

        if (caller)
                caller->kept = keep;
}

int bus_access_new(BusAccess **ret, const BusAccessOptions *options) {
        _cleanup_(bus_access_freep) BusAccess *access = NULL;
        int r;

        access = calloc(1, sizeof(BusAccess));
        if (!access)
                return -ENOMEM;
        *access = (BusAccess) { .options = *options };
        TAILQ_INIT(&access->callers);

        r = sd_bus_add_filter(options->bus, &access->filter, on_message, access);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(access);
        return 0;
}

BusAccess *bus_access_free(BusAccess *access) {
        if (!access)
                return NULL;

        sd_bus_slot_unref(access->filter);
        while (!TAILQ_EMPTY(&access->callers))
                forget(access, TAILQ_FIRST(&access->callers));
        free(access);
        return NULL;
}
