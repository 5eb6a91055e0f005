#include "ctl/live_exchange.h"

#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "probes/endpoint.h"
#include "probes/exchange.h"

// 2000-01-01: an agent that knows no checks finds it out of date, as it finds an exchange of then.
static const struct walltime LONG_AGO = {INT64_C(946684800) * 1000000000};

size_t live_answer_take(char *bytes, size_t size, size_t count, void *context)
{
    struct live_answer *answer = context;
    size_t more = size * count;
    answer->too_long = answer->too_long || more > sizeof answer->bytes - answer->length;
    if (answer->too_long) {
        answer->length = 0;
        return more;
    }
    memcpy(answer->bytes + answer->length, bytes, more);
    answer->length += more;
    return more;
}

static const char *advice_for_status(long status)
{
    switch (status) {
    case EXCHANGE_STATUS_NOT_SIGNED:
        return "Give both servers the same mesh key: `mailflowctl invite` on one, `mailflowctl "
               "join` on the other.";
    case EXCHANGE_STATUS_NOT_A_PEER:
        return "Make this server a peer there: `mailflowctl invite` here prints the line for that "
               "server.";
    case 404:
        return "Update mailflow there, or let what stands before it (a proxy?) pass " EXCHANGE_PATH
               ".";
    default:
        return "The log of mailflowd there says more, or that of what stands before it (a proxy?).";
    }
}

static void tell_refusal(const struct live_answer *answer, long status, struct live_result *result)
{
    char said[400];
    struct text text = TEXT_OVER(said);
    json_t *problem = json_loadb(answer->bytes, answer->length, 0, NULL);
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    text_format(&text, "it answers, but refuses our exchange (HTTP %ld)%s%s", status,
                detail == NULL ? "" : ": ", detail == NULL ? "" : detail);
    live_result_fail(result, ADVICE_HTTP, said);
    result->advice = advice_for_status(status);
    json_decref(problem);
}

static void tell_reply_that_is_none(const struct error *why, struct live_result *result)
{
    char said[400];
    struct text text = TEXT_OVER(said);
    text_format(&text, "it takes our exchange, but its reply is none: %s", why->message);
    live_result_fail(result, ADVICE_HTTP, said);
    result->advice = "The key that it signs with, the first of its mesh_keys, must be among ours.";
}

// Whether the reply is one of this peer to what we asked.
static bool read_reply(CURL *curl, const struct settings *settings,
                       const struct exchange_message *asked, const struct live_answer *answer,
                       struct exchange_message *reply, struct error *error)
{
    struct curl_header *header;
    CURLHcode found = curl_easy_header(curl, FETCH_SIGNATURE_HEADER, 0, CURLH_HEADER, -1, &header);
    const char *signature = found == CURLHE_OK ? header->value : "";
    return exchange_message_verify(answer->bytes, answer->length, signature, &settings->mesh_keys,
                                   error) &&
           exchange_message_read(answer->bytes, answer->length, true, reply, error) &&
           ((strcmp(reply->from, asked->to) == 0 && strcmp(reply->to, asked->from) == 0 &&
             probe_id_equal(&reply->in_reply_to, &asked->nonce)) ||
            error_set(error, "it answers something else"));
}

// Messages carry the time, and one that is not of now is refused.
static void judge_clock(const struct exchange_message *reply, struct live_result *result)
{
    char said[160];
    struct text text = TEXT_OVER(said);
    struct span ahead = walltime_since(reply->time, clock_now().wall);
    if (span_magnitude(ahead).ns <= EXCHANGE_FRESHNESS.ns) {
        live_result_succeed(result, "it answers, and takes our exchange");
    } else {
        text_format(&text, "it answers, but its clock is %.0f s %s ours: it refuses our exchanges",
                    span_seconds(span_magnitude(ahead)), ahead.ns < 0 ? "behind" : "ahead of");
        live_result_fail(result, ADVICE_HTTP, said);
        result->advice = "Set the clocks: `timedatectl` on both servers.";
    }
}

static void judge(CURL *curl, const struct settings *settings, const struct exchange_message *asked,
                  const struct live_answer *answer, struct live_result *result)
{
    long status = 0;
    struct exchange_message reply;
    struct error error;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == EXCHANGE_STATUS_OUT_OF_DATE) {
        live_result_succeed(result, "it answers, and takes our exchange; its mailflow is older, "
                                    "and says `exchange REJECTED` of the trial");
    } else if (status != EXCHANGE_STATUS_ANSWERED) {
        tell_refusal(answer, status, result);
    } else if (!read_reply(curl, settings, asked, answer, &reply, &error)) {
        tell_reply_that_is_none(&error, result);
    } else {
        judge_clock(&reply, result);
    }
}

void live_exchange_try(CURL *curl, const struct settings *settings,
                       const struct peer_settings *peer, struct live_answer *answer,
                       struct live_result *result)
{
    char url[FETCH_URL_SIZE], body[FETCH_BODY_MAXIMUM + 1];
    char header[TAG_SIGNATURE_SIZE + sizeof FETCH_SIGNATURE_HEADER ": "];
    struct text place = TEXT_OVER(url), text = TEXT_OVER(body), signature = TEXT_OVER(header);
    struct exchange_message asked;
    exchange_message_compose_check(settings->server, peer->name, LONG_AGO, &asked);
    exchange_message_write(&asked, &text);
    endpoint_of_agent(peer, EXCHANGE_PATH, &place);
    text_append(&signature, FETCH_SIGNATURE_HEADER ": ");
    exchange_message_sign(body, text.length, &settings->mesh_keys.keys[0], &signature);
    struct curl_slist *headers = memory_checked(curl_slist_append(NULL, header));
    headers = memory_checked(curl_slist_append(headers, "Content-Type: application/json"));
    answer->length = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK) {
        judge(curl, settings, &asked, answer, result);
    } else {
        live_result_fail(result, ADVICE_HTTP, curl_easy_strerror(code));
    }
    curl_slist_free_all(headers);
}
