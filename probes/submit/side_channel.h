// Reads and writes on the connection that libESMTP holds, between two of its own commands, when no
// reply is outstanding: in the clear or through its TLS session. Nothing waits past the deadline.
#ifndef MAILFLOW_PROBES_SUBMIT_SIDE_CHANNEL_H
#define MAILFLOW_PROBES_SUBMIT_SIDE_CHANNEL_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/instant.h"

struct side_channel {
    int descriptor; // non-blocking
    SSL *tls;       // NULL in the clear
    struct instant deadline;
};

bool side_channel_write(const struct side_channel *channel, const char *bytes, size_t count);

// What has come, at least one byte; 0 at the end, the deadline or a failure.
size_t side_channel_read(const struct side_channel *channel, char *out, size_t size);

#endif
