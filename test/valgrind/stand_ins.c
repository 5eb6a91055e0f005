// Stand in for what valgrind cannot do, in builds for it only (test/under_valgrind.py): the linker
// puts them in their places.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <valgrind/valgrind.h>

#include "base/rights.h"
#include "probes/prober.h"

bool __wrap_prober_confine(const struct prober_limits *limits, struct error *error);
int __wrap_pidfd_open(pid_t pid, unsigned flags);

// Valgrind does not know seccomp(2); its own memory, descriptors and slowness would fall under the
// limits. What else confines a prober is done here as well, and outside of valgrind it refuses to
// run, as one that cannot be confined does. The death of the agent ends it by a signal of which
// valgrind still sums up.
bool __wrap_prober_confine(const struct prober_limits *limits, struct error *error)
{
    (void)limits;
    if (!RUNNING_ON_VALGRIND) {
        return error_set(error, "this build is for valgrind only: nothing confines it");
    }
    return prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && rights_drop(error);
}

static struct {
    pid_t pid;
    int end;
} awaited;

static void *await_end(void *unused)
{
    siginfo_t how;
    while (waitid(P_PID, (id_t)awaited.pid, &how, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
    }
    close(awaited.end);
    return unused;
}

// The end of a pipe, of which the other is closed when the process has ended. For one process.
int __wrap_pidfd_open(pid_t pid, unsigned flags)
{
    int ends[2];
    pthread_t waits;
    (void)flags;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        abort();
    }
    awaited.pid = pid;
    awaited.end = ends[1];
    if (pthread_create(&waits, NULL, await_end, NULL) != 0 || pthread_detach(waits) != 0) {
        abort();
    }
    return ends[0];
}
