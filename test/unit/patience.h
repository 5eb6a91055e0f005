// How many times longer than usual everything may take: MAILFLOW_PATIENCE, under valgrind.
#ifndef MAILFLOW_TEST_PATIENCE_H
#define MAILFLOW_TEST_PATIENCE_H

#include <stdlib.h>

static inline int patience(void)
{
    const char *times = getenv("MAILFLOW_PATIENCE");
    int number = times == NULL ? 1 : atoi(times);
    return number > 0 ? number : 1;
}

#endif
