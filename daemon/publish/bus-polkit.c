/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-polkit.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"

#define POLKIT "org.freedesktop.PolicyKit1"
#define AUTHORITY "/org/freedesktop/PolicyKit1/Authority"
#define AUTHORITY_INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define BUS_DRIVER "org.freedesktop.DBus"

/* Well below the 25 s for which callers usually wait for us. */
#define ANSWER_USEC (3 * USEC_PER_SEC)
/* A person types a password: whoever allows that waits long enough. */
#define INTERACTIVE_ANSWER_USEC (120 * USEC_PER_SEC)

#define FLAG_ALLOW_USER_INTERACTION 1

struct BusPolkit {
        sd_bus *bus; /* borrowed */
        char *owner; /* of polkit's name; NULL: none, or not known yet */
        sd_bus_slot *question, *owner_changed, *changed; /* the first: who is the owner */
        void (*on_changed)(void *userdata);
        void *userdata;
};

static void set_owner(BusPolkit *polkit, const char *owner) {
        free(polkit->owner);
        /* Without memory it has none, and nothing is allowed. */
        polkit->owner = owner[0] != '\0' ? strdup(owner) : NULL;
}

static bool is_from(sd_bus_message *m, const char *sender) {
        const char *actual = sd_bus_message_get_sender(m);

        return actual && sender && strcmp(actual, sender) == 0;
}

static int on_owner(sd_bus_message *answer, void *userdata, _unused_ sd_bus_error *error) {
        const char *owner;

        if (is_from(answer, BUS_DRIVER) && !sd_bus_message_is_method_error(answer, NULL) &&
            sd_bus_message_read(answer, "s", &owner) > 0)
                set_owner(userdata, owner);
        return 1;
}

static int on_owner_changed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        BusPolkit *polkit = userdata;
        const char *name, *before, *now;

        if (!is_from(m, BUS_DRIVER) || sd_bus_message_read(m, "sss", &name, &before, &now) <= 0)
                return 0;
        set_owner(polkit, now);
        /* One that has started knows what we are about to ask, and nothing of what was. */
        if (before[0] != '\0')
                polkit->on_changed(polkit->userdata);
        return 0;
}

static int on_changed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        BusPolkit *polkit = userdata;

        if (is_from(m, polkit->owner))
                polkit->on_changed(polkit->userdata);
        return 0;
}

/* A bus that does not let us listen is no reason to leave it: what polkit said expires all the same. */
static int on_listening(_unused_ sd_bus_message *answer, _unused_ void *userdata, _unused_ sd_bus_error *error) {
        return 1;
}

static int watch(BusPolkit *polkit) {
        int r;

        r = sd_bus_add_match_async(
                        polkit->bus, &polkit->owner_changed,
                        "type='signal',sender='" BUS_DRIVER "',interface='" BUS_DRIVER "',member='NameOwnerChanged',"
                        "arg0='" POLKIT "'",
                        on_owner_changed, on_listening, polkit);
        if (r < 0)
                return r;
        r = sd_bus_match_signal_async(
                        polkit->bus, &polkit->changed, POLKIT, AUTHORITY, AUTHORITY_INTERFACE, "Changed", on_changed,
                        on_listening, polkit);
        if (r < 0)
                return r;
        return sd_bus_call_method_async(
                        polkit->bus, &polkit->question, BUS_DRIVER, "/org/freedesktop/DBus", BUS_DRIVER, "GetNameOwner",
                        on_owner, polkit, "s", POLKIT);
}

int bus_polkit_new(BusPolkit **ret, sd_bus *bus, void (*changed)(void *userdata), void *userdata) {
        _cleanup_(bus_polkit_freep) BusPolkit *polkit = calloc(1, sizeof(BusPolkit));
        int r;

        if (!polkit)
                return -ENOMEM;
        *polkit = (BusPolkit) { .bus = bus, .on_changed = changed, .userdata = userdata };

        r = watch(polkit);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(polkit);
        return 0;
}

BusPolkit *bus_polkit_free(BusPolkit *polkit) {
        if (!polkit)
                return NULL;

        sd_bus_slot_unref(polkit->question);
        sd_bus_slot_unref(polkit->owner_changed);
        sd_bus_slot_unref(polkit->changed);
        free(polkit->owner);
        free(polkit);
        return NULL;
}

uint64_t bus_polkit_answer_usec(bool interactive) {
        return interactive ? INTERACTIVE_ANSWER_USEC : ANSWER_USEC;
}

int bus_polkit_ask(
                BusPolkit *polkit, const char *unique_name, bool interactive, sd_bus_message_handler_t answered,
                void *userdata, sd_bus_slot **ret_slot) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(
                        polkit->bus, &m, POLKIT, AUTHORITY, AUTHORITY_INTERFACE, "CheckAuthorization");
        if (r < 0)
                return r;
        r = sd_bus_message_append(
                        m, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s", unique_name, BUS_POLKIT_OBSERVE_ALL,
                        0, interactive ? FLAG_ALLOW_USER_INTERACTION : 0, "");
        if (r < 0)
                return r;
        return sd_bus_call_async(
                        polkit->bus, ret_slot, m, answered, userdata, bus_polkit_answer_usec(interactive));
}

bool bus_polkit_allows(const BusPolkit *polkit, sd_bus_message *answer) {
        int allowed;

        return is_from(answer, polkit->owner) && !sd_bus_message_is_method_error(answer, NULL) &&
               sd_bus_message_enter_container(answer, 'r', "bba{ss}") > 0 &&
               sd_bus_message_read(answer, "b", &allowed) > 0 && allowed;
}
