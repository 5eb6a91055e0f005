// What the agent and mailflow-fetch say to each other: one job a line in, what came of it out, in
// the order in which they end. Over HTTP or HTTPS a job is either
//
// - an exchange: one POST of a signed JSON text; out comes one outcome. Nothing of what comes back
//   is believed or looked into here; bodies are in base64, so that any bytes pass;
// - silences: one GET from an Alertmanager; out come the lines of silence.h.
//
// A redirect is an outcome, never followed. A reply that is larger than FETCH_BODY_MAXIMUM
// (silences: SILENCES_MAXIMUM), or that is not complete at the deadline, is none.
#ifndef MAILFLOW_PROBES_FETCH_H
#define MAILFLOW_PROBES_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/instant.h"
#include "base/tag_codec.h"
#include "probes/probe.h"

enum {
    FETCH_URL_SIZE = 576,
    FETCH_MATCHER_SIZE = 128,
    FETCH_BODY_MAXIMUM = 4500, // in base64 and with the rest it fits a line
    FETCH_JOBS_MAXIMUM = 128,  // at once
};

// The header that carries the signature of a body, both ways.
#define FETCH_SIGNATURE_HEADER "Mailflow-Signature"

struct fetch_body {
    size_t length;
    char bytes[FETCH_BODY_MAXIMUM + 1]; // with a NUL behind them
};

enum fetch_kind { FETCH_EXCHANGE, FETCH_SILENCES };

struct fetch_job {
    int64_t number;
    enum fetch_kind kind;
    struct instant deadline;
    char url[FETCH_URL_SIZE];
    char ca_file[PROBE_PATH_SIZE]; // "" = the system's store
    // exchange
    char signature[TAG_SIGNATURE_SIZE];
    struct fetch_body body;
    // silences
    char matcher[FETCH_MATCHER_SIZE]; // the label that names the server
};

struct fetch_outcome {
    int64_t number;
    int status;                   // of the HTTP reply, 0 when none came
    char cause[PROBE_REPLY_SIZE]; // why none came
    char signature[TAG_SIGNATURE_SIZE];
    struct fetch_body body;
    struct moment ended;
    struct certificate certificate; // of the server, when a connection was made for this job
};

// As in probe.h: one line with its newline, for the caller to free; decoders fill a zeroed value.
char *fetch_job_encode(const struct fetch_job *job);
bool fetch_job_decode(const char *line, size_t length, struct fetch_job *out, struct error *error);
char *fetch_outcome_encode(const struct fetch_outcome *outcome);
bool fetch_outcome_decode(const char *line, size_t length, struct fetch_outcome *out,
                          struct error *error);

#endif
