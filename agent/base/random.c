#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *to, size_t count)
{
    unsigned char *at = to;
    while (count > 0) {
        ssize_t got = getrandom(at, count, 0);
        if (got < 0 && errno != EINTR) {
            perror("mailflow: getrandom");
            abort();
        }
        if (got > 0) {
            at += got;
            count -= (size_t)got;
        }
    }
}

struct random_stream random_stream_from(uint64_t seed)
{
    return (struct random_stream){seed};
}

uint64_t random_mix(uint64_t bits)
{
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
    return bits ^ (bits >> 31);
}

// SplitMix64 (Steele, Lea, Flood 2014): one word of state, passes BigCrush, ample for jitter.
uint64_t random_stream_next(struct random_stream *stream)
{
    return random_mix(stream->state += 0x9E3779B97F4A7C15);
}

double random_stream_fraction(struct random_stream *stream)
{
    return (double)(random_stream_next(stream) >> 11) * 0x1.0p-53;
}
