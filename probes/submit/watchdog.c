#include "probes/submit/watchdog.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static timer_t timer;
static volatile sig_atomic_t guarded = -1;

static void on_alarm(int number)
{
    (void)number;
    int before = errno;
    if (guarded >= 0) {
        shutdown(guarded, SHUT_RDWR);
    }
    errno = before;
}

bool watchdog_start(struct error *error)
{
    struct sigaction action = {.sa_handler = on_alarm};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    return (sigaction(SIGALRM, &action, NULL) == 0 &&
            timer_create(CLOCK_BOOTTIME, &event, &timer) == 0) ||
           error_set(error, "timer: %s", strerror(errno));
}

void watchdog_arm(struct instant deadline)
{
    struct itimerspec at = {
        .it_value = {.tv_sec = deadline.ns / 1000000000, .tv_nsec = deadline.ns % 1000000000},
        .it_interval = {.tv_nsec = 100000000},
    };
    timer_settime(timer, TIMER_ABSTIME, &at, NULL);
}

void watchdog_disarm(void)
{
    timer_settime(timer, 0, &(struct itimerspec){0}, NULL);
    guarded = -1;
}

void watchdog_guard(int descriptor)
{
    guarded = descriptor;
}
