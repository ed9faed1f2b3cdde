/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program whose functions stand for the kernel's Landlock trace events, where the kernel has none: uprobes on them,
 * with the events' names, make real records in real ring buffers. A test decides which function is which event, and
 * which field is where in `numbers` and `text`. Each function begins with a nop of five bytes, in the place of which
 * Linux 6.18 puts a call for the probe, which takes far less time than a trap.
 *
 * It first writes the offsets that uprobe_events wants. Then it takes commands, one a line, and answers each:
 *
 *   emit FUNCTION COUNT NUMBER… "TEXT     calls the function so often; no text: the empty one
 *   cpu N                                 goes on on that CPU
 *   spawn COMMAND                         forks and executes a shell command: answers its PID
 *   reap PID                              kills and waits for it
 *   thread                                starts a thread, which waits: answers its TID
 *   fork COUNT                            so many children, which exit at once */

#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_FUNCTIONS 15
#define N_NUMBERS 16

static volatile uint64_t numbers[N_NUMBERS];
static volatile char text[256];

#define FUNCTION(n)                                              \
        static __attribute__((noinline)) void event_##n(void) { \
                __asm__ volatile(".byte 0x0f, 0x1f, 0x44, 0, 0 # %0" : : "i"(n) : "memory"); \
        }

FUNCTION(0)
FUNCTION(1)
FUNCTION(2)
FUNCTION(3)
FUNCTION(4)
FUNCTION(5)
FUNCTION(6)
FUNCTION(7)
FUNCTION(8)
FUNCTION(9)
FUNCTION(10)
FUNCTION(11)
FUNCTION(12)
FUNCTION(13)
FUNCTION(14)

static void (*const functions[N_FUNCTIONS])(void) = {
        event_0, event_1, event_2, event_3, event_4, event_5, event_6, event_7,
        event_8, event_9, event_10, event_11, event_12, event_13, event_14,
};

/* Where in the file a function is; and what is to be taken off an address to get there. */
static int find_segment(struct dl_phdr_info *info, size_t size, void *userdata) {
        uintptr_t address = (uintptr_t) event_0, *ret_base = userdata;

        (void) size;
        for (size_t i = 0; i < info->dlpi_phnum; i++) {
                const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
                uintptr_t start = info->dlpi_addr + segment->p_vaddr;

                if (segment->p_type == PT_LOAD && address >= start && address < start + segment->p_memsz) {
                        *ret_base = start - segment->p_offset;
                        return 1;
                }
        }
        return 0;
}

static void print_layout(void) {
        uintptr_t base = 0;

        dl_iterate_phdr(find_segment, &base);
        printf("{\"functions\":[");
        for (size_t i = 0; i < N_FUNCTIONS; i++)
                printf("%s%lu", i > 0 ? "," : "", (unsigned long) ((uintptr_t) functions[i] - base));
        printf("],\"numbers\":%lu,\"text\":%lu}\n", (unsigned long) ((uintptr_t) numbers - base),
               (unsigned long) ((uintptr_t) text - base));
}

static void emit(char *arguments) {
        char *quote = strchr(arguments, '"');
        unsigned long function, count;

        snprintf((char *) text, sizeof(text), "%s", quote ? quote + 1 : "");
        if (quote)
                *quote = '\0';
        function = strtoul(arguments, &arguments, 10);
        count = strtoul(arguments, &arguments, 10);
        for (size_t i = 0; i < N_NUMBERS; i++)
                numbers[i] = strtoull(arguments, &arguments, 0);
        for (unsigned long i = 0; function < N_FUNCTIONS && i < count; i++)
                functions[function]();
        puts("done");
}

static void use_cpu(unsigned cpu) {
        cpu_set_t set;

        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
        puts(sched_setaffinity(0, sizeof(set), &set) < 0 ? "failed" : "done");
}

static void spawn(const char *command) {
        pid_t pid = fork();

        if (pid == 0) {
                execl("/bin/sh", "sh", "-c", command, NULL);
                _exit(127);
        }
        printf("%d\n", pid);
}

static void *wait_for_ever(void *pipe_end) {
        pid_t tid = (pid_t) syscall(SYS_gettid);

        if (write(*(int *) pipe_end, &tid, sizeof(tid)) == sizeof(tid))
                for (;;)
                        pause();
        return NULL;
}

static void start_thread(void) {
        pthread_t thread;
        int ends[2];
        pid_t tid = -1;

        if (pipe(ends) < 0 || pthread_create(&thread, NULL, wait_for_ever, &ends[1]) != 0 ||
            read(ends[0], &tid, sizeof(tid)) != sizeof(tid))
                tid = -1;
        printf("%d\n", tid);
}

/* By itself: nothing of the caller may be changed behind its back. */
static __attribute__((noinline)) pid_t fork_one(void) {
        pid_t pid = vfork();

        if (pid == 0)
                _exit(0);
        return pid;
}

static void fork_often(unsigned long count) {
        for (unsigned long i = 0; i < count; i++)
                waitpid(fork_one(), NULL, 0);
        puts("done");
}

static void run(char *line) {
        char *argument = strchr(line, ' ');

        line[strcspn(line, "\n")] = '\0';
        if (argument)
                *argument++ = '\0';
        if (strcmp(line, "emit") == 0 && argument)
                emit(argument);
        else if (strcmp(line, "cpu") == 0 && argument)
                use_cpu(strtoul(argument, NULL, 10));
        else if (strcmp(line, "spawn") == 0 && argument)
                spawn(argument);
        else if (strcmp(line, "reap") == 0 && argument) {
                kill(atoi(argument), SIGKILL);
                printf("%d\n", waitpid(atoi(argument), NULL, 0));
        } else if (strcmp(line, "thread") == 0)
                start_thread();
        else if (strcmp(line, "fork") == 0 && argument)
                fork_often(strtoul(argument, NULL, 10));
        else
                puts("unknown");
}

int main(void) {
        char line[1024];

        setvbuf(stdout, NULL, _IOLBF, 0);
        print_layout();
        while (fgets(line, sizeof(line), stdin))
                run(line);
        return 0;
}
