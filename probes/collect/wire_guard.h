// A watch over what an IMAP server sends, before libEtPan parses it.
//
// The library's parsers recurse for every parenthesis and take literals of any size, so a hostile
// server could overflow the stack or the memory. The guard follows the bytes just closely enough to
// tell lines from literals (RFC 3501 section 4.3), counts the nesting of each line and knows the
// size of each literal; what is past the limits must not be handed on. It also keeps the words of
// the last tagged line and of the last BYE, which the library strips of their response codes.
#ifndef MAILFLOW_PROBES_COLLECT_WIRE_GUARD_H
#define MAILFLOW_PROBES_COLLECT_WIRE_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum {
    // The headers of a message are asked for up to this size; the server has no reason for a larger
    // literal. The library's parser bears a nesting of all its bytes on a stack of 8 MiB.
    WIRE_LITERAL_MAXIMUM = 8192,
    WIRE_NESTING_MAXIMUM = 100,
    WIRE_LINE_KEPT = 200
};

struct wire_guard {
    size_t literal_left; // bytes of a literal still to come
    size_t announced;    // the number in a {number} that may end the line
    enum { WIRE_TEXT, WIRE_BRACE, WIRE_BRACE_CLOSED } state;
    int nesting;
    char line[WIRE_LINE_KEPT];
    size_t line_length;
    char tagged[WIRE_LINE_KEPT]; // "2 NO [CODE] words", "" when there was none
    char bye[WIRE_LINE_KEPT];    // "* BYE words"
};

// Takes the next bytes off the wire; false with the reason when they must not reach the parser.
bool wire_guard_feed(struct wire_guard *guard, const char *bytes, size_t count,
                     struct error *error);

#endif
