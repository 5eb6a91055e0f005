// Randomness in two kinds. random_bytes is the kernel's and makes identities and nonces. A
// random_stream is reproducible from its seed and makes jitter, so that a simulation repeats.
#ifndef MAILFLOW_BASE_RANDOM_H
#define MAILFLOW_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random_stream {
    uint64_t state;
};

// Never fails: on a kernel without randomness the process ends.
void random_bytes(void *to, size_t count);

struct random_stream random_stream_from(uint64_t seed);
uint64_t random_stream_next(struct random_stream *stream);

// The finalizer of SplitMix64: a bijection in which each bit of the input turns about half of those
// of the output. Meshes rely on its values (base/rendezvous.h): it never changes.
uint64_t random_mix(uint64_t bits);

// Uniform in [0, 1).
double random_stream_fraction(struct random_stream *stream);

#endif
