// Carries a streamed answer, whose pieces come as they are made, to a reader that takes what it has
// room for. Owns the stream.
#ifndef MAILFLOW_SHELL_HTTP_CARRIER_H
#define MAILFLOW_SHELL_HTTP_CARRIER_H

#include <sys/types.h>

#include "shell/http_message.h"

struct http_carrier;

// `generation` is read at every turn: once it has moved on, the answer ends short.
struct http_carrier *http_carrier_create(const struct http_stream *stream,
                                         const unsigned *generation);
void http_carrier_destroy(struct http_carrier *carrier);

// How many bytes were put out, 0 at the end, -1 when the answer cannot go on.
ssize_t http_carrier_read(struct http_carrier *carrier, char *out, size_t room);

#endif
