// Processes that a command has left behind. As their subreaper we are the parent of all that have
// lost theirs, however they tried to get away (their own session, a double fork), so killing our
// children until there are none ends the whole tree.
#ifndef MAILFLOW_PROBES_TOKEN_LEFTOVERS_H
#define MAILFLOW_PROBES_TOKEN_LEFTOVERS_H

#include <sys/types.h>

// Kills the process, its group and every child that we have or get, and waits for them; the status
// is that of the process. One that forks faster than it can be killed is given up after a second.
void leftovers_kill(pid_t pid, int *status);

#endif
