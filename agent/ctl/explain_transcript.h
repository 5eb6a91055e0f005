// What was said on the wire when a probe was not taken over, for `explain`: a line for each line.
#ifndef MAILFLOW_CTL_EXPLAIN_TRANSCRIPT_H
#define MAILFLOW_CTL_EXPLAIN_TRANSCRIPT_H

#include <jansson.h>

// Prints nothing when the agent's answer about the probe has no transcript.
void explain_transcript(const json_t *probe);

#endif
