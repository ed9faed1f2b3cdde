/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager-start.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"

int manager_find_file(const char *name) {
        char **names = NULL;
        int n = sd_listen_fds_with_names(false, &names), found = -1;

        for (int i = 0; i < n; i++) {
                if (strcmp(names[i], name) == 0)
                        found = SD_LISTEN_FDS_START + i;
                free(names[i]);
        }
        free(names);
        return found;
}

ExitCode manager_describe_system(Status *status) {
        int r;

        status->version = PACKAGE_VERSION;
        status->started_usec = clock_realtime_usec();
        r = host_init(&status->host);
        if (r < 0) {
                log_error(r, "Cannot read the boot ID of this system: %s. Is /proc mounted?", strerror(-r));
                return EXIT_CODE_FAILURE;
        }

        status->landlock_errata = host_landlock_errata();
        status->landlock_abi = host_landlock_abi();
        if (status->landlock_abi < 0) {
                log_error(0, "This kernel has no Landlock (%s): there is nothing to watch. It must be built with "
                          "CONFIG_SECURITY_LANDLOCK and have landlock among its security modules (lsm= on the kernel's command line).",
                          status->landlock_abi == -EOPNOTSUPP ? "not enabled at boot" : "not built in");
                return EXIT_CODE_NO_LANDLOCK;
        }
        return EXIT_CODE_OK;
}

static ExitCode explain(int error, const char *what, const char *path, const char *advice) {
        log_error(error, "Cannot %s the runtime directory %s: %s.%s", what, path, strerror(-error), advice);
        return error == -EACCES || error == -EPERM ? EXIT_CODE_NO_PRIVILEGE : EXIT_CODE_FAILURE;
}

ExitCode manager_open_runtime_dir(const char *path, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;

        /* systemd or tmpfiles make it with the right group; this is for a start by hand. */
        if (mkdir(path, 0750) < 0 && errno != EEXIST)
                return explain(-errno, "make", path, " Run landlockd as root, or name another with --runtime-dir=.");
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return explain(-errno, "open", path, "");
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                log_error(0, "Another landlockd uses %s: stop it, or name another directory with --runtime-dir=.", path);
                return EXIT_CODE_IN_USE;
        }
        *ret_fd = TAKE_FD(fd);
        return EXIT_CODE_OK;
}
