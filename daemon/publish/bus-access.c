/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-access.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "publish/bus-error.h"
#include "publish/bus-message.h"
#include "publish/bus-polkit.h"

/* At either cap the sender that has not called for longest is forgotten, and asked about anew if it calls again. */
#define CALLERS_MAX 256
#define CALLERS_OF_UID_MAX 64 /* but for root's */
/* Calls of one sender while it is asked about, and how long each may be. No call of ours needs more. */
#define HELD_MAX 32
#define HELD_BYTES_MAX 4096

/* For how long polkit's answer is believed, if polkit does not say before that things have changed. */
#define ANSWER_USEC (30 * USEC_PER_SEC)

/* Answers that wait for the bus to take them, above which no more are made: each may be long. The bus takes nothing more
 * from a sender of whose messages other clients have too many still to read. */
#define UNTAKEN_MAX 16

/* A sender. Its unique name is never given to another one while the bus runs, so what is known of it stays true. */
typedef struct Caller {
        BusAccess *access;
        char *name;
        BusCaller who;
        bool identified;       /* the bus has told who it is */
        bool kept;             /* somebody else knows it by its name */
        bool interactive;      /* the last question was one that polkit may ask a person about */
        uint64_t answer_until; /* monotonic; polkit's answer holds until then. 0: there is none */
        sd_bus_slot *question; /* to the bus or to polkit; NULL once it is answered */
        sd_bus_message *held[HELD_MAX];
        size_t n_held;
        TAILQ_ENTRY(Caller) entry;
} Caller;

typedef TAILQ_HEAD(CallerList, Caller) CallerList;

struct BusAccess {
        BusAccessOptions options;
        BusPolkit *polkit; /* NULL: only root observes all */
        sd_bus_slot *filter;
        CallerList callers; /* who called last comes first */
        size_t n_callers;
        unsigned n_untaken; /* calls let through since the bus had last taken everything */
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

/* Refuses a call that was held, when sd-bus no longer waits for what the filter says of it. */
static void refuse_held(sd_bus_message *m, const Caller *caller) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        caller->access->options.counters->bus_calls_denied++;
        if (caller->identified)
                sd_bus_error_setf(&error, BUS_ERROR_CALLER_BUSY);
        else
                sd_bus_error_setf(&error, BUS_ERROR_CALLER_UNKNOWN);
        /* If it cannot be sent, the caller has no answer: nothing was given away. */
        (void) sd_bus_reply_method_error(m, &error);
}

/* What was held comes once more, unless it must be refused. */
static void release_held(Caller *caller, bool refuse) {
        for (size_t i = 0; i < caller->n_held; i++) {
                if (refuse || sd_bus_enqueue_for_read(caller->access->options.bus, caller->held[i]) < 0)
                        refuse_held(caller->held[i], caller);
                sd_bus_message_unref(caller->held[i]);
        }
        caller->n_held = 0;
}

static void forget(BusAccess *access, Caller *caller) {
        release_held(caller, true);
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

/* The one that is missed least: not kept, not waiting, not called for longest. Who only waits for polkit has to
 * give way: it may be silent, and those who need no word of it are not to wait for that. */
static Caller *find_dispensable(BusAccess *access) {
        Caller *caller, *kept = NULL, *waiting = NULL;

        TAILQ_FOREACH_REVERSE(caller, &access->callers, CallerList, entry) {
                if (!caller->question && !caller->kept)
                        return caller;
                if (!caller->question)
                        kept = kept ?: caller;
                else if (caller->identified)
                        waiting = waiting ?: caller;
        }
        return kept ?: waiting;
}

static int make_room(BusAccess *access) {
        Caller *caller;

        if (access->n_callers < CALLERS_MAX)
                return 0;
        caller = find_dispensable(access);
        if (!caller)
                return -EBUSY;
        access->options.counters->bus_callers_evicted++;
        forget(access, caller);
        return 0;
}

/* No user pushes those of others out. */
static void limit_uid(BusAccess *access, uid_t uid) {
        Caller *caller, *last = NULL;
        size_t n = 0;

        if (uid == 0)
                return;
        TAILQ_FOREACH(caller, &access->callers, entry)
                if (caller->identified && caller->who.uid == uid) {
                        n++;
                        last = caller->kept && last ? last : caller;
                }
        if (n <= CALLERS_OF_UID_MAX)
                return;
        access->options.counters->bus_callers_evicted++;
        forget(access, last);
}

static int on_polkit(sd_bus_message *answer, void *userdata, _unused_ sd_bus_error *error) {
        Caller *caller = userdata;

        caller->question = sd_bus_slot_unref(caller->question);
        caller->who.observes_all = bus_polkit_allows(caller->access->polkit, answer);
        caller->answer_until = clock_monotonic_usec() + ANSWER_USEC;
        release_held(caller, false);
        return 1;
}

static int ask_polkit(Caller *caller, bool interactive) {
        int r = bus_polkit_ask(
                        caller->access->polkit, caller->name, interactive, on_polkit, caller, &caller->question);

        if (r < 0)
                return r;
        caller->interactive = interactive;
        /* What is known without a person holds while one is asked. */
        if (interactive && caller->answer_until > 0)
                caller->answer_until = clock_monotonic_usec() + bus_polkit_answer_usec(interactive);
        return 0;
}

static int read_credential(sd_bus_message *m, const char *key, BusCaller *ret) {
        uint32_t number;
        int fd, r;

        if (strcmp(key, "UnixUserID") == 0) {
                r = sd_bus_message_read(m, "v", "u", &number);
                if (r < 0)
                        return r;
                ret->uid = number;
                return 1;
        }
        if (strcmp(key, "ProcessID") == 0) {
                r = sd_bus_message_read(m, "v", "u", &number);
                if (r < 0)
                        return r;
                ret->pid = number;
                return 0;
        }
        if (strcmp(key, "ProcessFD") == 0) {
                r = sd_bus_message_read(m, "v", "h", &fd);
                if (r < 0)
                        return r;
                ret->pidfd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
                return ret->pidfd < 0 ? -errno : 0;
        }
        return sd_bus_message_skip(m, "v");
}

/* The bus's answer: an a{sv}. */
static int read_credentials(sd_bus_message *m, BusCaller *ret) {
        bool has_uid = false;
        const char *key;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = sd_bus_message_read_basic(m, 's', &key);
                if (r >= 0)
                        r = read_credential(m, key, ret);
                has_uid |= r > 0;
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r < 0)
                return r;
        if (!has_uid)
                return -ENODATA;

        ret->observes_all = ret->uid == 0;
        /* A bus that does not hand over its own hold on the process leaves a moment in which it could end. */
        if (ret->pidfd < 0 && ret->pid > 0)
                ret->pidfd = pidfd_open(ret->pid, 0);
        return 0;
}

/* The sender of the answer is checked too: on a bus whose policy lets replies through that nobody asked for,
 * anyone could send one. */
static int on_credentials(sd_bus_message *answer, void *userdata, _unused_ sd_bus_error *error) {
        Caller *caller = userdata;
        BusAccess *access = caller->access;
        const char *sender = sd_bus_message_get_sender(answer);

        caller->question = sd_bus_slot_unref(caller->question);
        caller->identified = sender && strcmp(sender, "org.freedesktop.DBus") == 0 &&
                             !sd_bus_message_is_method_error(answer, NULL) &&
                             read_credentials(answer, &caller->who) >= 0;
        if (!caller->identified) {
                forget(access, caller);
                return 1;
        }
        release_held(caller, false);
        limit_uid(access, caller->who.uid);
        return 1;
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
                        "org.freedesktop.DBus", "GetConnectionCredentials", on_credentials, caller, "s", name);
        if (r < 0)
                return r;

        TAILQ_INSERT_HEAD(&access->callers, caller, entry);
        access->n_callers++;
        *ret = TAKE_PTR(caller);
        return 0;
}

static int hold(Caller *caller, sd_bus_message *m) {
        if (caller->n_held == HELD_MAX || !bus_message_is_small(m, HELD_BYTES_MAX))
                return -EBUSY;
        caller->held[caller->n_held++] = sd_bus_message_ref(m);
        return 0;
}

/* Whether all that can be known of the caller is, for this call. */
static bool is_known(const Caller *caller, bool interactive) {
        if (!caller->identified)
                return false;
        if (caller->who.uid == 0 || !caller->access->polkit)
                return true;
        if (clock_monotonic_usec() >= caller->answer_until)
                return false;
        return !interactive || caller->who.observes_all || (caller->interactive && !caller->question);
}

/* It may have entered a domain since its last call. Where that takes time, the call comes again, and everything
 * else has its turn before. */
static int check_caller(BusAccess *access, Caller *caller, sd_bus_message *m, sd_bus_error *error) {
        if (bus_caller_locate(&caller->who, access->options.table, access->options.reader) == -EAGAIN) {
                int r = sd_bus_enqueue_for_read(access->options.bus, m);

                return r < 0 ? r : 1;
        }
        return bus_caller_check(&caller->who, access->options.unprivileged, error);
}

/* Returns 0 to let the call through, 1 if it is held, -errno with the error set if it is refused. */
static int check(BusAccess *access, sd_bus_message *m, sd_bus_error *error) {
        bool interactive = sd_bus_message_get_allow_interactive_authorization(m) > 0;
        const char *sender = sd_bus_message_get_sender(m);
        Caller *caller;
        int r = 0;

        if (!sender)
                return sd_bus_error_setf(error, BUS_ERROR_CALLER_UNKNOWN);

        caller = caller_find(access, sender);
        if (caller && is_known(caller, interactive))
                return check_caller(access, caller, m, error);

        if (!caller)
                r = caller_ask(access, sender, &caller);
        else if (!caller->question)
                r = ask_polkit(caller, interactive);
        if (r >= 0)
                r = hold(caller, m);
        if (r == -EBUSY)
                return sd_bus_error_setf(error, BUS_ERROR_CALLER_BUSY);
        return r < 0 ? r : 1;
}

/* Signals can wait there too, but those are short. */
static bool is_congested(BusAccess *access) {
        uint64_t n;

        if (sd_bus_get_n_queued_write(access->options.bus, &n) < 0)
                return true;
        if (n == 0)
                access->n_untaken = 0;
        return n > UNTAKEN_MAX && access->n_untaken > UNTAKEN_MAX;
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

        r = is_congested(access) ? sd_bus_error_setf(error, BUS_ERROR_CONGESTED) : check(access, m, error);
        if (r < 0)
                access->options.counters->bus_calls_denied++;
        else if (r == 0)
                access->n_untaken++;
        return r;
}

/* Who is kept does not call again, and would never be asked about. What polkit said of it holds until it says more. */
static void on_polkit_changed(void *userdata) {
        BusAccess *access = userdata;
        Caller *caller;

        TAILQ_FOREACH(caller, &access->callers, entry) {
                caller->answer_until = 0;
                if (caller->kept && caller->who.uid != 0 && !caller->question && ask_polkit(caller, false) < 0)
                        caller->who.observes_all = false;
        }
}

const BusCaller *bus_access_caller(BusAccess *access, sd_bus_message *m) {
        Caller *caller = caller_find(access, sd_bus_message_get_sender(m));

        assert(caller && caller->identified);
        return &caller->who;
}

const BusCaller *bus_access_find_caller(BusAccess *access, const char *unique_name) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Caller *caller = caller_find(access, unique_name);

        if (!caller || !caller->identified)
                return NULL;
        caller->kept = true;
        /* Where it was when it last called is where it is, or around that, if it cannot be told just now. */
        (void) bus_caller_locate(&caller->who, access->options.table, access->options.reader);
        return bus_caller_check(&caller->who, access->options.unprivileged, &error) < 0 ? NULL : &caller->who;
}

void bus_access_forget(BusAccess *access, const char *unique_name) {
        Caller *caller = caller_find(access, unique_name);

        if (caller)
                forget(access, caller);
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
        if (options->polkit) {
                r = bus_polkit_new(&access->polkit, options->bus, on_polkit_changed, access);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(access);
        return 0;
}

BusAccess *bus_access_free(BusAccess *access) {
        if (!access)
                return NULL;

        sd_bus_slot_unref(access->filter);
        while (!TAILQ_EMPTY(&access->callers)) {
                Caller *caller = TAILQ_FIRST(&access->callers);

                TAILQ_REMOVE(&access->callers, caller, entry);
                caller_free(caller);
        }
        bus_polkit_free(access->polkit);
        free(access);
        return NULL;
}
