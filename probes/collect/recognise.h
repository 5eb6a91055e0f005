// Whether a message is a probe of our mesh. Pure.
#ifndef MAILFLOW_PROBES_COLLECT_RECOGNISE_H
#define MAILFLOW_PROBES_COLLECT_RECOGNISE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mesh_key.h"
#include "probes/collect/header_block.h"
#include "probes/probe.h"

enum recognition {
    RECOGNISED_FOREIGN, // claims nothing: none of our business
    RECOGNISED_PROBE,   // the tag, and where present the lists, are verified
    RECOGNISED_REJECTED // claims to be a probe, and `rejection` and `cause` say why it is none
};

struct recognised {
    bool stripped; // by its Message-ID only
    struct tag tag;
    enum rejection rejection;
    char cause[PROBE_REPLY_SIZE];
    struct header_block headers; // after RECOGNISED_PROBE and not stripped: verified values
};

// `bytes` are the headers as the server sent them, cut off when `cut`.
enum recognition recognise(const char *bytes, size_t length, bool cut, const struct mesh_keys *keys,
                           struct recognised *out);

#endif
