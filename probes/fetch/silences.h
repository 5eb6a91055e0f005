// The silences that an Alertmanager answers with (API v2, GET /api/v2/silences), as lines of
// probes/silence.h. An answer counts whole or not at all: of a list that breaks off nobody can tell
// which silences are gone.
//
// A silence is about the servers that the matcher's value names: one name, or, of a regular
// expression, names with | between. What is expired, negative or lacks the matcher is passed over.
#ifndef MAILFLOW_PROBES_FETCH_SILENCES_H
#define MAILFLOW_PROBES_FETCH_SILENCES_H

#include "probes/silence.h"

// Says every line but the last; false, with nothing said, when the answer is none.
bool silences_read(const char *bytes, size_t length, const char *matcher,
                   void (*say)(const struct silence_line *line), struct error *error);

#endif
