/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/bus-domain.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "publish/bus-process.h"
#include "publish/bus-ruleset.h"

/* Of one domain; each child tells its parent, so that the others are had too. */
#define CHILDREN_MAX 1024

/* Keys, numbers and padding of a domain, and one path: well above what they come to. */
#define DOMAIN_FIXED_BYTES 3584
#define PATH_BYTES (BUS_DOMAIN_PATH_SIZE + 16)

/* A property of the object and a member of the dictionary. */
typedef struct Field {
        const char *name, *signature;
        bool (*known)(const BusView *view, const Domain *d); /* NULL: always */
        int (*append)(sd_bus_message *m, const BusView *view, const Domain *d);
} Field;

static bool visible(const BusView *view, const Domain *d) {
        return bus_caller_sees_domain(view->caller, d);
}

/* The next of the children that have objects. */
static const Domain *live_child(const BusView *view, const Domain *child) {
        while (child && (child->state != DOMAIN_ALLOCATED || !visible(view, child)))
                child = TAILQ_NEXT(child, sibling);
        return child;
}

static size_t children_bytes(const Domain *d) {
        const Domain *child;
        size_t n = 0;

        TAILQ_FOREACH(child, &d->children, sibling)
                if (n++ == CHILDREN_MAX)
                        break;
        return n * PATH_BYTES;
}

size_t bus_domain_bytes(const Domain *d) {
        return DOMAIN_FIXED_BYTES + bus_text_bytes(d->creator_comm) + bus_text_bytes(d->creator_exe) +
               bus_text_bytes(d->label) +
               (domain_handled(d) ? bus_rights_bytes(domain_handled(d)) : 0) + children_bytes(d) + bus_domain_processes_bytes(d);
}

void bus_domain_format_path(uint64_t id, char path[static BUS_DOMAIN_PATH_SIZE]) {
        char *end = stpcpy(path, BUS_DOMAINS_PATH "/_");

        host_format_domain(id, end);
}

int bus_append_domain_path(sd_bus_message *m, const Domain *d) {
        char path[BUS_DOMAIN_PATH_SIZE];

        bus_domain_format_path(d->id, path);
        return sd_bus_message_append_basic(m, 'o', d->state == DOMAIN_ALLOCATED ? path : "/");
}

static int append_id(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "t", d->id);
}

static int append_hex_id(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        char hex[DOMAIN_ID_TEXT_SIZE];

        host_format_domain(d->id, hex);
        return sd_bus_message_append(m, "s", hex);
}

static bool uuid_known(const BusView *view, _unused_ const Domain *d) {
        return view->status->host.has_boot_id;
}

static int append_uuid(sd_bus_message *m, const BusView *view, const Domain *d) {
        char uuid[UUID_TEXT_SIZE] = "";

        host_domain_uuid(&view->status->host, d->id, uuid);
        return sd_bus_message_append(m, "s", uuid);
}

static int append_state(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "s", domain_state_to_string(d->state));
}

static bool mode_known(_unused_ const BusView *view, const Domain *d) {
        return domain_mode_to_string(d->mode);
}

static int append_mode(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "s", mode_known(view, d) ? domain_mode_to_string(d->mode) : "");
}

static bool label_known(_unused_ const BusView *view, const Domain *d) {
        return text_known(d->label);
}

static int append_label(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return bus_append_text(m, d->label);
}

static bool creator_pid_known(_unused_ const BusView *view, const Domain *d) {
        return d->has_creator_pid;
}

static int append_creator_pid(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "u", d->has_creator_pid ? (uint32_t) d->creator_pid : 0);
}

static bool creator_tid_known(_unused_ const BusView *view, const Domain *d) {
        return d->has_creator_tid;
}

static int append_creator_tid(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "u", d->has_creator_tid ? (uint32_t) d->creator_tid : 0);
}

static bool creator_uid_known(_unused_ const BusView *view, const Domain *d) {
        return d->has_creator_uid;
}

static int append_creator_uid(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "u", d->has_creator_uid ? (uint32_t) d->creator_uid : UINT32_MAX);
}

static bool creator_comm_known(_unused_ const BusView *view, const Domain *d) {
        return text_known(d->creator_comm);
}

static int append_creator_comm(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return bus_append_text(m, d->creator_comm);
}

static bool creator_exe_known(_unused_ const BusView *view, const Domain *d) {
        return text_known(d->creator_exe);
}

static int append_creator_exe(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return bus_append_text(m, d->creator_exe);
}

/* One that the caller may not see is as one that nobody told of. */
static bool parent_known(const BusView *view, const Domain *d) {
        return d->has_parent && (d->parent_id == 0 || bus_caller_sees_all(view->caller) ||
                                 (d->parent && visible(view, d->parent)));
}

static int append_parent(sd_bus_message *m, const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "t", parent_known(view, d) ? d->parent_id : 0);
}

static int append_parent_path(sd_bus_message *m, const BusView *view, const Domain *d) {
        return d->parent && visible(view, d->parent) ? bus_append_domain_path(m, d->parent)
                                                     : sd_bus_message_append(m, "o", "/");
}

static int append_children(sd_bus_message *m, const BusView *view, const Domain *d) {
        const Domain *child = live_child(view, TAILQ_FIRST(&d->children));
        int r;

        r = sd_bus_message_open_container(m, 'a', "o");
        for (size_t n = 0; r >= 0 && child && n < CHILDREN_MAX; n++) {
                r = bus_append_domain_path(m, child);
                child = live_child(view, TAILQ_NEXT(child, sibling));
        }
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static bool ruleset_known(_unused_ const BusView *view, const Domain *d) {
        return d->has_ruleset;
}

static int append_ruleset(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        char hex[DOMAIN_ID_TEXT_SIZE] = "";

        if (d->has_ruleset)
                host_format_domain(d->ruleset_id, hex);
        return sd_bus_message_append(m, "s", hex);
}

static int append_ruleset_version(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "t", d->ruleset_version);
}

static bool handled_known(_unused_ const BusView *view, const Domain *d) {
        return domain_handled(d);
}

static int append_handled(sd_bus_message *m, const Domain *d, AccessClass class) {
        return bus_append_rights(m, class, domain_handled(d) ? domain_handled(d)->bits[class] : 0);
}

static int append_handled_fs(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return append_handled(m, d, ACCESS_FS);
}

static int append_handled_net(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return append_handled(m, d, ACCESS_NET);
}

static int append_scoped(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return append_handled(m, d, ACCESS_SCOPE);
}

static size_t n_rules(const Domain *d) {
        return d->ruleset ? ruleset_n_rules(d->ruleset, d->ruleset_version) : 0;
}

static int append_rules(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return bus_append_rules(m, d->ruleset, n_rules(d));
}

static int append_rules_count(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "t", (uint64_t) n_rules(d));
}

static int append_rules_unknown(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "t", d->ruleset_version - n_rules(d));
}

static bool enforcement_known(_unused_ const BusView *view, const Domain *d) {
        return d->has_enforcement;
}

static int append_process_wide(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "b", d->has_enforcement && d->process_wide);
}

static int append_no_new_privs(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "b", d->has_enforcement && d->no_new_privs);
}

static bool created_known(_unused_ const BusView *view, const Domain *d) {
        return d->created_usec > 0;
}

static int append_created(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "t", d->created_usec);
}

static int append_first_seen(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "t", d->first_seen_usec);
}

static int append_last_seen(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "t", d->last_seen_usec);
}

static int append_denials_seen(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "t", d->n_denials);
}

static int append_blockers(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{st}");
        for (Blocker b = 0; r >= 0 && b < BLOCKER_MAX; b++)
                if (d->n_blocked[b] > 0)
                        r = sd_bus_message_append(m, "{st}", blocker_name(b).data, d->n_blocked[b]);
        if (r >= 0 && d->n_blocked_other > 0)
                r = sd_bus_message_append(m, "{st}", "other", d->n_blocked_other);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static int append_processes(sd_bus_message *m, const BusView *view, const Domain *d) {
        return bus_append_domain_processes(m, view, d);
}

static int append_processes_count(sd_bus_message *m, const BusView *view, const Domain *d) {
        uint64_t n_threads;

        return sd_bus_message_append(m, "t", (uint64_t) bus_domain_n_processes(view, d, &n_threads));
}

static int append_threads_count(sd_bus_message *m, const BusView *view, const Domain *d) {
        uint64_t n_threads;

        bus_domain_n_processes(view, d, &n_threads);
        return sd_bus_message_append(m, "t", n_threads);
}

static int append_origins(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return bus_append_origins(m, d->origins);
}

static bool freed_known(_unused_ const BusView *view, const Domain *d) {
        return d->freed_usec > 0;
}

static int append_freed(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "t", d->freed_usec);
}

static bool denials_kernel_known(_unused_ const BusView *view, const Domain *d) {
        return d->has_n_denials_kernel;
}

static int append_denials_kernel(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "t", d->n_denials_kernel);
}

static bool denials_unseen_known(_unused_ const BusView *view, const Domain *d) {
        return domain_denials_settled(d);
}

static int append_denials_unseen(sd_bus_message *m, _unused_ const BusView *view, const Domain *d) {
        return sd_bus_message_append(m, "t", domain_denials_unseen(d));
}

/* X(name, signature, known, append). The object's properties, in the order in which they are shown. */
#define PROPERTIES(X)                                                       \
        X("ID", "t", NULL, append_id)                                       \
        X("HexID", "s", NULL, append_hex_id)                                \
        X("UUID", "s", uuid_known, append_uuid)                             \
        X("State", "s", NULL, append_state)                                 \
        X("Mode", "s", mode_known, append_mode)                             \
        X("Label", "s", label_known, append_label)                          \
        X("Parent", "t", parent_known, append_parent)                       \
        X("ParentPath", "o", parent_known, append_parent_path)              \
        X("Children", "ao", NULL, append_children)                          \
        X("CreatorPID", "u", creator_pid_known, append_creator_pid)         \
        X("CreatorTID", "u", creator_tid_known, append_creator_tid)         \
        X("CreatorUID", "u", creator_uid_known, append_creator_uid)         \
        X("CreatorComm", "s", creator_comm_known, append_creator_comm)      \
        X("CreatorExe", "s", creator_exe_known, append_creator_exe)         \
        X("Ruleset", "s", ruleset_known, append_ruleset)                    \
        X("RulesetVersion", "t", ruleset_known, append_ruleset_version)     \
        X("HandledAccessFS", "as", handled_known, append_handled_fs)        \
        X("HandledAccessNet", "as", handled_known, append_handled_net)      \
        X("Scoped", "as", handled_known, append_scoped)                     \
        X("RulesCount", "t", ruleset_known, append_rules_count)             \
        X("RulesUnknown", "t", ruleset_known, append_rules_unknown)         \
        X("ProcessWide", "b", enforcement_known, append_process_wide)       \
        X("NoNewPrivs", "b", enforcement_known, append_no_new_privs)        \
        X("Created", "t", created_known, append_created)                    \
        X("FirstSeen", "t", NULL, append_first_seen)                        \
        X("LastSeen", "t", NULL, append_last_seen)                          \
        X("DenialsSeen", "t", NULL, append_denials_seen)                    \
        X("Blockers", "a{st}", NULL, append_blockers)                       \
        X("Processes", "a(usst)", NULL, append_processes)                   \
        X("ProcessesCount", "t", NULL, append_processes_count)              \
        X("ThreadsCount", "t", NULL, append_threads_count)                  \
        X("Origins", "as", NULL, append_origins)

/* Also properties, but not in a list of domains, for which they may be too many. */
#define LONG_PROPERTIES(X)                                                  \
        X("Rules", "aa{sv}", ruleset_known, append_rules)

/* Only in what methods return, which is also about freed domains: these have no object. */
#define MEMBERS(X)                                                          \
        X("Freed", "t", freed_known, append_freed)                          \
        X("DenialsKernel", "t", denials_kernel_known, append_denials_kernel) \
        X("DenialsUnseen", "t", denials_unseen_known, append_denials_unseen)

#define X(name, signature, known, append) { name, signature, known, append },
static const Field fields[] = { PROPERTIES(X) MEMBERS(X) };
static const Field long_fields[] = { LONG_PROPERTIES(X) };
#undef X

static const Field *find_field(const Field *list, size_t n, const char *name) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(list[i].name, name) == 0)
                        return &list[i];
        return NULL;
}

static int append_field(sd_bus_message *m, const BusView *view, const Domain *d, const Field *field) {
        int r;

        if (field->known && !field->known(view, d))
                return 0;
        r = bus_open_entry(m, field->name, field->signature);
        if (r >= 0)
                r = field->append(m, view, d);
        if (r >= 0)
                r = bus_close_entry(m);
        return r;
}

static int append_fields(sd_bus_message *m, const BusView *view, const Domain *d, const Field *list, size_t n) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = append_field(m, view, d, &list[i]);
        return r;
}

static int append_domain(sd_bus_message *m, const BusView *view, const Domain *d, bool with_rules) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = append_fields(m, view, d, fields, ARRAY_SIZE(fields));
        if (r >= 0 && with_rules)
                r = append_fields(m, view, d, long_fields, ARRAY_SIZE(long_fields));
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

int bus_append_domain(sd_bus_message *m, const BusView *view, const Domain *d) {
        return append_domain(m, view, d, false);
}

int bus_append_domain_properties(sd_bus_message *m, const BusView *view, const Domain *d, const char *const *names) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        for (; r >= 0 && *names; names++) {
                const Field *field = find_field(fields, ARRAY_SIZE(fields), *names);

                assert(field);
                r = append_field(m, view, d, field);
        }
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

int bus_append_domain_with_rules(sd_bus_message *m, const BusView *view, const Domain *d) {
        return append_domain(m, view, d, true);
}

static int get_property(
                sd_bus *bus, _unused_ const char *path, _unused_ const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        const BusModel *model = sd_bus_slot_get_userdata(sd_bus_get_current_slot(bus));
        const BusView view = bus_view(model, sd_bus_get_current_message(bus));
        const Field *field = find_field(fields, ARRAY_SIZE(fields), property)
                ?: find_field(long_fields, ARRAY_SIZE(long_fields), property);

        return field ? field->append(reply, &view, userdata) : -ENOENT;
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
#define X(name, signature, known, append) SD_BUS_PROPERTY(name, signature, get_property, 0, 0),
        PROPERTIES(X)
#undef X
#define X(name, signature, known, append) \
        SD_BUS_PROPERTY(name, signature, get_property, 0, SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        LONG_PROPERTIES(X)
#undef X
        SD_BUS_VTABLE_END,
};

/* sd_bus_object_find_t: 1 if the path is that of a live domain, in exactly the one spelling. */
static int find(
                sd_bus *bus, const char *path, _unused_ const char *interface, void *userdata,
                void **ret_found, _unused_ sd_bus_error *error) {
        static const Text prefix = TEXT_LITERAL(BUS_DOMAINS_PATH "/_");
        const BusView view = bus_view(userdata, sd_bus_get_current_message(bus));
        Text text = text_from_string(path);
        char canonical[BUS_DOMAIN_PATH_SIZE];
        const Domain *domain;
        uint64_t id;

        if (!text_has_prefix(text, prefix) ||
            text_parse_u64((Text) { text.data + prefix.len, text.len - prefix.len }, 16, &id) < 0)
                return 0;

        domain = bus_view_domain(&view, id);
        if (!domain || domain->state != DOMAIN_ALLOCATED)
                return 0;
        bus_domain_format_path(domain->id, canonical);
        if (strcmp(path, canonical) != 0)
                return 0;

        *ret_found = (void *) domain;
        return 1;
}

static char **strv_free(char **strv) {
        for (char **s = strv; s && *s; s++)
                free(*s);
        free(strv);
        return NULL;
}
DEFINE_CLEANUP(char **, strv_free);

/* sd_bus_node_enumerator_t: the most recently seen domains, as many as one answer may hold. */
static int enumerate(
                sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                _unused_ sd_bus_error *error) {
        _cleanup_(strv_freep) char **nodes = NULL;
        BusRoom room = { BUS_OBJECTS_MAX, BUS_ANSWER_BYTES_MAX };
        const BusView view = bus_view(userdata, sd_bus_get_current_message(bus));
        const Domain *domain;
        size_t n = 0;

        /* Asked for the children of one domain, which are none: `busctl tree` asks so for each of them. */
        if (text_has_prefix(text_from_string(prefix), TEXT_LITERAL(BUS_DOMAINS_PATH "/")))
                return 0;

        nodes = calloc(MIN(view.table->n_live, (size_t) BUS_OBJECTS_MAX) + 1, sizeof(char *));
        if (!nodes)
                return -ENOMEM;

        TAILQ_FOREACH(domain, &view.table->live, entry) {
                char path[BUS_DOMAIN_PATH_SIZE];

                if (!bus_caller_sees_domain(view.caller, domain))
                        continue;
                if (!bus_room_take(&room, bus_domain_bytes(domain)))
                        break;
                bus_domain_format_path(domain->id, path);
                nodes[n] = strdup(path);
                if (!nodes[n++])
                        return -ENOMEM;
        }

        *ret_nodes = TAKE_PTR(nodes);
        return 0;
}

int bus_domain_attach(sd_bus *bus, const BusModel *model) {
        int r;

        r = sd_bus_add_fallback_vtable(bus, NULL, BUS_DOMAINS_PATH, BUS_DOMAIN_INTERFACE, vtable, find, (void *) model);
        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(bus, NULL, BUS_DOMAINS_PATH, enumerate, (void *) model);
}
