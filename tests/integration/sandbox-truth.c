/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sandbox-truth.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox.h"

Truth *truth_new(void) {
        Truth *truth;

        truth = mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (truth == MAP_FAILED)
                sandbox_die("no shared memory: %m");
        return truth;
}

void truth_free(Truth *truth) {
        munmap(truth, sizeof(*truth));
}

unsigned truth_add_domain(Truth *truth, pid_t creator) {
        if (truth->n_domains == TRUTH_DOMAINS_MAX)
                sandbox_die("more than %u domains", TRUTH_DOMAINS_MAX);
        truth->creators[truth->n_domains++] = creator;
        return truth->n_domains;
}

Refusal *truth_add(Truth *truth, unsigned domain, const char *blockers, uint64_t count) {
        Refusal *refusal;

        if (truth->n_refusals == TRUTH_REFUSALS_MAX)
                sandbox_die("more than %u refusals", TRUTH_REFUSALS_MAX);
        refusal = &truth->refusals[truth->n_refusals++];
        *refusal = (Refusal) {
                .count = count,
                .domain = domain,
                .logged = true,
                .in_syscall = true,
                .pid = getpid(),
        };
        snprintf(refusal->blockers, sizeof(refusal->blockers), "%s", blockers);
        return refusal;
}

void refusal_set_file(Refusal *refusal, const char *dir, const char *name) {
        struct stat st;
        int n;

        n = snprintf(refusal->path, sizeof(refusal->path), "%s%s%s", dir ?: "", dir ? "/" : "", name);
        if (n < 0 || (size_t) n >= sizeof(refusal->path))
                sandbox_die("path too long");
        refusal->kind = REFUSAL_FILE;
        refusal->path_len = (size_t) n;
        if (stat(name, &st) < 0)
                sandbox_die("%s: %m", name);
        refusal->ino = st.st_ino;
}

void refusal_set_socket(Refusal *refusal, const void *path, size_t len) {
        refusal->kind = REFUSAL_SOCKET;
        memcpy(refusal->path, path, len);
        refusal->path_len = len;
}

void refusal_set_network(Refusal *refusal, const char *address, uint16_t port, bool is_local) {
        refusal->kind = REFUSAL_NETWORK;
        snprintf(refusal->address, sizeof(refusal->address), "%s", address);
        refusal->port = port;
        refusal->is_local = is_local;
}

void refusal_set_process(Refusal *refusal, pid_t pid, const char *comm) {
        refusal->kind = REFUSAL_PROCESS;
        refusal->other_pid = pid;
        snprintf(refusal->other_comm, sizeof(refusal->other_comm), "%s", comm);
}

uint64_t truth_denials(const Truth *truth) {
        uint64_t sum = 0;

        for (size_t i = 0; i < truth->n_refusals; i++)
                sum += truth->refusals[i].count;
        return sum;
}

/* Bytes that need no thought in JSON are written as they are, all others as hex under another key: whoever
 * compares needs the exact bytes, and no escape rule that could be wrong twice. */
static void print_bytes(FILE *out, const char *key, const char *bytes, size_t len) {
        bool plain = true;

        for (size_t i = 0; i < len; i++)
                plain = plain && bytes[i] >= ' ' && bytes[i] <= '~' && bytes[i] != '"' && bytes[i] != '\\';
        if (plain) {
                fprintf(out, ",\"%s\":\"%.*s\"", key, (int) len, bytes);
                return;
        }
        fprintf(out, ",\"%s_hex\":\"", key);
        for (size_t i = 0; i < len; i++)
                fprintf(out, "%02x", (unsigned char) bytes[i]);
        fputc('"', out);
}

static void print_blockers(FILE *out, const char *blockers) {
        fputs("\"blockers\":[\"", out);
        for (const char *p = blockers; *p; p++)
                fputs(*p == ',' ? "\",\"" : (const char[]) { *p, 0 }, out);
        fputs("\"]", out);
}

static void print_file(FILE *out, const Refusal *r) {
        fputs("\"kind\":\"file\"", out);
        if (r->path_len)
                print_bytes(out, "path", r->path, r->path_len);
        if (r->name[0])
                print_bytes(out, "name", r->name, strlen(r->name));
        if (r->ino)
                fprintf(out, ",\"ino\":%ju", (uintmax_t) r->ino);
        if (r->ioctl_cmd)
                fprintf(out, ",\"ioctl_cmd\":%u", r->ioctl_cmd);
}

static void print_network(FILE *out, const Refusal *r) {
        const char *side = r->is_local ? "local" : "remote";

        fputs("\"kind\":\"network\"", out);
        if (r->address[0])
                fprintf(out, ",\"%s_address\":\"%s\"", side, r->address);
        if (r->port)
                fprintf(out, ",\"%s_port\":%u", side, r->port);
}

static void print_object(FILE *out, const Refusal *r) {
        fputs(",\"object\":{", out);
        switch (r->kind) {
        case REFUSAL_FILE:
                print_file(out, r);
                break;
        case REFUSAL_NETWORK:
                print_network(out, r);
                break;
        case REFUSAL_SOCKET:
                fputs("\"kind\":\"socket\"", out);
                print_bytes(out, "path", r->path, r->path_len);
                break;
        case REFUSAL_PROCESS:
                fprintf(out, "\"kind\":\"process\",\"pid\":%d", r->other_pid);
                print_bytes(out, "comm", r->other_comm, strlen(r->other_comm));
                break;
        }
        fputc('}', out);
}

static void print_refusal(FILE *out, const Truth *truth, const Refusal *r) {
        fputc('{', out);
        print_blockers(out, r->blockers);
        fprintf(out, ",\"count\":%" PRIu64, r->count);
        if (r->domain > 0)
                fprintf(out, ",\"domain\":%u,\"creator\":%d", r->domain, truth->creators[r->domain - 1]);
        if (r->domain > 0 && r->in_syscall)
                fprintf(out, ",\"pid\":%d", r->pid);
        fprintf(out, ",\"logged\":%s", r->logged ? "true" : "false");
        print_object(out, r);
        fputc('}', out);
}

static void print_json(FILE *out, const Truth *truth, const char *kind) {
        fprintf(out, "{\"kind\":\"%s\",\"pid\":%d,\"expected\":[", kind, truth->pid);
        for (size_t i = 0; i < truth->n_refusals; i++) {
                if (i > 0)
                        fputc(',', out);
                print_refusal(out, truth, &truth->refusals[i]);
        }
        fprintf(out, "],\"domains\":%u,\"denials\":%" PRIu64 "}\n", truth->n_domains, truth_denials(truth));
}

static void print_text(FILE *out, const Truth *truth, const char *kind) {
        uint64_t n_logged = 0;

        for (size_t i = 0; i < truth->n_refusals; i++)
                n_logged += truth->refusals[i].logged ? truth->refusals[i].count : 0;
        fprintf(out, "%s: process %d, domains %u, denials %" PRIu64 ", of these to be logged %" PRIu64 "\n", kind,
                truth->pid, truth->n_domains, truth_denials(truth), n_logged);
}

void truth_print(const Truth *truth, const char *kind, bool json) {
        (json ? print_json : print_text)(stdout, truth, kind);
        fflush(stdout);
}
