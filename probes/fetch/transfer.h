// One request by libcurl, from the job to the outcome. Several run at once in one multi handle,
// which keeps their connections for the next ones; none of them can hold up another.
//
// What a server can do to us is bounded: the time by the job's deadline, the body and the headers
// by a number of bytes, the protocols to HTTP and HTTPS, the way to the one address (no redirect,
// no proxy). A certificate must verify and carry the name.
#ifndef MAILFLOW_PROBES_FETCH_TRANSFER_H
#define MAILFLOW_PROBES_FETCH_TRANSFER_H

#include <curl/curl.h>

#include "probes/fetch.h"

struct transfer;

// Adds it to the multi handle.
struct transfer *transfer_begin(CURLM *multi, const struct fetch_job *job);

// The transfer that an easy handle of ours belongs to.
struct transfer *transfer_of(CURL *easy);

const struct fetch_job *transfer_job(const struct transfer *transfer);

// It is over: what came of it, without the body, which transfer_body has.
void transfer_conclude(struct transfer *transfer, CURLcode result, struct fetch_outcome *outcome);
const char *transfer_body(const struct transfer *transfer, size_t *length);

// Takes it out of the multi handle and frees it.
void transfer_end(CURLM *multi, struct transfer *transfer);

#endif
