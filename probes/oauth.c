#include "probes/oauth.h"

#include <ctype.h>
#include <jansson.h>
#include <nettle/base64.h>
#include <string.h>

#include "base/text.h"

enum { CHALLENGE_MAXIMUM = 2048 };

const char *oauth_mechanism_name(enum probe_oauth mechanism)
{
    return mechanism == PROBE_OAUTH_XOAUTH2 ? "XOAUTH2" : "OAUTHBEARER";
}

enum probe_oauth oauth_choose(enum probe_oauth wanted, bool xoauth2, bool oauthbearer)
{
    bool bearer = oauthbearer && wanted != PROBE_OAUTH_XOAUTH2;
    bool google = xoauth2 && wanted != PROBE_OAUTH_OAUTHBEARER;
    return bearer ? PROBE_OAUTH_OAUTHBEARER : google ? PROBE_OAUTH_XOAUTH2 : PROBE_OAUTH_NONE;
}

_Static_assert((int)OAUTH_RESPONSE_SIZE >
                   (int)BASE64_ENCODE_RAW_LENGTH(PROBE_TOKEN_SIZE + PROBE_USER_SIZE + 64) +
                       PROBE_HOST_SIZE,
               "a response always fits");

void oauth_response(enum probe_oauth mechanism, const struct probe_endpoint *endpoint,
                    char out[OAUTH_RESPONSE_SIZE])
{
    char plain[PROBE_TOKEN_SIZE + PROBE_USER_SIZE + 64];
    struct text text = TEXT_OVER(plain);
    if (mechanism == PROBE_OAUTH_XOAUTH2) {
        text_format(&text, "user=%s\x01", endpoint->user);
    } else { // host and port are for the server's use only, and it knows them
        text_format(&text, "n,a=%s,\x01", endpoint->user);
    }
    text_format(&text, "auth=Bearer %s\x01\x01", endpoint->token);
    base64_encode_raw(out, text.length, (const uint8_t *)plain);
    out[BASE64_ENCODE_RAW_LENGTH(text.length)] = '\0';
    explicit_bzero(plain, sizeof plain);
}

const char *oauth_end(enum probe_oauth mechanism)
{
    return mechanism == PROBE_OAUTH_XOAUTH2 ? "" : "AQ=="; // ^A
}

void oauth_status(const char *challenge, char out[OAUTH_STATUS_SIZE])
{
    struct base64_decode_ctx decoding;
    uint8_t plain[BASE64_DECODE_LENGTH(CHALLENGE_MAXIMUM)];
    size_t length = sizeof plain, given = strcspn(challenge, " \r\n");
    struct text text = text_over(out, OAUTH_STATUS_SIZE);
    base64_decode_init(&decoding);
    if (given > CHALLENGE_MAXIMUM ||
        base64_decode_update(&decoding, &length, plain, given, challenge) != 1) {
        return;
    }
    json_t *object = json_loadb((const char *)plain, length, 0, NULL);
    const char *status = json_string_value(json_object_get(object, "status"));
    text_append_escaped(&text, status == NULL ? "" : status);
    json_decref(object);
}

bool oauth_token_valid(const char *token)
{
    size_t length = 0;
    while (isalnum((unsigned char)token[length]) ||
           (token[length] != '\0' && strchr("-._~+/", token[length]) != NULL)) {
        length++;
    }
    return length > 0 && token[length + strspn(token + length, "=")] == '\0';
}
