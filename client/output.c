/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/output.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

#include "client/clean-text.h"
#include "client/memory.h"

static struct {
        bool terminal, colours, utf8;
        size_t columns;
        pid_t pager; /* 0: none */
} output;

static size_t terminal_columns(void) {
        const char *text = getenv("COLUMNS");
        struct winsize size;
        uint64_t n;

        if (text && text_parse_u64(text_from_string(text), 10, &n) >= 0 && n > 0 && n < UINT16_MAX)
                return n;
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) >= 0 && size.ws_col > 0)
                return size.ws_col;
        return 80;
}

void output_init(void) {
        const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
        bool dumb = !term || strcmp(term, "dumb") == 0;

        setlocale(LC_ALL, "");
        output.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
        output.terminal = isatty(STDOUT_FILENO);
        output.columns = output.terminal ? terminal_columns() : SIZE_MAX;
        output.colours = output.terminal && !dumb && (!no_color || !*no_color);
}

size_t output_columns(void) {
        return output.columns;
}

/* Never returns. `less` gets no way to run commands: this is often run by sudo. */
static _Noreturn void exec_pager(void) {
        const char *pager = getenv("PAGER");

        setenv("LESS", "FRSXMK", 1); /* quit if it fits, keep colours, chop lines, leave the screen, end on ^C */
        setenv("LESSSECURE", "1", 1);

        if (pager) {
                execl("/bin/sh", "sh", "-c", pager, NULL);
        } else {
                execlp("less", "less", NULL);
                execlp("more", "more", NULL);
                execlp("cat", "cat", NULL);
        }
        _exit(127);
}

static bool pager_wanted(void) {
        const char *term = getenv("TERM"), *pager = getenv("PAGER");

        return output.terminal && term && strcmp(term, "dumb") != 0 &&
               (!pager || (*pager && strcmp(pager, "cat") != 0));
}

/* Without a pager the output is complete all the same, so its failure is none. */
void output_begin(bool pager) {
        int fds[2];
        pid_t pid;

        if (!pager || !pager_wanted() || pipe2(fds, O_CLOEXEC) < 0)
                return;

        pid = fork();
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGTERM);
                dup2(fds[0], STDIN_FILENO);
                exec_pager();
        }
        if (pid > 0) {
                output.pager = pid;
                signal(SIGINT, SIG_IGN); /* the pager's to handle */
                dup2(fds[1], STDOUT_FILENO);
        }
        close(fds[0]);
        close(fds[1]);
}

ExitCode output_failed(int error) {
        if (error == EPIPE)
                return EXIT_CODE_OK;
        output_error("Cannot write the output: %s.", strerror(error));
        return EXIT_CODE_FAILURE;
}

ExitCode output_end(ExitCode code) {
        errno = 0;
        if (fflush(stdout) != 0 || ferror(stdout)) {
                ExitCode failed = output_failed(errno ?: EIO);

                code = code == EXIT_CODE_OK ? failed : code;
        }
        if (output.pager > 0) {
                fclose(stdout);
                while (waitpid(output.pager, NULL, 0) < 0 && errno == EINTR)
                        ;
                output.pager = 0;
        }
        return code;
}

const char *output_style(Style style) {
        static const char *const sequences[STYLE_MAX] = {
                [STYLE_NONE] = "",
                [STYLE_BOLD] = "\033[1m",
                [STYLE_DIM] = "\033[2m",
                [STYLE_GOOD] = "\033[32m",
                [STYLE_WARNING] = "\033[33m",
                [STYLE_BAD] = "\033[1;31m",
        };

        return output.colours ? sequences[style] : "";
}

const char *output_style_end(Style style) {
        return output.colours && style != STYLE_NONE ? "\033[0m" : "";
}

const char *output_tree_glyph(TreeGlyph glyph) {
        static const char *const lines[TREE_GLYPH_MAX] = {
                [TREE_BRANCH] = "\u251c\u2500",
                [TREE_LAST] = "\u2514\u2500",
                [TREE_VERTICAL] = "\u2502 ",
                [TREE_SPACE] = "  ",
        };
        static const char *const ascii[TREE_GLYPH_MAX] = {
                [TREE_BRANCH] = "|-",
                [TREE_LAST] = "`-",
                [TREE_VERTICAL] = "| ",
                [TREE_SPACE] = "  ",
        };

        return (output.terminal && output.utf8 ? lines : ascii)[glyph];
}

char *output_clean(const char *text) {
        return clean_text(text_from_string(text ?: "-"), !output.utf8);
}

/* Bytes of the character at s, and its columns. A clean text of another charset than UTF-8 is ASCII. */
static size_t next_character(const char *s, size_t *ret_width) {
        mbstate_t state = {};
        wchar_t c;
        size_t n = mbrtowc(&c, s, strlen(s), &state);
        int width;

        if (n == 0 || n > MB_LEN_MAX) {
                *ret_width = 1;
                return 1;
        }
        width = wcwidth(c);
        *ret_width = width < 0 ? 1 : width; /* newer than the C library's tables */
        return n;
}

size_t output_width(const char *clean) {
        size_t total = 0, width;

        for (; *clean; total += width)
                clean += next_character(clean, &width);
        return total;
}

/* Bytes of `s` that fit into *columns, which is left at what remains of them. */
static size_t bytes_that_fit(const char *s, size_t *columns) {
        size_t n = 0, width, step;

        for (; s[n]; n += step) {
                step = next_character(s + n, &width);
                if (width > *columns)
                        break;
                *columns -= width;
        }
        return n;
}

char *output_shorten(const char *clean, size_t width) {
        const char *mark = output.utf8 ? "\u2026" : "~";
        size_t total = output_width(clean), head = width / 2, skipped = 0, n_head, n_tail, step;

        if (total <= width)
                return check_memory(strdup(clean));
        if (width == 0)
                return check_memory(strdup(""));

        n_head = n_tail = bytes_that_fit(clean, &head);
        for (size_t n = 0; skipped < total - (width - 1) && clean[n_tail]; n_tail += n, skipped += step)
                n = next_character(clean + n_tail, &step);
        return format_text("%.*s%s%s", (int) n_head, clean, mark, clean + n_tail);
}

/* Bytes of UTF-8 can be controls in another charset. */
static bool ascii_terminal(void) {
        return output.terminal && !output.utf8;
}

void output_json_line(Text line, const json_t *value) {
        if (ascii_terminal()) {
                output_json(value, JSON_SHORT);
                return;
        }
        fwrite(line.data, 1, line.len, stdout);
        putchar('\n');
}

void output_json(const json_t *value, JsonMode mode) {
        size_t flags = JSON_ENCODE_ANY | (mode == JSON_PRETTY ? JSON_INDENT(8) : JSON_COMPACT);

        if (ascii_terminal())
                flags |= JSON_ENSURE_ASCII;
        if (json_dumpf(value, stdout, flags) < 0 && !ferror(stdout))
                out_of_memory();
        putchar('\n');
}

void output_error(const char *format, ...) {
        _cleanup_free_ char *message = NULL, *clean = NULL;
        va_list args;

        va_start(args, format);
        message = format_text_va(format, args);
        va_end(args);

        fflush(stdout);
        clean = output_clean(message);
        fprintf(stderr, "landlockctl: %s\n", clean);
}
