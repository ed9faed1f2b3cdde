/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The user's own settings, which landlock-notify also writes to: what "Ignore this" adds, a person may edit and remove.
 *
 * It is read line by line here and not by inih (base/config.h), which cuts long lines and takes " ;" in a path for a
 * comment. A line that is wrong is told and passed over, since whoever is at a desktop sees no log; but a rule that
 * has one is left out, because without that line it would silence more than it should. */
#pragma once

#include <stdint.h>
#include <time.h>

#include "client/notify-rule.h"

#define NOTIFY_PER_MINUTE_DEFAULT 6
#define NOTIFY_PER_MINUTE_MAX 60

/* Bytes that are read, and up to which rules are added. */
#define NOTIFY_CONFIG_SIZE_MAX (1 << 20)

/* By which a changed file is told from the one that was read. */
typedef struct NotifyConfigFile {
        uint64_t ino, size;
        struct timespec modified;
} NotifyConfigFile;

typedef struct NotifyConfig {
        char *path;
        NotifyConfigFile file; /* all 0: there is none */
        unsigned max_per_minute;
        NotifyRules ignore;
} NotifyConfig;

/* Reads the file, which need not exist. A path of NULL is the user's: -ENOENT if there is no home directory. */
int notify_config_init(NotifyConfig *config, const char *path);
void notify_config_clear(NotifyConfig *config);

/* Reads it again if it has changed. What cannot be read leaves everything as it was. */
void notify_config_refresh(NotifyConfig *config);

/* Writes the rules behind what is there, and reads it again: the file is the old or the new one at any time. -errno,
 * -EFBIG when the file or the list is full. */
int notify_config_add(NotifyConfig *config, const NotifyRule *rules, size_t n_rules);
