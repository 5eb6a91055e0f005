#include "probes/exchange_reply.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/json_read.h"
#include "base/text.h"

// What was said instead, in words.
static void explain_refusal(const struct exchange_response *response, struct error *error)
{
    struct error none;
    char detail[160] = "";
    json_t *problem =
        json_read_bytes(response->bytes, response->length, EXCHANGE_BODY_MAXIMUM, &none);
    if (problem != NULL) {
        struct text text = TEXT_OVER(detail);
        const char *said = json_string_value(json_object_get(problem, "detail"));
        text_append_escaped(&text, said == NULL ? "" : said);
        json_decref(problem);
    }
    error_set(error, "its agent answers %d%s%s", response->status, detail[0] == '\0' ? "" : ": ",
              detail);
}

static bool answers(const struct exchange_message *reply, const struct exchange_request *request,
                    struct error *error)
{
    if (strcmp(reply->from, request->to) != 0 || strcmp(reply->to, request->from) != 0) {
        return error_set(error, "the reply is from %s to %s", reply->from, reply->to);
    }
    return probe_id_equal(&reply->in_reply_to, request->nonce) ||
           error_set(error, "the reply answers another request");
}

static bool is_fresh(const struct exchange_message *reply, struct walltime came,
                     struct error *error)
{
    struct span behind = walltime_since(came, reply->time);
    struct span off = span_magnitude(behind);
    return off.ns <= EXCHANGE_FRESHNESS.ns ||
           error_set(error, "its clock is %.0f s %s ours: compare the clocks", span_seconds(off),
                     behind.ns > 0 ? "behind" : "ahead of");
}

enum exchange_reply exchange_reply_read(const struct exchange_response *response,
                                        const struct exchange_request *request,
                                        const struct mesh_keys *keys, struct exchange_message *out,
                                        struct error *error)
{
    if (response->status != EXCHANGE_STATUS_ANSWERED) {
        explain_refusal(response, error);
        return EXCHANGE_REPLY_REFUSAL;
    }
    if (!exchange_message_verify(response->bytes, response->length, response->signature, keys,
                                 error)) {
        error_prefix(error, "its reply");
        return response->signature[0] == '\0' ? EXCHANGE_REPLY_UNSIGNED : EXCHANGE_REPLY_FORGED;
    }
    if (!exchange_message_read(response->bytes, response->length, true, out, error)) {
        error_prefix(error, "its reply");
        return EXCHANGE_REPLY_MALFORMED;
    }
    if (!answers(out, request, error)) {
        return EXCHANGE_REPLY_ASTRAY;
    }
    return is_fresh(out, response->came, error) ? EXCHANGE_REPLY_GOOD : EXCHANGE_REPLY_STALE;
}
