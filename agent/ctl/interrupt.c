#include "ctl/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>

#include "base/clock.h"

static volatile sig_atomic_t noted;

static void on_signal(int number)
{
    (void)number;
    noted = 1;
}

static const int HELD[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

void interrupt_hold(void)
{
    sigset_t held;
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&held);
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof HELD / sizeof HELD[0]; i++) {
        sigaddset(&held, HELD[i]);
        sigaction(HELD[i], &action, NULL);
    }
    sigprocmask(SIG_BLOCK, &held, NULL);
}

bool interrupt_noted(void)
{
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    for (size_t i = 0; i < sizeof HELD / sizeof HELD[0]; i++) {
        noted = noted != 0 || sigismember(&pending, HELD[i]) == 1;
    }
    return noted != 0;
}

enum wait_end interrupt_wait(int descriptor, struct instant deadline)
{
    sigset_t none;
    sigemptyset(&none);
    while (!interrupt_noted()) {
        struct pollfd polled = {.fd = descriptor, .events = POLLIN};
        struct span left = instant_since(deadline, clock_now().instant);
        if (left.ns <= 0) {
            return WAIT_TIMEOUT;
        }
        struct timespec wait = {left.ns / 1000000000, left.ns % 1000000000};
        if (ppoll(&polled, 1, deadline.ns == INSTANT_NEVER.ns ? NULL : &wait, &none) > 0) {
            return WAIT_READY;
        }
    }
    return WAIT_INTERRUPTED;
}
