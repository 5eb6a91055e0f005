// Which probe of the mesh a report of delivery is about. Pure.
#ifndef MAILFLOW_PROBES_COLLECT_RETURNED_H
#define MAILFLOW_PROBES_COLLECT_RETURNED_H

#include <stdbool.h>

#include "base/mesh_key.h"
#include "base/tag_codec.h"
#include "probes/collect/dsn.h"
#include "probes/collect/recognise.h"

enum returned_identity {
    RETURNED_FOREIGN, // nothing says that it is a probe, or what came back says that it is none
    RETURNED_CLAIMED, // `id` alone, by the envelope, which others may know: the sender's ledger
                      // has it and the recipient is the probe's, or it is none
    RETURNED_VERIFIED // the tag is under a MAC of the mesh
};

// By the headers of the message that came back, else by the Message-ID that the report answers,
// else by the envelope's id, unless a Message-ID that came back is none of ours. Not by the return
// path, which is the same for all probes: it only brings the report here. `scratch` holds the
// headers meanwhile.
enum returned_identity returned_identify(const struct dsn *dsn, const struct mesh_keys *keys,
                                         struct recognised *scratch, struct tag *out);

#endif
