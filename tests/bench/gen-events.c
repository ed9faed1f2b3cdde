/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes an audit log that never happened, as auditd would have written it: the input of the replay benchmark.
 * Recording one would be more honest, but no recording is long enough, and none can be repeated elsewhere. So
 * the forms, the order and the interleaving of the records are those that kernel 6.18 was seen to write
 * (tests/data), and the same seed gives the same bytes everywhere. */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum {
        LIVE_DOMAINS = 64,   /* at any time, so that the input's length changes nothing but its length */
        DENIALS_MEAN = 24,   /* of a domain's life */
        LINES_MAX = 12,
        EVENT_MAX = 16384,
};

static uint64_t arg_events = 200000, arg_seed = 1, arg_gap_ms = 1;
static bool arg_unknown_types;

/* splitmix64: one word of state and the same sequence on every machine. No call may take two of these as its
 * arguments: compilers differ in which they evaluate first. */
static uint64_t random_state;

static uint64_t random_u64(void) {
        uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

static unsigned random_below(unsigned n) {
        return (unsigned) (random_u64() % n);
}

static bool random_percent(unsigned percent) {
        return random_below(100) < percent;
}

typedef struct Program {
        const char *comm, *exe, *argv; /* argv: separated by '\n' */
        unsigned uid;
} Program;

static const Program programs[] = {
        { "sandboxer", "/usr/local/bin/sandboxer", "sandboxer\nsh\n-c\nmake check", 1000 },
        { "setpriv", "/usr/bin/setpriv", "setpriv\n--landlock-access\nfs\n--\n/usr/bin/convert\nin.png", 1000 },
        { "nginx", "/usr/sbin/nginx", "nginx: worker process", 33 },
        { "python3", "/usr/bin/python3.13", "python3\n-c\nimport socket\nsocket.socket().bind(('', 80))", 1001 },
        { "xdg-document-po", "/usr/libexec/xdg-document-portal", "/usr/libexec/xdg-document-portal", 1000 },
        { "cc1plus", "/usr/lib/gcc/x86_64-linux-gnu/14/cc1plus", "cc1plus\n-quiet\n-O2\nmain.cc", 1000 },
        { "a b\"c\x1b", "/home/user/bin/a b\"c\x1b", "a b\"c\x1b\n\xff\xfe", 1000 },
        { "polkitd", "/usr/lib/polkit-1/polkitd", "/usr/lib/polkit-1/polkitd\n--no-debug", 997 },
};

typedef struct Domain {
        uint64_t id;
        const Program *program;
        unsigned pid, ppid;
        uint64_t left, denials; /* both reach zero and total at its end */
        bool named;
} Domain;

/* An event's lines, kept apart so that those of two events can be interleaved. */
typedef struct Event {
        char text[EVENT_MAX];
        size_t used;
        size_t lines[LINES_MAX + 1]; /* offsets; one more than there are lines */
        unsigned n_lines;
        uint64_t serial, time_ms;
} Event;

static Domain domains[LIVE_DOMAINS];
static uint64_t next_id, next_serial = 100, now_ms = UINT64_C(1795308514891);
static uint64_t n_denial_events, n_denials, n_domains, n_lines, n_bytes;

static void append(Event *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(Event *e, const char *format, ...) {
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(e->text + e->used, sizeof(e->text) - e->used, format, ap);
        va_end(ap);
        if (n < 0 || (size_t) n >= sizeof(e->text) - e->used)
                abort(); /* no line here is a tenth of that */
        e->used += (size_t) n;
}

static void line_begin(Event *e, const char *type, unsigned number) {
        if (e->n_lines == LINES_MAX)
                abort();
        e->lines[e->n_lines++] = e->used;
        if (arg_unknown_types && number >= 1423)
                append(e, "type=UNKNOWN[%u] ", number);
        else
                append(e, "type=%s ", type);
        append(e, "msg=audit(%" PRIu64 ".%03u:%" PRIu64 "): ", e->time_ms / 1000, (unsigned) (e->time_ms % 1000),
               e->serial);
}

static void line_end(Event *e) {
        append(e, "\n");
        e->lines[e->n_lines] = e->used;
}

static void append_hex(Event *e, const char *bytes, size_t len) {
        for (size_t i = 0; i < len; i++)
                append(e, "%02X", (unsigned char) bytes[i]);
}

/* As the kernel writes what it does not trust: quoted, or as hex if a byte of it could confuse. */
static void append_untrusted(Event *e, const char *text) {
        for (const char *p = text; *p; p++)
                if (*p == '"' || *p < 0x21 || *p > 0x7e) {
                        append_hex(e, text, strlen(text));
                        return;
                }
        append(e, "\"%s\"", text);
}

static void random_path(char *path, size_t size) {
        static const char *const dirs[] = {
                "/etc", "/usr/share/zoneinfo", "/var/lib/app", "/home/user/.cache/fontconfig", "/proc/self",
                "/home/user/Documents", "/run/user/1000", "/tmp/build", "/dev", "/srv/www/htdocs",
        };
        static const char *const names[] = {
                "passwd", "ld.so.cache", "Local State", "index.html", "caf\303\251.txt", "say \"hi\"", "main.o",
                "id_ed25519", "back\\slash", "bus", "new\nline", "bad\xff\xfe", "lock", "data.sqlite-wal",
        };

        const char *dir = dirs[random_below(ARRAY_SIZE(dirs))], *name = names[random_below(ARRAY_SIZE(names))];

        snprintf(path, size, "%s/%u/%s", dir, random_below(1000), name);
}

typedef enum ObjectForm {
        OBJECT_PATH,
        OBJECT_DEVICE,
        OBJECT_MOUNT,
        OBJECT_LOCAL,
        OBJECT_REMOTE,
        OBJECT_ABSTRACT,
        OBJECT_TASK,
} ObjectForm;

typedef struct Access {
        const char *blockers;
        ObjectForm form;
        unsigned weight; /* relative */
        unsigned syscall;
        int exit;
        const char *second; /* blockers of a second record in the same event */
} Access;

static const Access accesses[] = {
        { "fs.execute", OBJECT_PATH, 30, 59, -13, NULL },
        { "fs.write_file", OBJECT_PATH, 180, 257, -13, NULL },
        { "fs.read_file", OBJECT_PATH, 200, 257, -13, NULL },
        { "fs.write_file,fs.read_file", OBJECT_PATH, 40, 257, -13, NULL },
        { "fs.read_dir", OBJECT_PATH, 90, 257, -13, NULL },
        { "fs.remove_dir", OBJECT_PATH, 6, 84, -13, NULL },
        { "fs.remove_file", OBJECT_PATH, 25, 87, -13, NULL },
        { "fs.make_char", OBJECT_PATH, 2, 133, -13, NULL },
        { "fs.make_dir", OBJECT_PATH, 30, 83, -13, NULL },
        { "fs.make_reg", OBJECT_PATH, 80, 257, -13, NULL },
        { "fs.make_sock", OBJECT_PATH, 6, 49, -13, NULL },
        { "fs.make_fifo", OBJECT_PATH, 4, 133, -13, NULL },
        { "fs.make_block", OBJECT_PATH, 2, 133, -13, NULL },
        { "fs.make_sym", OBJECT_PATH, 8, 88, -13, NULL },
        { "fs.refer", OBJECT_PATH, 10, 86, -18, "fs.refer" },
        { "fs.remove_file,fs.refer", OBJECT_PATH, 10, 82, -13, "fs.make_reg,fs.refer" },
        { "fs.truncate", OBJECT_PATH, 20, 76, -13, NULL },
        { "fs.ioctl_dev", OBJECT_DEVICE, 12, 16, -13, NULL },
        { "fs.resolve_unix", OBJECT_PATH, 10, 42, -13, NULL },
        { "fs.change_topology", OBJECT_MOUNT, 5, 166, -1, NULL },
        { "net.bind_tcp", OBJECT_LOCAL, 30, 49, -13, NULL },
        { "net.connect_tcp", OBJECT_REMOTE, 70, 42, -13, NULL },
        { "net.bind_udp", OBJECT_LOCAL, 10, 49, -13, NULL },
        { "net.connect_send_udp", OBJECT_REMOTE, 20, 44, -13, NULL },
        { "scope.abstract_unix_socket", OBJECT_ABSTRACT, 40, 42, -1, NULL },
        { "scope.signal", OBJECT_TASK, 40, 62, -1, NULL },
        { "ptrace", OBJECT_TASK, 20, 101, -1, NULL },
};

static const Access *random_access(void) {
        static unsigned total;
        unsigned n;

        if (total == 0)
                for (size_t i = 0; i < ARRAY_SIZE(accesses); i++)
                        total += accesses[i].weight;
        n = random_below(total);
        for (const Access *access = accesses;; access++) {
                if (n < access->weight)
                        return access;
                n -= access->weight;
        }
}

static void append_address(Event *e, const char *address_key, const char *port_key) {
        if (random_percent(25))
                append(e, " %s=2001:db8::%x", address_key, random_below(65536));
        else if (random_percent(90)) /* the kernel leaves the wildcard out */
                append(e, " %s=192.0.2.%u", address_key, random_below(256));
        append(e, " %s=%u", port_key, 1 + random_below(65535));
}

static void append_object(Event *e, ObjectForm form, const char *path) {
        static const char abstract[] = "\0/tmp/.X11-unix/X0";
        static const char *const comms[] = { "systemd", "bash", "(sd-pam)", "kworker/u8:1", "a b" };

        switch (form) {
        case OBJECT_PATH:
                append(e, " path=");
                append_untrusted(e, path);
                append(e, " dev=\"vda\" ino=%u", random_below(1 << 24));
                break;
        case OBJECT_DEVICE:
                append(e, " path=\"/dev/pts/7\" dev=\"devpts\" ino=10 ioctlcmd=0x%x", 0x5400 + random_below(64));
                break;
        case OBJECT_MOUNT:
                append(e, " name=\"/\" dev=\"tmpfs\" ino=1");
                break;
        case OBJECT_LOCAL:
                append_address(e, "saddr", "src");
                break;
        case OBJECT_REMOTE:
                append_address(e, "daddr", "dest");
                break;
        case OBJECT_ABSTRACT:
                append(e, " path=");
                append_hex(e, abstract, sizeof(abstract) - 1);
                break;
        case OBJECT_TASK:
                append(e, " opid=%u ocomm=", 1 + random_below(40000));
                append_untrusted(e, comms[random_below(ARRAY_SIZE(comms))]);
                break;
        }
}

static void add_access(Event *e, Domain *d, const char *blockers, ObjectForm form, const char *path) {
        line_begin(e, "LANDLOCK_ACCESS", 1423);
        append(e, "domain=%" PRIx64 " blockers=%s", d->id, blockers);
        append_object(e, form, path);
        line_end(e);
        d->denials++;
        n_denials++;
}

static void add_allocated(Event *e, Domain *d) {
        line_begin(e, "LANDLOCK_DOMAIN", 1424);
        append(e, "domain=%" PRIx64 " status=allocated mode=enforcing pid=%u uid=%u exe=", d->id, d->pid,
               d->program->uid);
        append_untrusted(e, d->program->exe);
        append(e, " comm=");
        append_untrusted(e, d->program->comm);
        line_end(e);
        d->named = true;
        n_domains++;
}

static void add_syscall(Event *e, const Domain *d, const Access *access, unsigned n_items) {
        unsigned uid = d->program->uid;

        line_begin(e, "SYSCALL", 1300);
        append(e, "arch=c000003e syscall=%u success=no exit=%d a0=ffffff9c a1=%" PRIx64 " a2=80241 a3=1b6 items=%u",
               access->syscall, access->exit, random_u64() >> 17, n_items);
        append(e, " ppid=%u pid=%u auid=%u uid=%u gid=%u euid=%u suid=%u fsuid=%u egid=%u sgid=%u fsgid=%u",
               d->ppid, d->pid, uid, uid, uid, uid, uid, uid, uid, uid, uid);
        append(e, " tty=pts0 ses=3 comm=");
        append_untrusted(e, d->program->comm);
        append(e, " exe=");
        append_untrusted(e, d->program->exe);
        append(e, " subj=unconfined key=(null)");
        line_end(e);
}

static void add_path(Event *e, const char *path) {
        line_begin(e, "CWD", 1307);
        append(e, "cwd=\"/home/user\"");
        line_end(e);
        line_begin(e, "PATH", 1302);
        append(e, "item=0 name=");
        append_untrusted(e, path);
        append(e, " inode=%u dev=fe:00 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL", random_below(1 << 24));
        append(e, " cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0");
        line_end(e);
}

static void add_proctitle(Event *e, const Domain *d) {
        char title[128]; /* the kernel's limit */
        size_t n = strnlen(d->program->argv, sizeof(title) - 1);

        memcpy(title, d->program->argv, n);
        title[n] = '\0';
        line_begin(e, "PROCTITLE", 1327);
        append(e, "proctitle=");
        if (!strchr(title, '\n')) {
                append_untrusted(e, title);
        } else {
                for (char *p = title; *p; p++)
                        *p = *p == '\n' ? '\0' : *p;
                append_hex(e, title, n);
        }
        line_end(e);
}

static void event_begin(Event *e) {
        e->used = e->n_lines = 0;
        e->serial = ++next_serial;
        e->time_ms = now_ms += arg_gap_ms;
}

static void domain_begin(Domain *d) {
        next_id += 1 + random_below(16);
        *d = (Domain) { .id = next_id };
        d->program = &programs[random_below(ARRAY_SIZE(programs))];
        d->pid = 1000 + random_below(30000);
        d->ppid = 1 + random_below(1000);
        d->left = 1 + random_below(2 * DENIALS_MEAN - 1);
}

/* An event of access record, system call, process title and, for half of them, directory and path: four
 * records on average, beside the domain's own when it is first named. */
static Domain *event_denial(Event *e) {
        Domain *d = &domains[random_below(LIVE_DOMAINS)];
        const Access *access = random_access();
        bool has_path = access->form == OBJECT_PATH && random_percent(66);
        char path[128];

        random_path(path, sizeof(path));
        event_begin(e);
        add_access(e, d, access->blockers, access->form, path);
        if (!d->named)
                add_allocated(e, d);
        if (access->second)
                add_access(e, d, access->second, access->form, path);
        add_syscall(e, d, access, has_path);
        if (has_path)
                add_path(e, path);
        add_proctitle(e, d);
        d->left--;
        n_denial_events++;
        return d;
}

static void event_write_line(const Event *e, unsigned i) {
        size_t len = e->lines[i + 1] - e->lines[i];

        fwrite(e->text + e->lines[i], 1, len, stdout);
        n_lines++;
        n_bytes += len;
}

static void event_write(const Event *e) {
        for (unsigned i = 0; i < e->n_lines; i++)
                event_write_line(e, i);
}

/* As two threads of two processors write them: each event's own order holds. */
static void events_interleave(const Event *a, const Event *b) {
        unsigned i = 0, j = 0;

        while (i < a->n_lines || j < b->n_lines)
                if (j == b->n_lines || (i < a->n_lines && random_percent(50)))
                        event_write_line(a, i++);
                else
                        event_write_line(b, j++);
}

static void domain_end(Domain *d) {
        Event e;

        if (d->named) {
                event_begin(&e);
                line_begin(&e, "LANDLOCK_DOMAIN", 1424);
                append(&e, "domain=%" PRIx64 " status=deallocated denials=%" PRIu64, d->id, d->denials);
                line_end(&e);
                event_write(&e);
        }
        domain_begin(d);
}

static void generate(void) {
        static Event a, b;

        random_state = arg_seed;
        next_id = (UINT64_C(1) << 32) + random_u64() % (UINT64_C(1) << 32);
        for (unsigned i = 0; i < LIVE_DOMAINS; i++)
                domain_begin(&domains[i]);
        while (n_denial_events < arg_events) {
                Domain *d = event_denial(&a);

                if (d->left > 0 && n_denial_events < arg_events && random_percent(5)) {
                        d = event_denial(&b);
                        events_interleave(&a, &b);
                } else {
                        event_write(&a);
                }
                if (d->left == 0)
                        domain_end(d);
        }
        for (unsigned i = 0; i < LIVE_DOMAINS; i++)
                domain_end(&domains[i]);
}

static uint64_t parse_number(const char *name, const char *text) {
        unsigned long long n;
        char *end;

        errno = 0;
        n = strtoull(text, &end, 10);
        if (errno || end == text || *end || *text == '-') {
                fprintf(stderr, "gen-events: --%s takes a number\n", name);
                exit(2);
        }
        return n;
}

static void usage(FILE *out) {
        fputs("Usage: gen-events [OPTION…]\n"
              "Writes an audit log to stdout and what is in it, as JSON, to stderr.\n"
              "\n"
              "      --events=N       events with denials (default 200000)\n"
              "      --seed=N         (default 1)\n"
              "      --gap-ms=N       time between two events (default 1)\n"
              "      --unknown-types  type=UNKNOWN[1423], as an auditd older than Landlock's audit records writes\n"
              "  -h, --help\n",
              out);
}

static void parse_options(int argc, char *argv[]) {
        static const struct option options[] = {
                { "events", required_argument, NULL, 'e' },
                { "seed", required_argument, NULL, 's' },
                { "gap-ms", required_argument, NULL, 'g' },
                { "unknown-types", no_argument, NULL, 'u' },
                { "help", no_argument, NULL, 'h' },
                {},
        };
        int c;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case 'e':
                        arg_events = parse_number("events", optarg);
                        break;
                case 's':
                        arg_seed = parse_number("seed", optarg);
                        break;
                case 'g':
                        arg_gap_ms = parse_number("gap-ms", optarg);
                        break;
                case 'u':
                        arg_unknown_types = true;
                        break;
                case 'h':
                        usage(stdout);
                        exit(EXIT_SUCCESS);
                default:
                        exit(2);
                }
        if (optind < argc) {
                usage(stderr);
                exit(2);
        }
}

int main(int argc, char *argv[]) {
        parse_options(argc, argv);
        generate();
        if (fflush(stdout) != 0) {
                fprintf(stderr, "gen-events: %m\n");
                return EXIT_FAILURE;
        }
        fprintf(stderr,
                "{\"events\":%" PRIu64 ",\"denials\":%" PRIu64 ",\"domains\":%" PRIu64 ",\"lines\":%" PRIu64
                ",\"bytes\":%" PRIu64 "}\n",
                n_denial_events, n_denials, n_domains, n_lines, n_bytes);
        return EXIT_SUCCESS;
}
