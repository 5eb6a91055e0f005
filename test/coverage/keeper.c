// Writes the line counts of a confined prober, in builds for coverage only (test/coverage.py).
//
// A prober may open no file for writing, and the agent may kill it at any time: it cannot write its
// counts itself. So, before it is confined, its variables, which the counts are among, are put into
// memory that it shares with a process of ours, which waits for its end and writes them down then.
// Nothing of the confinement is different, and no other build has this: the linker puts it in front
// of prober_confine.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probes/prober.h"

// By the linker: the variables of the executable, the counts among them.
extern char __data_start, _end;

// By libgcov.
void __gcov_dump(void);

bool __real_prober_confine(const struct prober_limits *limits, struct error *error);
bool __wrap_prober_confine(const struct prober_limits *limits, struct error *error);

static void share_variables(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = (uintptr_t)&__data_start & ~(page - 1);
    size_t length = (((uintptr_t)&_end - from) + page - 1) & ~(page - 1);
    void *shared = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        abort();
    }
    memcpy(shared, (void *)from, length);
    if (mremap(shared, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)from) == MAP_FAILED) {
        abort();
    }
}

static void keep(int prober)
{
    struct pollfd ended = {.fd = prober, .events = POLLIN};
    signal(SIGXCPU, SIG_DFL);
    while (poll(&ended, 1, -1) < 0 && errno == EINTR) {
    }
    __gcov_dump();
    _exit(EXIT_SUCCESS);
}

// Instead of what would write the counts at the end of the prober.
static void leave(int status, void *unused)
{
    (void)unused;
    fflush(NULL);
    _exit(status);
}

bool __wrap_prober_confine(const struct prober_limits *limits, struct error *error)
{
    int prober = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (prober < 0 || on_exit(leave, NULL) != 0) {
        abort();
    }
    share_variables();
    if (fork() == 0) {
        if (dup2(prober, STDIN_FILENO) != STDIN_FILENO) {
            abort();
        }
        close_range(STDIN_FILENO + 1, ~0U, 0);
        setsid();
        keep(STDIN_FILENO);
    }
    close(prober);
    return __real_prober_confine(limits, error);
}
