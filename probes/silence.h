// What mailflow-fetch says of the silences of an Alertmanager (a FETCH_SILENCES job of fetch.h):
// one line for every name that a silence with the job's matcher gives a server, one for every such
// silence that cannot be used, and one last line, which says that this was all (done) or that there
// was no answer that could be used (failed). Plain values, like those of probe.h; their JSON in
// silence_json.c, both directions.
//
// Only silences that are active or to come are told of. Which of the names are servers of the mesh
// is for the agent to see, as only it knows the mesh.
#ifndef MAILFLOW_PROBES_SILENCE_H
#define MAILFLOW_PROBES_SILENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/instant.h"
#include "probes/certificate.h"

enum {
    SILENCES_MAXIMUM = 1 << 20, // bytes of the answer
    SILENCE_ID_SIZE = 64,       // a UUID in practice
    SILENCE_TEXT_SIZE = 256,
    SILENCE_NAMES_MAXIMUM = 64, // of one silence
    SILENCE_MESSAGE_SIZE = 512,
};

enum silence_line_kind { SILENCE_FOUND, SILENCE_PROBLEM, SILENCES_DONE, SILENCES_FAILED };

struct silence_line {
    enum silence_line_kind kind;
    char id[SILENCE_ID_SIZE];           // of the silence, "" where there is none
    char message[SILENCE_MESSAGE_SIZE]; // problem, failed: what is wrong, and what to do
    // found
    char name[SILENCE_TEXT_SIZE]; // what it calls the server
    struct walltime begin;
    struct walltime end;
    char creator[SILENCE_TEXT_SIZE]; // this and the comment are cut where they are longer
    char comment[SILENCE_TEXT_SIZE];
    struct certificate certificate; // done, failed: of the Alertmanager, over TLS
};

// As in probe.h: one line with its newline, for the caller to free; decoders fill a zeroed value.
char *silence_line_encode(const struct silence_line *line);
bool silence_line_decode(const char *text, size_t length, struct silence_line *out,
                         struct error *error);

#endif
