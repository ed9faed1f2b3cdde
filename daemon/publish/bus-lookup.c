/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-lookup.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/host.h"
#include "base/pidfd.h"
#include "publish/bus-domain.h"
#include "publish/bus-error.h"
#include "publish/bus-options.h"

/* Threads told of one process. */
#define THREADS_MAX 1024

/* A start is told by the wall clock, which may have been set since: two that differ by less are the same. */
#define START_TOLERANCE_USEC USEC_PER_SEC

/* Where a thread is, as far as the caller may know. */
typedef struct Lookup {
        int64_t tid;
        TaskIdentity identity;
        bool known;            /* `domain` is */
        uint64_t domain;       /* innermost; 0: in none */
        uint64_t nested;       /* the outermost that the caller sees; 0: there is none */
        Attribution attribution;
} Lookup;

static int ask_table(
                const DomainTable *table, const Lookup *lookup, uint64_t *ret_domain, Attribution *ret_attribution) {
        const Thread *thread = process_table_thread(&table->processes, lookup->tid);
        const Process *process = process_table_first(&table->processes, lookup->identity.pid);

        if (thread) {
                *ret_domain = thread->process->domain->id;
                *ret_attribution = thread->attribution;
                return 0;
        }
        /* Which of the threads of a process that is in several is not known. */
        if (!process || process->next_same_pid)
                return -ENODATA;
        *ret_domain = process->domain->id;
        *ret_attribution = process->attribution;
        return 0;
}

/* What the kernel says, else what the table has; nothing is known then of a process that is not in it. */
static int locate(const BusModel *model, Lookup *lookup) {
        Attribution attribution = ATTRIBUTION_KERNEL;
        uint64_t told = 0, domain;
        int r = domain_reader_read(model->reader, lookup->tid, &domain);
        int told_r = ask_table(model->table, lookup, &told, &attribution);

        if (r == -ESRCH)
                return r;
        lookup->known = r >= 0 || told_r >= 0;
        lookup->domain = r >= 0 ? domain : told;
        lookup->attribution = told_r >= 0 && lookup->domain == told ? attribution : ATTRIBUTION_KERNEL;
        return 0;
}

static bool is_own(const BusCaller *caller, const TaskIdentity *identity) {
        return caller->observes_all || (identity->has_uid && identity->uid == (int64_t) caller->uid);
}

/* Leaves what the caller may know. -ESRCH if that is not even that the process exists. */
static int restrict_to_caller(const BusView *view, Lookup *lookup) {
        const BusCaller *caller = view->caller;
        const Domain *domain = domain_table_get(view->table, lookup->domain);
        bool seen = domain ? bus_caller_sees_domain(caller, domain) : bus_caller_sees_all(caller);

        if (!is_own(caller, &lookup->identity))
                return -ESRCH;
        for (; domain; domain = domain->parent)
                if (bus_caller_sees_domain(caller, domain))
                        lookup->nested = domain->id;

        /* From within a domain nothing else is there to see but oneself. */
        if (caller->place == BUS_CALLER_CONFINED) {
                if (lookup->nested == 0 && lookup->identity.pid != caller->pid)
                        return -ESRCH;
                lookup->known = lookup->known && seen;
        }
        if (lookup->domain != 0)
                lookup->known = lookup->known && seen;
        return 0;
}

/* The number may have become another's while it was asked about. */
static int look_up(const BusModel *model, const BusView *view, int64_t tid, Lookup *ret) {
        Lookup lookup = { .tid = tid };
        TaskIdentity after;
        int r;

        r = model->identify(tid, &lookup.identity);
        if (r >= 0)
                r = locate(model, &lookup);
        if (r >= 0)
                r = model->identify(tid, &after);
        if (r < 0 || after.start_boottime_usec != lookup.identity.start_boottime_usec)
                return -ESRCH;
        r = restrict_to_caller(view, &lookup);
        if (r < 0)
                return r;
        *ret = lookup;
        return 0;
}

static uint64_t start_time(const Lookup *lookup) {
        return lookup->identity.start_boottime_usec + clock_realtime_usec() - clock_boottime_usec();
}

static int append_thread(sd_bus_message *m, const Thread *thread) {
        return sd_bus_message_append(m, "(ut)", (uint32_t) thread->tid, thread->process->domain->id);
}

static int append_threads(sd_bus_message *m, const BusView *view, const Process *first) {
        size_t n = 0;
        int r;

        r = sd_bus_message_open_container(m, 'a', "(ut)");
        for (const Process *p = first; p; p = p->next_same_pid) {
                const Thread *thread;

                if (!bus_caller_sees_domain(view->caller, p->domain))
                        continue;
                LIST_FOREACH(thread, &p->threads, in_process)
                        if (r >= 0 && n++ < THREADS_MAX)
                                r = append_thread(m, thread);
        }
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static int append_threads_entry(sd_bus_message *m, const BusView *view, const Lookup *lookup) {
        const Process *first = process_table_first(&view->table->processes, lookup->identity.pid);
        int r;

        if (!first || !first->next_same_pid)
                return 0;
        r = bus_open_entry(m, "Threads", "a(ut)");
        if (r >= 0)
                r = append_threads(m, view, first);
        if (r < 0)
                return r;
        return bus_close_entry(m);
}

static int append_domain(sd_bus_message *m, const BusView *view, const Lookup *lookup) {
        const Domain *domain = bus_view_domain(view, lookup->domain);
        int r;

        if (!lookup->known)
                return 0;
        if (lookup->domain == 0)
                return sd_bus_message_append(m, "{sv}", "Domain", "t", UINT64_C(0));
        r = bus_append_domain_entries(m, view, lookup->domain);
        if (r >= 0 && domain && domain->state == DOMAIN_ALLOCATED) {
                r = bus_open_entry(m, "Path", "o");
                if (r >= 0)
                        r = bus_append_domain_path(m, domain);
                if (r >= 0)
                        r = bus_close_entry(m);
        }
        return r;
}

static int append_entries(sd_bus_message *m, const BusView *view, const Lookup *lookup) {
        int r;

        r = sd_bus_message_append(
                        m, "{sv}{sv}{sv}", "PID", "u", (uint32_t) lookup->identity.pid, "StartTime", "t",
                        start_time(lookup), "Known", "s",
                        lookup->known ? attribution_to_string(lookup->attribution) : "unknown");
        if (r >= 0)
                r = append_domain(m, view, lookup);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "NestedDomain", "t", lookup->nested);
        if (r >= 0)
                r = append_threads_entry(m, view, lookup);
        return r;
}

static int reply(sd_bus_message *m, const BusView *view, const Lookup *lookup) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
        int r;

        r = sd_bus_message_new_method_return(m, &answer);
        if (r >= 0)
                r = sd_bus_message_open_container(answer, 'a', "{sv}");
        if (r >= 0)
                r = append_entries(answer, view, lookup);
        if (r >= 0)
                r = sd_bus_message_close_container(answer);
        if (r < 0)
                return r;
        return sd_bus_message_send(answer);
}

int bus_lookup_pid(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const BusView view = bus_view(userdata, m);
        uint64_t start_usec = 0;
        const BusOption options[] = { { "start-time", "t", &start_usec } };
        Lookup lookup;
        uint32_t pid;
        int r;

        r = sd_bus_message_read(m, "u", &pid);
        if (r >= 0)
                r = bus_options_read(m, options, ARRAY_SIZE(options), error);
        if (r < 0)
                return r;

        r = pid > 0 && pid <= INT32_MAX ? look_up(userdata, &view, pid, &lookup) : -ESRCH;
        if (r >= 0 && start_usec > 0 &&
            llabs((int64_t) (start_usec - start_time(&lookup))) > (int64_t) START_TOLERANCE_USEC)
                r = -ESRCH;
        if (r < 0)
                return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_PROCESS);
        return reply(m, &view, &lookup);
}

/* Reads an "h" and looks it up. */
static int look_up_pidfd(
                sd_bus_message *m, const BusModel *model, const BusView *view, Lookup *ret, sd_bus_error *error) {
        int64_t tid, after;
        int fd, r;

        r = sd_bus_message_read(m, "h", &fd);
        if (r < 0)
                return r;
        r = pidfd_read_pid(fd, &tid);
        if (r == -EBADF)
                return sd_bus_error_setf(error, BUS_ERROR_NO_PIDFD);
        if (r >= 0)
                r = look_up(model, view, tid, ret);
        /* As long as it has not ended, its number was its own. */
        if (r < 0 || pidfd_read_pid(fd, &after) < 0)
                return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_PROCESS);
        return 0;
}

int bus_lookup_pidfd(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const BusView view = bus_view(userdata, m);
        Lookup lookup;
        int r;

        r = look_up_pidfd(m, userdata, &view, &lookup, error);
        if (r >= 0)
                r = bus_options_read(m, NULL, 0, error);
        if (r < 0)
                return r;
        return reply(m, &view, &lookup);
}

int bus_lookup_caller(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const BusView view = bus_view(userdata, m);
        Lookup lookup;
        int r;

        r = bus_options_read(m, NULL, 0, error);
        if (r < 0)
                return r;
        if (view.caller->pid <= 0 || look_up(userdata, &view, view.caller->pid, &lookup) < 0)
                return sd_bus_error_setf(error, BUS_ERROR_NO_SUCH_PROCESS);
        return reply(m, &view, &lookup);
}

int bus_lookup_same_sandbox(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const BusView view = bus_view(userdata, m);
        Lookup a, b;
        int r;

        r = look_up_pidfd(m, userdata, &view, &a, error);
        if (r >= 0)
                r = look_up_pidfd(m, userdata, &view, &b, error);
        if (r < 0)
                return r;
        if (!a.known || !b.known)
                return sd_bus_error_setf(error, BUS_ERROR_DOMAIN_UNKNOWN);
        return sd_bus_reply_method_return(m, "b", a.domain != 0 && a.domain == b.domain);
}
