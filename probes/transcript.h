// What was said on the wire of a submission that failed, kept as evidence: plain text with a line
// for each line of the dialogue, "MICROSECONDS SIDE TEXT\n". The time counts from the beginning of
// the connection; the side is `client` (we), `server`, or `note` (what is not a line of SMTP, in
// our words). TEXT is escaped (base/text.h) and has no secrets in it: credentials stand as ***.
#ifndef MAILFLOW_PROBES_TRANSCRIPT_H
#define MAILFLOW_PROBES_TRANSCRIPT_H

#include <stdbool.h>

#include "base/instant.h"

// In JSON a transcript is at most twice as long (quotes and backslashes): with everything else that
// an outcome says it fits into one line.
enum { TRANSCRIPT_SIZE = 3072, TRANSCRIPT_LINE_SIZE = 384 };

enum transcript_side { TRANSCRIPT_CLIENT, TRANSCRIPT_SERVER, TRANSCRIPT_NOTE, TRANSCRIPT_SIDES };
const char *transcript_side_name(enum transcript_side side);

struct transcript_line {
    struct span at;
    enum transcript_side side;
    char text[TRANSCRIPT_LINE_SIZE]; // bytes that do not print as \xNN, the others as they were
};

// The line that begins at *transcript, which is moved behind it. False at the end, and where what
// follows is no line of a transcript.
bool transcript_next(const char **transcript, struct transcript_line *out);

#endif
