#include "ctl/live_exchange.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "probes/endpoint.h"
#include "probes/exchange_reply.h"

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

static const char *advice_for_status(int status)
{
    switch (status) {
    case EXCHANGE_STATUS_NOT_SIGNED:
        return "Give both servers the same mesh key: copy the file that mesh_keys names from one "
               "to the other, with its owner and mode, under the same id, and start the agent "
               "there anew.";
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

static const char *advice_for_reply(enum exchange_reply reply, int status)
{
    switch (reply) {
    case EXCHANGE_REPLY_REFUSAL:
        return advice_for_status(status);
    case EXCHANGE_REPLY_UNSIGNED:
        return "Let what stands before it (a proxy?) pass the header " FETCH_SIGNATURE_HEADER ".";
    case EXCHANGE_REPLY_FORGED:
        return "The key that it signs with, the first of its mesh_keys, must be among ours.";
    case EXCHANGE_REPLY_MALFORMED:
        return "Update mailflow on the older of the two servers.";
    case EXCHANGE_REPLY_ASTRAY:
        return "Something between the servers answers in its place, out of a cache: let it pass "
               "each request on.";
    case EXCHANGE_REPLY_STALE:
        return "Set the clocks: `timedatectl` on both servers.";
    case EXCHANGE_REPLY_GOOD:
        break;
    }
    return "";
}

static struct exchange_response response_of(CURL *curl, const struct live_answer *answer)
{
    long status = 0;
    struct curl_header *header;
    CURLHcode found = curl_easy_header(curl, FETCH_SIGNATURE_HEADER, 0, CURLH_HEADER, -1, &header);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return (struct exchange_response){.status = (int)status,
                                      .signature = found == CURLHE_OK ? header->value : "",
                                      .bytes = answer->bytes,
                                      .length = answer->length,
                                      .came = clock_now().wall};
}

static void judge(CURL *curl, const struct settings *settings, const struct exchange_message *asked,
                  const struct live_answer *answer, struct live_result *result)
{
    const struct exchange_request request = {asked->from, asked->to, &asked->nonce};
    const struct exchange_response response = response_of(curl, answer);
    struct exchange_message message;
    struct error error;
    if (response.status == EXCHANGE_STATUS_OUT_OF_DATE) {
        live_result_succeed(result, "it answers, and takes our exchange; its mailflow is older, "
                                    "and says `exchange REJECTED` of the trial");
        return;
    }
    enum exchange_reply reply =
        exchange_reply_read(&response, &request, &settings->mesh_keys, &message, &error);
    if (reply == EXCHANGE_REPLY_GOOD) {
        live_result_succeed(result, "it answers, and takes our exchange");
    } else {
        live_result_fail(result, ADVICE_HTTP, error.message);
        result->advice = advice_for_reply(reply, response.status);
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
