/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A private dbus-daemon, a real Bus on it that shows a real table, and clients in processes of their own. */
#pragma once

#include "test.h"

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "model/domain-table.h"
#include "model/status.h"
#include "publish/bus.h"

#define NAME "io.landlock.Landlockd1"
#define PATH "/io/landlock/Landlockd1"
#define MANAGER NAME ".Manager"
#define DOMAIN NAME ".Domain"

#define NOBODY 65534
#define USER 1000

typedef struct Fixture {
        char directory[64];
        char address[128]; /* of the bus */
        pid_t daemon;      /* dbus-daemon; 0: none */
        struct event_base *base;
        Status status;
        DomainTable table;
        Bus *bus;
        int (*read_domain)(int64_t tid, uint64_t *ret_domain); /* the kernel's answers; NULL: each thread is in none */
        bool only_privileged; /* for fixture_new_bus(): UnprivilegedAccess=no */
} Fixture;

/* Ends the test as skipped where it cannot run: without dbus-daemon, or not as root, who can be every user. */
void fixture_require(void);

#define FIXTURE_NO_POLICY                                                                 \
        "<policy context=\"default\">\n"                                              \
        "  <allow user=\"*\"/>\n"                                                     \
        "  <allow own=\"*\"/>\n"                                                      \
        "  <allow send_destination=\"*\" send_requested_reply=\"false\"/>\n"          \
        "  <allow receive_sender=\"*\" receive_requested_reply=\"false\"/>\n"         \
        "</policy>\n"

/* Starts everything. The bus's policy is that everyone may do everything, unless another one is given, in the XML
 * of its configuration. */
void fixture_start(Fixture *f, const DomainTableLimits *limits);
void fixture_start_with_policy(Fixture *f, const DomainTableLimits *limits, const char *policy);

/* With the policy in dbus/, on top of one like that of the system bus: by default nobody may own a name or call a method. */
void fixture_start_with_installed_policy(Fixture *f, const DomainTableLimits *limits);
void fixture_stop(Fixture *f);

/* bus_new() for the fixture. */
int fixture_new_bus(Fixture *f, const char *address, Bus **ret);

/* The bus alone; at the same address each time. */
void fixture_start_daemon(Fixture *f);
void fixture_stop_daemon(Fixture *f);

/* Tells the table something, and the bus what that changed; time is `n` seconds after the fixture's epoch. */
#define EPOCH_USEC UINT64_C(1795308514000000)
void tell_described(Fixture *f, uint64_t n, const DomainDescription *description);
void tell_denied(Fixture *f, uint64_t n, const Denial *denial);
void tell_created(Fixture *f, uint64_t n, const DomainCreation *creation);
void tell_enforced(Fixture *f, uint64_t n, const DomainEnforcement *enforcement);
void tell_forked(Fixture *f, uint64_t n, int64_t parent_tid, int64_t tid, bool is_thread);
void tell_seen(Fixture *f, uint64_t n, uint64_t domain, TaskDescription task, Attribution attribution);
void tell_ruleset(Fixture *f, uint64_t n, const RulesetCreation *creation);
void tell_rule(Fixture *f, uint64_t n, uint64_t ruleset, const Rule *rule);
void tell_freed(Fixture *f, uint64_t n, uint64_t domain, int64_t n_denials);

/* All that there can be of one user: `domain`, the next number nested in it, the one after that freed; of each the ruleset
 * `domain`; in the first two a process and a denial. */
void tell_user(Fixture *f, uint64_t n, uint64_t domain, uint32_t uid);

/* Runs `client` in a process of that user, and the event loop until it has ended. It must return normally: checks
 * within are check(), as cmocka's must not fail in another process. Nobody else runs the loop. */
typedef void (*Client)(Fixture *f);
void run_client(Fixture *f, uid_t uid, Client client);

/* A file of the source tree, allocated. */
char *read_source_file(const char *path);

/* Runs the loop that long. */
void run_loop(Fixture *f, unsigned msec);

#define check(condition)                                                                   \
        do {                                                                               \
                if (!(condition)) {                                                        \
                        fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
                        _exit(1);                                                          \
                }                                                                          \
        } while (0)

/* Compares and frees `actual`. */
#define check_text(actual, expected) check_text_at((actual), (expected), __FILE__, __LINE__)
void check_text_at(char *actual, const char *expected, const char *file, int line);

/* For clients: what is left of a message to read, in the form of client_call(), allocated. */
char *message_text(sd_bus_message *m);

/* For clients: a connection, or the end. */
sd_bus *client_open(const Fixture *f);

/* Calls and returns what comes back as text, allocated: the values in the form of this example, separated by spaces,
 *     7 "text" ["a", "b"] {"key": <t 7>} ("struct", true)
 * or for an error
 *     !org.freedesktop.DBus.Error.AccessDenied: the sentence */
char *client_call(sd_bus *bus, const char *path, const char *interface, const char *member, const char *types, ...);
char *client_manager(sd_bus *bus, const char *member, const char *types, ...);
char *client_get(sd_bus *bus, const char *path, const char *interface, const char *property);
char *client_get_objects(sd_bus *bus);
char *client_introspect(sd_bus *bus, const char *path);

/* The error that the call ends in, without its sentence; "" if none. */
char *client_error(sd_bus *bus, const char *path, const char *interface, const char *member, const char *types, ...);

/* How often the part is in the text. */
unsigned count(const char *text, const char *part);

extern const DomainTableLimits small_limits;

/* For cmocka: a fixture as the state, with two live domains of USER and two of root. */
#define USER_DOMAIN UINT64_C(0x1a01)
#define ROOT_DOMAIN UINT64_C(0x3a01)
int two_users_set_up(void **state);
int two_users_tear_down(void **state);
