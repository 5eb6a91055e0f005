#include "shell/http_carrier.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

// Of a stream with a filler, in one read; the dearest take some 100 us each.
enum { PIECES_PER_READ = 32 };

struct http_carrier {
    struct http_stream stream;
    const unsigned *generation;
    unsigned begun_in;
    bool over;
    size_t taken; // of the piece
    struct text text;
    char piece[HTTP_PIECE_SIZE];
};

struct http_carrier *http_carrier_create(const struct http_stream *stream,
                                         const unsigned *generation)
{
    struct http_carrier *carrier = memory_checked(malloc(sizeof *carrier));
    carrier->stream = *stream;
    carrier->generation = generation;
    carrier->begun_in = *generation;
    carrier->over = false;
    carrier->taken = 0;
    carrier->text = TEXT_OVER(carrier->piece);
    return carrier;
}

void http_carrier_destroy(struct http_carrier *carrier)
{
    carrier->stream.end(carrier->stream.state);
    free(carrier);
}

// Makes the next piece that is not empty; false at the end, or when no more may be made now.
static bool fill(struct http_carrier *carrier, unsigned *allowed)
{
    while (carrier->taken == carrier->text.length && !carrier->over && *allowed > 0) {
        *allowed -= carrier->stream.filler != '\0';
        carrier->text = TEXT_OVER(carrier->piece);
        carrier->taken = 0;
        carrier->over = !carrier->stream.next(carrier->stream.state, &carrier->text);
        assert(!carrier->text.truncated);
    }
    return carrier->taken < carrier->text.length;
}

ssize_t http_carrier_read(struct http_carrier *carrier, char *out, size_t room)
{
    size_t filled = 0;
    unsigned allowed = PIECES_PER_READ;
    if (*carrier->generation != carrier->begun_in) {
        return -1;
    }
    while (filled < room && fill(carrier, &allowed)) {
        size_t count = carrier->text.length - carrier->taken;
        count = count < room - filled ? count : room - filled;
        memcpy(out + filled, carrier->piece + carrier->taken, count);
        carrier->taken += count;
        filled += count;
    }
    if (filled == 0 && !carrier->over) { // nothing yet, which is not the end
        out[filled++] = carrier->stream.filler;
    }
    return (ssize_t)filled;
}
