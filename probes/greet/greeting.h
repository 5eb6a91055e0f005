// Whether a mail server greets: connect, wait for the first line, say QUIT.
#ifndef MAILFLOW_PROBES_GREET_GREETING_H
#define MAILFLOW_PROBES_GREET_GREETING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/instant.h"

// False with the reason: no address, no connection to any, no line in time, another line than 220.
bool greeting_await(const char *host, uint16_t port, struct instant deadline, struct error *error);

#endif
