// Who watches whom in a mesh where not everyone can watch everyone: rendezvous hashing (D. Thaler,
// C. Ravishankar, "Using name-based mappings to increase hit rates", 1998).
//
// A server is watched by the `fanout` others that score highest for it. Every server works that out
// alone, from the names and in whatever order it has them, and all come to the same: nobody hands
// out parts. One that comes or goes changes only the bonds that it has, or would have had. Probes
// go both ways, so that two servers are peers when either watches the other: every server has at
// least `fanout` watchers, and a mesh of N at most N times `fanout` pairs.
//
// The scores are what servers of different versions must agree on: they never change.
#ifndef MAILFLOW_BASE_RENDEZVOUS_H
#define MAILFLOW_BASE_RENDEZVOUS_H

#include <stddef.h>
#include <stdint.h>

// What binds a server to another.
enum rendezvous_bond { BOND_WATCHED = 1, BOND_WATCHER = 2 };

// Of a name, spread over all 64 bits: FNV-1a, then the finalizer of splitmix64.
uint64_t rendezvous_hash(const char *name);

// How much the one wants to watch the other, by their hashes.
uint64_t rendezvous_score(uint64_t watcher, uint64_t watched);

// The bonds of the server `self`, one for each of the `count` servers: BOND_WATCHED when it watches
// that one, BOND_WATCHER when that one watches it, both, or 0. Fanout 0: everyone watches everyone.
// Takes about fanout * ln(count / fanout) steps for each server.
void rendezvous_bind(const uint64_t *hashes, size_t count, size_t self, unsigned fanout,
                     uint8_t *bonds);

#endif
