/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replays a seed corpus through a fuzz target: fuzz-TARGET DIRECTORY. Without an argument, the directory is the
 * corpus of its own name under $SRCDIR. Prints TAP. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/macros.h"
#include "fuzz.h"

#define INPUT_MAX (4 << 20)

static int replay_file(const char *path) {
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        _cleanup_free_ uint8_t *data = malloc(INPUT_MAX);
        size_t size;

        if (!file || !data)
                return -errno;
        size = fread(data, 1, INPUT_MAX, file);
        LLVMFuzzerTestOneInput(data, size);
        return 0;
}

static int is_input(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

int main(int argc, char **argv) {
        _cleanup_free_ char *directory = NULL;
        struct dirent **entries;
        int n, failed = 0;

        if (argc > 1)
                directory = strdup(argv[1]);
        else if (asprintf(&directory, "%s/tests/fuzz/corpus/%s", getenv("SRCDIR") ?: ".",
                          strrchr(program_invocation_name, '/') ? strrchr(program_invocation_name, '/') + 1
                                                                : program_invocation_name) < 0)
                return 1;

        n = scandir(directory, &entries, is_input, alphasort);
        if (n <= 0) {
                printf("Bail out! no corpus in %s\n", directory);
                return 1;
        }

        printf("1..%d\n", n);
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *path = NULL;
                int r = asprintf(&path, "%s/%s", directory, entries[i]->d_name) < 0 ? -ENOMEM : replay_file(path);

                failed += r < 0;
                printf("%s %d - %s %s\n", r < 0 ? "not ok" : "ok", i + 1, program_invocation_short_name, entries[i]->d_name);
                fflush(stdout);
                free(entries[i]);
        }
        free(entries);
        return failed > 0;
}
