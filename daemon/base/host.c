/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <systemd/sd-id128.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "base/macros.h"

/* From include/uapi/linux/landlock.h; Debian 12's headers have the first only. */
#define CREATE_RULESET_VERSION (1U << 0)
#define CREATE_RULESET_ERRATA (1U << 1)

int host_init(Host *host) {
        Host h = {};
        sd_id128_t id;
        int r;

        r = sd_id128_get_boot(&id);
        if (r < 0)
                return r;
        uuid_unparse_lower(id.bytes, h.boot_id);
        h.has_boot_id = true;

        if (sd_id128_get_machine(&id) >= 0) {
                sd_id128_to_string(id, h.machine_id);
                h.has_machine_id = true;
        }
        if (gethostname(h.hostname, sizeof(h.hostname) - 1) < 0)
                h.hostname[0] = '\0';

        *host = h;
        return 0;
}

unsigned host_format_domain(uint64_t domain, char buffer[static DOMAIN_ID_TEXT_SIZE]) {
        static const char digits[] = "0123456789abcdef";
        unsigned n = domain ? (67 - __builtin_clzll(domain)) / 4 : 1;

        for (unsigned i = n; i > 0; i--) {
                buffer[i - 1] = digits[domain & 0xf];
                domain >>= 4;
        }
        buffer[n] = '\0';
        return n;
}

bool host_domain_uuid(const Host *host, uint64_t domain, char buffer[static UUID_TEXT_SIZE]) {
        char name[DOMAIN_ID_TEXT_SIZE];
        unsigned len = host_format_domain(domain, name);
        uuid_t boot, uuid;

        if (!host->has_boot_id || uuid_parse(host->boot_id, boot) < 0)
                return false;

        uuid_generate_sha1(uuid, boot, name, len);
        uuid_unparse_lower(uuid, buffer);
        return true;
}

static int landlock_query(unsigned flags) {
        int r = syscall(SYS_landlock_create_ruleset, NULL, 0, flags);

        return r < 0 ? -errno : r;
}

int host_landlock_abi(void) {
        return landlock_query(CREATE_RULESET_VERSION);
}

int host_landlock_errata(void) {
        return landlock_query(CREATE_RULESET_ERRATA);
}

bool host_is_locked_down(void) {
        _cleanup_fclose_ FILE *file = fopen("/sys/kernel/security/lockdown", "re");
        char line[128];

        /* "none integrity [confidentiality]": what holds is in brackets. */
        return file && fgets(line, sizeof(line), file) && strstr(line, "[confidentiality]");
}
