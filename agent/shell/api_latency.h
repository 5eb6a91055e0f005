// GET /api/v1/latency?path=mx02->mx01&range=24h: the latency of a path over time, as the page draws
// it.
// {"path","direction","from","to","bucket_seconds","warning_seconds",
//  "buckets":[{"at","count","p5","p25","p50","p75","p95"}],
//  "marks":[{"at","verdict","count","first_sent","last_sent","latency_seconds","probe"}],
//  "windows":[{"id","server","kind","begin","end"}]}; quantiles are seconds, null in an empty
//  bucket.
#ifndef MAILFLOW_SHELL_API_LATENCY_H
#define MAILFLOW_SHELL_API_LATENCY_H

#include "shell/agent.h"
#include "shell/http_message.h"

void api_read_latency(struct agent *agent, const struct http_request *request,
                      struct http_response *response);

#endif
