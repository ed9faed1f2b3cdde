/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What landlockctl writes, and where. Between begin and end nothing is asserted: a failure would not be seen. */
#pragma once

#include "test.h"

#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "client/output.h"
#include "client/verb.h"

typedef struct Capture {
        int saved[2];
        int files[2];
        char *text[2]; /* of standard output and error, after the end */
} Capture;

static inline void capture_begin(Capture *capture) {
        for (int i = 0; i < 2; i++) {
                FILE *stream = i == 0 ? stdout : stderr;

                fflush(stream);
                capture->saved[i] = fcntl(i + 1, F_DUPFD_CLOEXEC, 3);
                capture->files[i] = memfd_create("capture", MFD_CLOEXEC);
                capture->text[i] = NULL;
                assert_true(capture->saved[i] >= 0 && capture->files[i] >= 0);
                dup2(capture->files[i], i + 1);
        }
}

static inline void capture_end(Capture *capture) {
        for (int i = 0; i < 2; i++) {
                struct stat st;

                fflush(i == 0 ? stdout : stderr);
                dup2(capture->saved[i], i + 1);
                close(capture->saved[i]);
                assert_int_equal(fstat(capture->files[i], &st), 0);
                capture->text[i] = calloc(1, st.st_size + 1);
                assert_int_equal(pread(capture->files[i], capture->text[i], st.st_size, 0), st.st_size);
                close(capture->files[i]);
        }
}

static inline void capture_done(Capture *capture) {
        free(capture->text[0]);
        free(capture->text[1]);
}

/* Runs a command line as main() does; the words end with NULL. */
static inline int capture_run(Capture *capture, const char *const *words) {
        char *argv[32] = { (char *) "landlockctl" }, *copies[32];
        int argc = 1, code = EXIT_CODE_USAGE;
        Options options;

        for (; words[argc - 1]; argc++) {
                assert_true(argc < 31);
                argv[argc] = copies[argc] = strdup(words[argc - 1]);
        }

        capture_begin(capture);
        output_init();
        switch (options_parse(argc, argv, &options)) {
        case OPTIONS_RUN:
                code = output_end(options.verb->run(&options));
                break;
        case OPTIONS_DONE:
                code = output_end(EXIT_CODE_OK);
                break;
        case OPTIONS_WRONG:
                break;
        }
        capture_end(capture);

        for (int i = 1; i < argc; i++)
                free(copies[i]);
        return code;
}

#define run(capture, ...) capture_run((capture), (const char *const[]) { __VA_ARGS__, NULL })

/* As a person in a UTF-8 locale and in UTC. */
static inline void use_locale(const char *name) {
        setenv("LC_ALL", name, 1);
        setenv("TZ", "UTC0", 1);
        output_init();
}
