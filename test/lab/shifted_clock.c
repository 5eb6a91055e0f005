// Preloaded into an agent and its probers it puts their wall clock off by SHIFTED_CLOCK seconds.
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t which, struct timespec *at)
{
    static int (*real)(clockid_t which, struct timespec * at);
    const char *shift = getenv("SHIFTED_CLOCK");
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    }
    int result = real(which, at);
    if (which == CLOCK_REALTIME && shift != NULL) {
        at->tv_sec += strtol(shift, NULL, 10);
    }
    return result;
}
