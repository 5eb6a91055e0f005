#include "base/clock.h"

#include <sys/timex.h>
#include <time.h>

static int64_t clock_read(clockid_t which)
{
    struct timespec at;
    clock_gettime(which, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

struct moment clock_now(void)
{
    return (struct moment){
        .instant = {clock_read(CLOCK_BOOTTIME)},
        .wall = {clock_read(CLOCK_REALTIME)},
    };
}

struct span clock_error(void)
{
    struct timex status = {0};
    bool disciplined = adjtimex(&status) >= 0 && (status.status & STA_UNSYNC) == 0;
    int64_t microseconds = status.maxerror > 0 ? status.maxerror : 1;
    return (struct span){disciplined ? microseconds * 1000 : 0};
}
