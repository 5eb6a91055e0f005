#include "ctl/live_peer.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/tag_codec.h"
#include "base/text.h"
#include "ctl/live_exchange.h"
#include "ctl/live_greet.h"
#include "probes/endpoint.h"

#define PATIENCE SPAN_SECONDS(5)

// ---- its mail server ----

void live_peer_try_mail_server(const char *probers, const struct peer_settings *peer,
                               struct live_result *result)
{
    struct greet_job job = {.domain = false};
    struct greet_outcome outcome;
    struct error error;
    struct text subject = TEXT_OVER(result->subject);
    struct text target = TEXT_OVER(result->target);
    endpoint_of_peer(peer, &job);
    text_format(&subject, "mail server of %s", peer->name);
    struct instant begin = clock_now().instant;
    if (!live_greet(probers, PATIENCE, &job, &outcome, &error)) {
        text_format(&target, "%s:%u", job.host, (unsigned)job.port);
        live_result_fail(result, ADVICE_SMTP, error.message);
        return;
    }
    text_format(&target, "%s:%u", outcome.server, (unsigned)job.port);
    if (outcome.greeted) {
        live_result_add_leg(result, "greeting", instant_since(clock_now().instant, begin));
        live_result_succeed(result, "it greets");
    } else {
        live_result_fail(result, ADVICE_SMTP, outcome.cause);
    }
}

// ---- its agent ----

static void add_legs(CURL *curl, struct live_result *result)
{
    static const struct {
        CURLINFO until;
        const char *name;
    } LEGS[] = {
        {CURLINFO_NAMELOOKUP_TIME_T, "dns"},
        {CURLINFO_CONNECT_TIME_T, "connect"},
        {CURLINFO_APPCONNECT_TIME_T, "tls"},
        {CURLINFO_TOTAL_TIME_T, "answer"},
    };
    curl_off_t before = 0;
    for (size_t i = 0; i < sizeof LEGS / sizeof LEGS[0]; i++) {
        curl_off_t until = 0;
        curl_easy_getinfo(curl, LEGS[i].until, &until);
        if (until > 0) { // in the clear there is no tls
            live_result_add_leg(result, LEGS[i].name, (struct span){(until - before) * 1000});
            before = until;
        }
    }
}

// Whom the answer is from; false when it is not from an agent at all.
static bool read_server(const struct live_answer *answer, char server[SERVER_NAME_SIZE])
{
    json_t *json = json_loadb(answer->bytes, answer->length, 0, NULL);
    const char *name = json_string_value(json_object_get(json, "server"));
    bool good =
        name != NULL && server_name_valid(name) && text_copy(server, SERVER_NAME_SIZE, name);
    json_decref(json);
    return good;
}

static bool judge(CURL *curl, const struct peer_settings *peer, const struct live_answer *answer,
                  struct live_result *result)
{
    long status = 0;
    char said[128], server[SERVER_NAME_SIZE];
    struct text text = TEXT_OVER(said);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200 || !read_server(answer, server)) {
        text_format(&text, "what answers there is no mailflow agent (HTTP %ld)", status);
        live_result_fail(result, ADVICE_HTTP, said);
        result->advice = "Correct the peer's `agent:`, or what stands before it (a proxy?).";
    } else if (strcmp(server, peer->name) != 0) {
        text_format(&text, "the agent there is that of %s", server);
        live_result_fail(result, ADVICE_HTTP, said);
        result->advice = "Correct the peer's `agent:`, or its name.";
    } else {
        add_legs(curl, result);
        live_result_succeed(result, "it answers");
    }
    return result->good;
}

// The library says that it could not connect; the system knows why.
static void describe_failure(CURL *curl, CURLcode code, char why[CURL_ERROR_SIZE])
{
    long cause = 0;
    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &cause);
    if (code == CURLE_COULDNT_CONNECT && cause != 0) {
        text_copy(why, CURL_ERROR_SIZE, strerror((int)cause));
    } else if (why[0] == '\0') {
        text_copy(why, CURL_ERROR_SIZE, curl_easy_strerror(code));
    }
}

void live_peer_try_agent(const struct settings *settings, const struct peer_settings *peer,
                         struct live_result *result)
{
    const char *ca_file = settings->http.ca_file;
    char url[FETCH_URL_SIZE], why[CURL_ERROR_SIZE] = "";
    struct text place = TEXT_OVER(url);
    struct text subject = TEXT_OVER(result->subject);
    struct live_answer answer = {.length = 0};
    CURL *curl = memory_checked(curl_easy_init());
    text_format(&subject, "agent of %s", peer->name);
    text_copy(result->target, sizeof result->target, peer->agent);
    endpoint_of_agent(peer, "/api/v1/version", &place);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(PATIENCE.ns / 1000000));
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, live_answer_take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    if (ca_file[0] != '\0') {
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
    }
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK) {
        if (judge(curl, peer, &answer, result)) {
            live_exchange_try(curl, settings, peer, &answer, result);
        }
    } else {
        describe_failure(curl, code, why);
        live_result_fail(result, ADVICE_HTTP, why);
    }
    curl_easy_cleanup(curl);
}
