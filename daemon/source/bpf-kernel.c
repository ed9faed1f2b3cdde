/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/bpf-kernel.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/host.h"
#include "base/log.h"

/* What libbpf says is for developers, and most of it is about what was expected to fail. */
static int on_libbpf_message(enum libbpf_print_level level, const char *format, va_list args) {
        char message[512];

        if (level == LIBBPF_DEBUG)
                return 0;
        vsnprintf(message, sizeof(message), format, args);
        message[strcspn(message, "\n")] = '\0';
        log_debug("libbpf: %s", message);
        return 0;
}

static bool has_member(const struct btf *btf, const char *structure, const char *member) {
        int id = btf__find_by_name_kind(btf, structure, BTF_KIND_STRUCT);
        const struct btf_type *type = id > 0 ? btf__type_by_id(btf, id) : NULL;

        for (unsigned i = 0; type && i < btf_vlen(type); i++)
                if (strcmp(btf__name_by_offset(btf, btf_members(type)[i].name_off), member) == 0)
                        return true;
        return false;
}

int bpf_kernel_check(char *ret_reason, size_t n_reason) {
        struct btf *btf;
        int r = 0;

        libbpf_set_print(on_libbpf_message);
        btf = btf__load_vmlinux_btf();
        if (!btf) {
                snprintf(ret_reason, n_reason, "the kernel does not describe its structures (CONFIG_DEBUG_INFO_BTF)");
                return -EOPNOTSUPP;
        }
        if (!has_member(btf, "landlock_hierarchy", "id")) {
                snprintf(ret_reason, n_reason, "this kernel gives Landlock domains no ID: Linux 6.15 with CONFIG_AUDIT does");
                r = -EOPNOTSUPP;
        }
        btf__free(btf);
        return r;
}

BpfKernelFunctions bpf_kernel_functions(void) {
        struct btf *btf = btf__load_vmlinux_btf();
        BpfKernelFunctions functions = {};

        if (!btf)
                return functions;
        functions.restricts_threads =
                btf__find_by_name_kind(btf, "landlock_restrict_sibling_threads", BTF_KIND_FUNC) > 0;
        functions.denials_are_understood = has_member(btf, "landlock_request", "layer_masks_size") ||
                btf__find_by_name_kind(btf, "layer_masks", BTF_KIND_STRUCT) > 0 ||
                btf__find_by_name_kind(btf, "layer_access_masks", BTF_KIND_STRUCT) > 0;
        btf__free(btf);
        return functions;
}

void bpf_kernel_explain(int error, char *ret_reason, size_t n_reason) {
        /* Which error that makes depends on the program. */
        if (host_is_locked_down()) {
                snprintf(ret_reason, n_reason, "the kernel is locked down for confidentiality (/sys/kernel/security/lockdown), "
                         "which keeps BPF programs from reading it");
                return;
        }

        switch (-error) {
        case EPERM:
        case EACCES:
                snprintf(ret_reason, n_reason, "the kernel refuses BPF (%s): it takes CAP_BPF and CAP_PERFMON, and a kernel that "
                         "is not locked down (/sys/kernel/security/lockdown)", strerror(-error));
                break;
        case ENOSYS:
                snprintf(ret_reason, n_reason, "the kernel has no BPF (CONFIG_BPF_SYSCALL)");
                break;
        default:
                snprintf(ret_reason, n_reason, "the kernel does not take the BPF programs: %s (LogLevel=debug in landlockd.conf "
                         "tells more)", strerror(-error));
        }
}
