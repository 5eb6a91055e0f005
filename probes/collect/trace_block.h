// The way of a message, cut out of its header section: newest first there, as every server puts
// what it has to say on top (RFC 5321 section 4.4). Pure.
#ifndef MAILFLOW_PROBES_COLLECT_TRACE_BLOCK_H
#define MAILFLOW_PROBES_COLLECT_TRACE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "probes/trace.h"

// `cut`: there was more than these bytes; the header that ends with them is not looked at then.
// `authserv_id` "": no Authentication-Results are believed.
void trace_block_read(const char *bytes, size_t length, bool cut, const char *authserv_id,
                      struct trace *out);

#endif
