/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every error that landlockd answers on D-Bus: its name and its sentence, side by side, so that they can be
 * kept consistent and the documentation in dbus/ can be held against one list.
 *
 * Each is a pair of arguments for sd_bus_error_setf(): `sd_bus_error_setf(error, BUS_ERROR_LIMIT, ...)`. What
 * a caller sent is put into a sentence only in its escaped form. */
#pragma once

#include <inttypes.h>
#include <systemd/sd-bus-protocol.h>

#define BUS_ERROR_PREFIX "io.landlock.Landlockd1.Error."

/* The domain in hexadecimal. */
#define BUS_ERROR_NO_SUCH_DOMAIN                                                                           \
        BUS_ERROR_PREFIX "NoSuchDomain",                                                                   \
        "Landlock domain %s is not known: no source has told of it, or it was dropped from the history."

#define BUS_ERROR_NO_SUCH_PROCESS                                                                          \
        BUS_ERROR_PREFIX "NoSuchProcess",                                                                  \
        "There is no such process that you may ask about: it has ended, or is not yours."

#define BUS_ERROR_NO_PIDFD                                                                                 \
        SD_BUS_ERROR_INVALID_ARGS,                                                                         \
        "The file descriptor is no pidfd."

#define BUS_ERROR_DOMAIN_UNKNOWN                                                                           \
        BUS_ERROR_PREFIX "DomainUnknown",                                                                  \
        "It is not known in which Landlock domain one of the processes is."

/* The domain in hexadecimal. */
#define BUS_ERROR_DOMAIN_FREED                                                                             \
        BUS_ERROR_PREFIX "NoSuchDomain",                                                                   \
        "The kernel has freed Landlock domain %s, so it has no object any more. DescribeDomain() tells "   \
        "what is kept of it."

/* The text. */
#define BUS_ERROR_NO_SUCH_UUID                                                                             \
        BUS_ERROR_PREFIX "NoSuchDomain",                                                                   \
        "No known Landlock domain has the UUID %s. UUIDs are derived from the boot ID: is it of this boot?"

/* The text. */
#define BUS_ERROR_DOMAIN_TEXT                                                                              \
        SD_BUS_ERROR_INVALID_ARGS,                                                                         \
        "\"%s\" is neither a domain ID in hexadecimal, as in the kernel's log, nor a UUID."

/* The ruleset in hexadecimal. */
#define BUS_ERROR_NO_SUCH_RULESET                                                                          \
        BUS_ERROR_PREFIX "NoSuchRuleset",                                                                  \
        "Landlock ruleset %s is not known: no source has told of it, or the kernel has freed it and every " \
        "domain that was made from it."

/* The text. */
#define BUS_ERROR_RULESET_TEXT                                                                             \
        SD_BUS_ERROR_INVALID_ARGS,                                                                         \
        "\"%s\" is no ruleset ID in hexadecimal."

/* Name of the option. */
#define BUS_ERROR_OPTION_UNKNOWN                                                                           \
        BUS_ERROR_PREFIX "InvalidOption",                                                                  \
        "This method has no option \"%s\"."

/* Name of the option, type wanted, type given. */
#define BUS_ERROR_OPTION_TYPE                                                                              \
        BUS_ERROR_PREFIX "InvalidOption",                                                                  \
        "The option \"%s\" must be of D-Bus type \"%s\", not \"%s\"."

/* The text. */
#define BUS_ERROR_OPTION_STATE                                                                             \
        BUS_ERROR_PREFIX "InvalidOption",                                                                  \
        "The option \"state\" must be \"allocated\", \"deallocated\" or \"any\", not \"%s\"."

/* The highest limit. */
#define BUS_ERROR_OPTION_LIMIT                                                                             \
        BUS_ERROR_PREFIX "InvalidOption",                                                                  \
        "The option \"limit\" must be from 1 to %u."

/* Name of the option, the highest number. */
#define BUS_ERROR_OPTION_STRINGS                                                                           \
        BUS_ERROR_PREFIX "InvalidOption",                                                                  \
        "The option \"%s\" must hold at most %u strings."

/* The text. */
#define BUS_ERROR_OPTION_BLOCKER                                                                           \
        BUS_ERROR_PREFIX "InvalidOption",                                                                  \
        "The option \"blockers\" names \"%s\", which is none that is known here: those that the kernel alone "  \
        "knows are \"other\"."

#define BUS_ERROR_OPTION_SUBTREE                                                                           \
        BUS_ERROR_PREFIX "InvalidOption",                                                                  \
        "The option \"subtree\" needs the option \"domain\": the subtree of which one?"

#define BUS_ERROR_OPTION_NOTHING                                                                           \
        BUS_ERROR_PREFIX "InvalidOption",                                                                  \
        "Neither \"denials\" nor \"domains\" are asked for, so that nothing would ever be sent."

/* The highest number. */
#define BUS_ERROR_SUBSCRIPTIONS_OF_CLIENT                                                                  \
        SD_BUS_ERROR_LIMITS_EXCEEDED,                                                                      \
        "A client may have %u subscriptions: end one with Unsubscribe() first."

/* The highest number. */
#define BUS_ERROR_SUBSCRIBERS_OF_USER                                                                      \
        SD_BUS_ERROR_LIMITS_EXCEEDED,                                                                      \
        "Of one user, %u clients may have subscriptions at a time."

/* The highest number. */
#define BUS_ERROR_SUBSCRIBERS                                                                              \
        SD_BUS_ERROR_LIMITS_EXCEEDED,                                                                      \
        "Only %u clients may have subscriptions at a time."

/* The cookie. */
#define BUS_ERROR_NO_SUCH_SUBSCRIPTION                                                                     \
        BUS_ERROR_PREFIX "NoSuchSubscription",                                                             \
        "This client has no subscription %" PRIu64 ": it was ended, or made by another client or with an earlier landlockd."

#define BUS_ERROR_NOT_PERMITTED                                                                            \
        SD_BUS_ERROR_ACCESS_DENIED,                                                                        \
        "Here only root, and whom polkit lets observe all sandboxes, may ask landlockd (UnprivilegedAccess=no): " \
        "call as root, for example with sudo."

#define BUS_ERROR_CALLER_DOMAIN_UNKNOWN                                                                    \
        BUS_ERROR_PREFIX "CallerDomainUnknown",                                                            \
        "On this system landlockd cannot tell whether you call from within a Landlock domain, so it answers only " \
        "root: that takes its BPF programs, and \"landlockctl status\" tells root why they do not run."

#define BUS_ERROR_CALLER_GONE                                                                              \
        SD_BUS_ERROR_ACCESS_DENIED,                                                                        \
        "It cannot be told who is calling: the process that made this connection to the message bus has ended, " \
        "or its threads are in too many Landlock domains."

#define BUS_ERROR_CALLER_UNKNOWN                                                                           \
        SD_BUS_ERROR_ACCESS_DENIED,                                                                        \
        "The message bus does not tell who is calling, so landlockd does not answer."

#define BUS_ERROR_CALLER_BUSY                                                                              \
        SD_BUS_ERROR_LIMITS_EXCEEDED,                                                                      \
        "Too many calls before landlockd could ask the message bus who is calling: try again."

#define BUS_ERROR_CONGESTED                                                                                \
        SD_BUS_ERROR_LIMITS_EXCEEDED,                                                                      \
        "The message bus does not take landlockd's answers now, perhaps because some client does not read its own: try " \
        "again."
