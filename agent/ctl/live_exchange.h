// Whether a peer's agent would take our exchange: asked with a check (probes/exchange.h), which
// changes nothing there.
#ifndef MAILFLOW_CTL_LIVE_EXCHANGE_H
#define MAILFLOW_CTL_LIVE_EXCHANGE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "ctl/live_result.h"
#include "probes/fetch.h"

// What an agent answers; as much as its replies may be.
struct live_answer {
    bool too_long; // then there is nothing in it
    size_t length;
    char bytes[FETCH_BODY_MAXIMUM];
};

// For CURLOPT_WRITEFUNCTION; `context` is the answer.
size_t live_answer_take(char *bytes, size_t size, size_t count, void *context);

// Over the connection that `curl` has, which writes what comes into `answer`.
void live_exchange_try(CURL *curl, const struct settings *settings,
                       const struct peer_settings *peer, struct live_answer *answer,
                       struct live_result *result);

#endif
