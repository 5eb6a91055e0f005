#include "probes/token/leftovers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define PATIENCE SPAN_SECONDS(1)

static void kill_children(void)
{
    char path[64];
    int child;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *children = fopen(path, "re");
    while (children != NULL && fscanf(children, "%d", &child) == 1) {
        kill(child, SIGKILL);
    }
    if (children != NULL) {
        fclose(children);
    }
}

// Every child that has ended by now. False when there are no children any more.
static bool reap(pid_t pid, int *status)
{
    for (;;) {
        int how;
        pid_t ended = waitpid(-1, &how, WNOHANG);
        if (ended <= 0) {
            return ended == 0 || errno == EINTR;
        }
        if (ended == pid) {
            *status = how;
        }
    }
}

void leftovers_kill(pid_t pid, int *status)
{
    static const struct timespec SHORT = {0, 1000000};
    struct instant end = instant_add(clock_now().instant, PATIENCE);
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
    while (reap(pid, status) && !instant_reached(clock_now().instant, end)) {
        kill_children();
        nanosleep(&SHORT, NULL);
    }
}
