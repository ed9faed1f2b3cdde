/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-process.h"

/* In the properties of a domain. ProcessesCount tells of the others. */
#define IN_DOMAIN_MAX 1024

/* Keys, numbers and padding of a process in a domain's properties and in a list: well above what they come to. */
#define IN_DOMAIN_FIXED_BYTES 64
#define IN_LIST_FIXED_BYTES 640

static int append_struct(sd_bus_message *m, const Process *p) {
        int r;

        r = sd_bus_message_open_container(m, 'r', "usst");
        if (r >= 0)
                r = sd_bus_message_append(m, "u", (uint32_t) p->pid);
        if (r >= 0)
                r = bus_append_text(m, p->comm);
        if (r >= 0)
                r = sd_bus_message_append(m, "st", attribution_to_string(p->attribution), p->last_seen_usec);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

int bus_append_domain_processes(sd_bus_message *m, const BusView *view, const Domain *domain) {
        const Process *process;
        size_t n = 0;
        int r;

        r = sd_bus_message_open_container(m, 'a', "(usst)");
        TAILQ_FOREACH(process, &domain->processes, in_domain) {
                if (!bus_caller_sees_process(view->caller, process))
                        continue;
                if (r < 0 || n++ == IN_DOMAIN_MAX)
                        break;
                r = append_struct(m, process);
        }
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

size_t bus_domain_n_processes(const BusView *view, const Domain *domain, uint64_t *ret_n_threads) {
        const Process *process;
        uint64_t n_threads = 0;
        size_t n = 0;

        TAILQ_FOREACH(process, &domain->processes, in_domain)
                if (bus_caller_sees_process(view->caller, process)) {
                        n++;
                        n_threads += process->n_threads;
                }
        *ret_n_threads = n_threads;
        return n;
}

size_t bus_domain_processes_bytes(const Domain *domain) {
        size_t n_bytes = 0, n = 0;
        const Process *process;

        TAILQ_FOREACH(process, &domain->processes, in_domain) {
                if (n++ == IN_DOMAIN_MAX)
                        break;
                n_bytes += IN_DOMAIN_FIXED_BYTES + bus_text_bytes(process->comm);
        }
        return n_bytes;
}

static int append_entries(sd_bus_message *m, const BusView *view, const Process *p) {
        int r;

        r = bus_append_domain_entries(m, view, p->domain->id);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "PID", "u", (uint32_t) p->pid);
        if (r >= 0 && p->has_uid)
                r = sd_bus_message_append(m, "{sv}", "UID", "u", (uint32_t) p->uid);
        if (r >= 0)
                r = bus_append_text_entry(m, "Comm", p->comm);
        if (r >= 0)
                r = bus_append_text_entry(m, "Exe", p->exe);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "Known", "s", attribution_to_string(p->attribution));
        if (r >= 0 && p->n_threads > 0)
                r = sd_bus_message_append(m, "{sv}", "ThreadsCount", "t", (uint64_t) p->n_threads);
        if (r >= 0)
                r = sd_bus_message_append(
                                m, "{sv}{sv}", "FirstSeen", "t", p->first_seen_usec, "LastSeen", "t",
                                p->last_seen_usec);
        return r;
}

static int append_process(sd_bus_message *m, const BusView *view, const Process *process) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = append_entries(m, view, process);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

/* What is appended of a list. */
typedef struct ProcessPage {
        const Domain *around; /* only those in it or nested in it; NULL: any */
        BusRoom room;
        uint64_t n; /* those that there are */
} ProcessPage;

static int add_to_page(sd_bus_message *m, const BusView *view, const Process *p, ProcessPage *page) {
        if ((page->around && !domain_is_inside(p->domain, page->around)) ||
            !bus_caller_sees_process(view->caller, p))
                return 0;

        page->n++;
        if (!bus_room_take(&page->room, IN_LIST_FIXED_BYTES + bus_text_bytes(p->comm) + bus_text_bytes(p->exe))) {
                page->room.n_entries = 0;
                return 0;
        }
        return append_process(m, view, p);
}

int bus_append_processes(sd_bus_message *m, const BusView *view, const Domain *domain, bool subtree, uint32_t limit,
                         uint64_t *ret_n) {
        ProcessPage page = { .around = domain, .room = { limit, BUS_ANSWER_BYTES_MAX } };
        const Process *p;
        int r;

        r = sd_bus_message_open_container(m, 'a', "a{sv}");
        if (domain && !subtree)
                TAILQ_FOREACH(p, &domain->processes, in_domain) {
                        if (r >= 0)
                                r = add_to_page(m, view, p, &page);
                }
        else
                TAILQ_FOREACH(p, &view->table->processes.processes, in_table) {
                        if (r >= 0)
                                r = add_to_page(m, view, p, &page);
                }
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;
        *ret_n = page.n;
        return 0;
}
