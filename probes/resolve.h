// Names to addresses within a deadline. getaddrinfo(3) may block for as long as its servers like,
// and nothing can interrupt it: so it runs in a thread of its own, which is left behind when it is
// late and cleans up after itself. Addresses as text are not looked up.
#ifndef MAILFLOW_PROBES_RESOLVE_H
#define MAILFLOW_PROBES_RESOLVE_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/instant.h"

// Stream addresses, at least one, for the caller to free (freeaddrinfo); on failure false with why,
// the host named in it.
bool resolve_host(const char *host, uint16_t port, struct instant deadline, struct addrinfo **out,
                  struct error *error);

// Loads what getaddrinfo would load at its first use, so that a confined process need not.
void resolve_warm_up(void);

#endif
