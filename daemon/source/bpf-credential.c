/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/bpf-credential.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/macros.h"
#include "source/bpf-iterator.h"
#include "source/bpf/snapshot.skel.h"

/* include/uapi/linux/landlock.h, since Linux 6.15 */
#define RESTRICT_SELF_LOG_SUBDOMAINS_OFF (1U << 2)

/* More than all security modules of today keep in a credential. */
#define OFFSET_MAX 256

/* Asks that domains to come be not logged. Returns an errno. */
static int mark_credential(void) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            syscall(SYS_landlock_restrict_self, -1, RESTRICT_SELF_LOG_SUBDOMAINS_OFF) < 0)
                return errno;
        return 0;
}

/* It must not outlive landlockd, nor hold what landlockd has open, the lock of the runtime directory above all, for longer
 * than that. */
static int belong_to(pid_t parent, int ready) {
        if (ready > 0 && close_range(0, ready - 1, 0) < 0)
                return -1;
        if (close_range(ready + 1, UINT_MAX, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return -1;
        return getppid() == parent ? 0 : -1;
}

_Noreturn static void live(pid_t parent, int ready, bool marked) {
        int error;

        if (belong_to(parent, ready) < 0)
                _exit(EXIT_FAILURE);
        error = marked ? mark_credential() : 0;
        if (write(ready, &error, sizeof(error)) != sizeof(error))
                _exit(EXIT_FAILURE);
        close(ready);
        for (;;)
                pause();
}

static void end_process(pid_t pid) {
        if (pid > 0 && kill(pid, SIGKILL) >= 0)
                waitpid(pid, NULL, 0);
}

/* A process that does nothing more, once this returns. */
static int begin_process(bool marked, pid_t *ret) {
        _cleanup_close_ int readable = -EBADF, writable = -EBADF;
        int fds[2], error = EPIPE;
        pid_t parent = getpid(), pid;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        readable = fds[0];
        writable = fds[1];
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                live(parent, writable, marked);

        close(TAKE_FD(writable));
        if (read(readable, &error, sizeof(error)) != sizeof(error) || error != 0) {
                end_process(pid);
                return -error;
        }
        *ret = pid;
        return 0;
}

static void on_record(void *userdata, const BpfRecord *record) {
        BpfCredentialRecord *credential = userdata;

        if (record->type == BPF_RECORD_CREDENTIAL && record->size == sizeof(*credential))
                memcpy(credential, record, sizeof(*credential));
}

static int read_credential(struct snapshot_bpf *programs, pid_t pid, BpfCredentialRecord *ret) {
        int r;

        *ret = (BpfCredentialRecord) {};
        r = bpf_iterator_read_thread(programs->progs.credential, pid, on_record, ret);
        if (r < 0)
                return r;
        return ret->record.size > 0 ? 0 : -ESRCH;
}

static bool differ_in_mark(const BpfCredentialRecord *plain, const BpfCredentialRecord *marked) {
        return plain->log_subdomains_off == 0 && marked->log_subdomains_off == 1 &&
                plain->domain_address == marked->domain_address && plain->domain_exec == marked->domain_exec;
}

/* The first place is the right one: what other modules keep before it is the same in both, and behind it there may be
 * other memory. -ENOENT if there is none. */
static int compare(struct snapshot_bpf *programs, pid_t plain_pid, pid_t marked_pid, uint32_t *ret_offset) {
        BpfCredentialRecord plain, marked;
        int r;

        for (uint32_t offset = 0; offset < OFFSET_MAX; offset += sizeof(uint64_t)) {
                programs->bss->credential_offset = offset;
                r = read_credential(programs, plain_pid, &plain);
                if (r >= 0)
                        r = read_credential(programs, marked_pid, &marked);
                if (r < 0)
                        return r;
                if (differ_in_mark(&plain, &marked)) {
                        *ret_offset = offset;
                        return 0;
                }
        }
        return -ENOENT;
}

static int find_once(struct snapshot_bpf *programs, uint32_t *ret_offset) {
        pid_t plain = 0, marked = 0;
        int r;

        r = begin_process(false, &plain);
        if (r >= 0)
                r = begin_process(true, &marked);
        if (r >= 0)
                r = compare(programs, plain, marked, ret_offset);
        end_process(marked);
        end_process(plain);
        return r;
}

static void explain(int error, char *ret_reason, size_t n_reason) {
        switch (-error) {
        case ENOENT:
                snprintf(ret_reason, n_reason, "where the kernel keeps the domain in a credential was not found: %s",
                         "this happens when landlockd is itself in a sandbox that logs no denials");
                break;
        case EOPNOTSUPP:
                snprintf(ret_reason, n_reason, "Landlock is not enabled: add it to lsm= on the kernel's command line");
                break;
        case EPERM:
        case ENOSYS:
                snprintf(ret_reason, n_reason, "landlock_restrict_self(2) is refused to landlockd (%s): see "
                         "SystemCallFilter= of landlockd.service", strerror(-error));
                break;
        default:
                snprintf(ret_reason, n_reason, "looking for the domain in a credential failed: %s", strerror(-error));
        }
}

/* Twice with new processes: the same by chance is out of the question then. */
int bpf_credential_find(struct snapshot_bpf *programs, uint32_t *ret_offset, char *ret_reason, size_t n_reason) {
        uint32_t first, second;
        int r;

        r = find_once(programs, &first);
        if (r >= 0)
                r = find_once(programs, &second);
        if (r >= 0 && first != second)
                r = -ENOENT;
        if (r < 0) {
                explain(r, ret_reason, n_reason);
                return r;
        }
        *ret_offset = first;
        return 0;
}
