// Calls of the C library that libESMTP makes and that this program answers itself, because the
// library offers no other way to bound or observe them:
//
// - getaddrinfo: hands out addresses resolved beforehand, within a deadline and timed apart, under
//   the name that was asked for (the library would verify the certificate against the canonical
//   one, and cannot be given an IPv6 address at all).
// - connect: ends at the deadline instead of after two minutes, says why, sets TCP_NODELAY.
// - poll: never waits past the deadline; and reports a descriptor that is ready both ways as ready
//   for writing only, because the library would read first, meet nothing but TLS 1.3 session
//   tickets, and wait for an answer to the command that it never flushed.
//
// This works only while these definitions stand in the executable itself, visibly: from a static
// library, or hidden, they vanish without a word. Hence interpose_works, without which the program
// must not go on. Calls go to the C library untouched while no wire is in use by the thread.
#ifndef MAILFLOW_PROBES_SUBMIT_INTERPOSE_H
#define MAILFLOW_PROBES_SUBMIT_INTERPOSE_H

#include <netdb.h>
#include <stdbool.h>

#include "base/instant.h"

// The connection of one session.
struct wire {
    const char *host;
    struct addrinfo *addresses; // the library takes them over when it asks for them
    struct instant deadline;    // may be moved while the session runs
    int addresses_left;         // not yet tried
    int descriptor;             // of the connection that stands, else -1
    int connect_error;          // errno of the last address that could not be connected to
    struct span connect_waited; // how long that address had when it gave no answer; else zero
};

// The wire of the calls that this thread makes from now on; NULL for none. The caller owns it.
void interpose_use(struct wire *wire);

// Lets libESMTP run a session that goes nowhere and sees whether its calls arrive here.
bool interpose_works(void);

#endif
