// A token: one line of text that tells a server of the servers of a mesh.
//
//   mf1.BASE64URL.CHECKSUM
//
// An invitation also carries the mesh key, for a server that is to join, and is as secret as the
// key. An introduction carries none: it is for servers that are in the mesh already. Either is
// signed with the mesh key, so that an introduction from another mesh, or an altered one, is found
// out; the checksum tells damage on the way (half of a line copied) from that.
//
// Inside, lines of words: "KEY-ID SECRET" (base64, or - for none), then "NAME ADDRESS AGENT" (- for
// none) of each server, the one that made the token first, then the signature (base/signature.h).
#ifndef MAILFLOW_CTL_MESH_TOKEN_H
#define MAILFLOW_CTL_MESH_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/mesh_key.h"
#include "base/tag_codec.h"
#include "base/text.h"
#include "probes/fetch.h"
#include "probes/probe.h"

enum {
    MESH_TOKEN_SERVERS_MAXIMUM = 64,
    MESH_TOKEN_SIZE = 4000, // a terminal takes lines of 4095 bytes
};

// A server of the mesh, as its peers need to know it.
struct mesh_server {
    char name[SERVER_NAME_SIZE];
    char address[PROBE_ADDRESS_SIZE];
    char agent[FETCH_URL_SIZE]; // "" = by mail only
};

// NAME=ADDRESS or NAME=ADDRESS=URL, as a person writes one.
bool mesh_server_parse(const char *from, struct mesh_server *out);

struct mesh_token {
    struct mesh_key key; // secret_length is 0 in an introduction
    struct mesh_server servers[MESH_TOKEN_SERVERS_MAXIMUM];
    size_t server_count;
};

// Appends as many of the servers as fit, the first ones, and says how many those are. Without
// `invite` the key only signs.
size_t mesh_token_encode(const struct mesh_token *token, bool invite, struct text *out);

// Reads a token that stands alone. `ours` are the keys of this server, none when it is in no mesh
// yet; a token of any other mesh is refused. False with the reason, which says what to do.
bool mesh_token_decode(const char *from, const struct mesh_keys *ours, struct mesh_token *out,
                       struct error *error);

#endif
