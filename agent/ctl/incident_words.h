// Why an incident is open, in words for people.
#ifndef MAILFLOW_CTL_INCIDENT_WORDS_H
#define MAILFLOW_CTL_INCIDENT_WORDS_H

#include <jansson.h>

#include "base/text.h"

// In one line, from the incident's evidence: "3 of 5 late, last 34 s, hop mx03.example took 31 s".
// Of one that another incident of the list explains, that one: "down mx02". Words from outside
// stay as the agent sent them: to be escaped before they are shown.
void incident_words(const json_t *incident, const json_t *incidents, struct text *out);

// Whose fault it is and who says so, after the comma: "culprit sender (mx02 isolated; mx02->mx01
// bad)"; nothing when nobody can tell. Not escaped either.
void incident_words_culprit(const json_t *incident, const char *comma, struct text *out);

#endif
