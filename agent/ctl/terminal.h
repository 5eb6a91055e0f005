// What standard output can show. Colour and width are a terminal's; elsewhere nothing is cut,
// unless COLUMNS says how wide it is.
#ifndef MAILFLOW_CTL_TERMINAL_H
#define MAILFLOW_CTL_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

enum colour { COLOUR_PLAIN, COLOUR_GOOD, COLOUR_NOTE, COLOUR_WARNING, COLOUR_BAD, COLOURS };

struct terminal {
    bool interactive; // a terminal, not a file or pipe
    bool colour;
    bool utf8;
    unsigned width; // in columns, 0 for no limit
};

// Standard output's, by the environment: COLUMNS, NO_COLOR (no-color.org), TERM, the locale, which
// must have been set before.
struct terminal terminal_detect(void);

// The columns of what is written there, 0 for no limit; and whether a line can be taken back.
unsigned terminal_width(int descriptor);
bool terminal_overwrites(int descriptor);

// Switches to the colour; COLOUR_PLAIN switches back. Nothing where there is no colour.
void terminal_paint(const struct terminal *terminal, enum colour colour, FILE *out);

#endif
