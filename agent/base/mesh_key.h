// The secrets by which the agents of one mesh recognise each other's probes. The first key signs,
// all verify: that is how keys rotate without a gap.
#ifndef MAILFLOW_BASE_MESH_KEY_H
#define MAILFLOW_BASE_MESH_KEY_H

#include <stddef.h>
#include <stdint.h>

enum {
    MESH_KEY_ID_SIZE = 17,
    MESH_KEY_SECRET_MINIMUM = 16,
    MESH_KEY_SECRET_MAXIMUM = 64,
    MESH_KEYS_MAXIMUM = 8
};

struct mesh_key {
    char id[MESH_KEY_ID_SIZE]; // letters, digits, - and _
    uint8_t secret[MESH_KEY_SECRET_MAXIMUM];
    size_t secret_length;
};

struct mesh_keys {
    struct mesh_key keys[MESH_KEYS_MAXIMUM];
    size_t count;
};

#endif
