#include "probes/collect/trace_block.h"

#include <string.h>

#include "probes/collect/auth_results.h"
#include "probes/collect/header_field.h"
#include "probes/collect/received.h"

// The newest are kept; they come first.
static void take_hop(struct trace *trace, struct bytes value)
{
    if (trace->count < HOPS_MAXIMUM) {
        received_read(value.at, bytes_length(value), &trace->hops[trace->count++]);
    } else {
        trace->more++;
    }
}

static void turn_around(struct trace *trace)
{
    for (size_t i = 0; i < trace->count / 2; i++) {
        struct hop newer = trace->hops[i];
        trace->hops[i] = trace->hops[trace->count - 1 - i];
        trace->hops[trace->count - 1 - i] = newer;
    }
}

void trace_block_read(const char *bytes, size_t length, bool cut, const char *authserv_id,
                      struct trace *out)
{
    struct bytes section = {bytes, bytes + length};
    struct header_field field;
    bool settled = authserv_id[0] == '\0';
    memset(out, 0, sizeof *out);
    out->cut = cut;
    while (header_field_take(&section, &field) && !(cut && section.at == section.end)) {
        if (header_field_is(&field, "Received")) {
            take_hop(out, field.value);
        } else if (!settled && header_field_is(&field, "Authentication-Results")) {
            settled = auth_results_read(field.value.at, bytes_length(field.value), authserv_id,
                                        &out->authentication);
        }
    }
    turn_around(out);
}
