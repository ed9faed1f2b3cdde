/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/notify-words.h"

#include "client/memory.h"
#include "model/blocker.h"

/* A denial by more is told by the first ones. */
#define WORDS_MAX 3

/* What is done, and to what if the object is not known. What is made or removed is not named by the kernel: the
 * object is the directory that it is in. */
static const struct {
        const char *doing, *something;
} words[BLOCKER_MAX] = {
        [BLOCKER_FS_EXECUTE] = { "running", "a program" },
        [BLOCKER_FS_WRITE_FILE] = { "writing", "a file" },
        [BLOCKER_FS_READ_FILE] = { "reading", "a file" },
        [BLOCKER_FS_READ_DIR] = { "listing", "a directory" },
        [BLOCKER_FS_REMOVE_DIR] = { "removing a directory from", "another" },
        [BLOCKER_FS_REMOVE_FILE] = { "deleting a file from", "a directory" },
        [BLOCKER_FS_MAKE_CHAR] = { "creating a character device in", "a directory" },
        [BLOCKER_FS_MAKE_DIR] = { "creating a directory in", "another" },
        [BLOCKER_FS_MAKE_REG] = { "creating a file in", "a directory" },
        [BLOCKER_FS_MAKE_SOCK] = { "creating a socket in", "a directory" },
        [BLOCKER_FS_MAKE_FIFO] = { "creating a named pipe in", "a directory" },
        [BLOCKER_FS_MAKE_BLOCK] = { "creating a block device in", "a directory" },
        [BLOCKER_FS_MAKE_SYM] = { "creating a symbolic link in", "a directory" },
        [BLOCKER_FS_REFER] = { "moving or linking to or from", "another directory" },
        [BLOCKER_FS_TRUNCATE] = { "truncating", "a file" },
        [BLOCKER_FS_IOCTL_DEV] = { "controlling", "a device" },
        [BLOCKER_FS_RESOLVE_UNIX] = { "connecting to the socket", "of another program" },
        [BLOCKER_NET_BIND_TCP] = { "listening for TCP connections on", "a port" },
        [BLOCKER_NET_CONNECT_TCP] = { "connecting by TCP to", "an address" },
        [BLOCKER_NET_BIND_UDP] = { "receiving UDP packets on", "a port" },
        [BLOCKER_NET_CONNECT_SEND_UDP] = { "sending UDP packets to", "an address" },
        [BLOCKER_FS_CHANGE_TOPOLOGY] = { "changing what is mounted at", "a directory" },
        [BLOCKER_SCOPE_ABSTRACT_UNIX_SOCKET] = { "connecting to the socket", "of a program outside" },
        [BLOCKER_SCOPE_SIGNAL] = { "sending a signal to", "a process outside" },
        [BLOCKER_PTRACE] = { "debugging", "a process outside" },
};

/* What one blocker kept from being done. One that this version does not know is called by its name. */
static char *doing_of(Text name, const char **ret_something) {
        Blocker blocker;

        if (blocker_from_name(name, &blocker) < 0) {
                *ret_something = "something";
                return format_text("using %.*s on", (int) name.len, name.data);
        }
        *ret_something = words[blocker].something;
        return check_memory(strdup(words[blocker].doing));
}

char *notify_words(const char *blockers, const char *object) {
        Text rest = text_from_string(blockers), name;
        const char *something = "something";
        char *text = NULL;

        for (size_t i = 0; i < WORDS_MAX && rest.len > 0 && text_split(&rest, ',', &name); i++) {
                _cleanup_free_ char *doing = doing_of(name, &something), *before = text;

                text = before ? format_text("%s and %s", before, doing) : TAKE_PTR(doing);
        }
        if (!text)
                text = check_memory(strdup("using"));

        _cleanup_free_ char *doing = text;
        return format_text("%s %s", doing, object ?: something);
}
