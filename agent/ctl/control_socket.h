// Where the agent listens for orders: --control, else http.control of the configuration.
//
// The agent may have to be asked while its configuration is broken: a file with errors is still
// searched for that one key, and when the usual file is not there at all, the usual socket is
// tried. Secrets are not read.
#ifndef MAILFLOW_CTL_CONTROL_SOCKET_H
#define MAILFLOW_CTL_CONTROL_SOCKET_H

#include <stdbool.h>

#include "base/error.h"
#include "ctl/options.h"

enum { CONTROL_SOCKET_SIZE = 256 };

// False when the file was named by --config and says nothing usable.
bool control_socket_find(const struct command *command, char out[CONTROL_SOCKET_SIZE],
                         struct error *error);

#endif
