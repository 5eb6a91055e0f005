#include "probes/token/answer.h"

#include <jansson.h>
#include <string.h>

#include "base/number.h"
#include "probes/oauth.h"

#define LONGEST SPAN_HOURS(24 * ANSWER_DAYS_MAXIMUM)

static const char BLANKS[] = " \t\r\n";
static const char TOKEN_BYTES[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "-._~+/=";

void answer_append_words(struct text *text, const char *words)
{
    char plain[640];
    struct text shown = TEXT_OVER(plain);
    while (*words != '\0') {
        size_t word = strspn(words, TOKEN_BYTES);
        size_t other = strcspn(words + word, TOKEN_BYTES);
        bool secret = word > ANSWER_WORD_MAXIMUM;
        text_append_bytes(&shown, secret ? "***" : words, secret ? 3 : word);
        text_append_bytes(&shown, words + word, other);
        words += word + other;
    }
    text_append_escaped(text, plain);
}

static bool take_token(const char *token, size_t length, struct token_outcome *out,
                       struct error *error)
{
    if (length >= sizeof out->token) {
        return error_set(error, "it printed a token of more than %zu bytes", sizeof out->token - 1);
    }
    memcpy(out->token, token, length);
    out->token[length] = '\0';
    if (strlen(out->token) != length || !oauth_token_valid(out->token)) {
        explicit_bzero(out->token, sizeof out->token);
        return error_set(error, "it printed no bearer token (RFC 6750): one word of ASCII, or a "
                                "JSON object");
    }
    return true;
}

// A number of seconds; Microsoft's older endpoints write it as a string.
static bool take_lifetime(const json_t *seconds, struct span *out, struct error *error)
{
    int64_t written = 0;
    bool text = json_is_string(seconds);
    if (text ? !number_parse(json_string_value(seconds), 0, INT64_MAX, &written)
             : !json_is_number(seconds)) {
        return error_set(error, "its \"expires_in\" is no number of seconds");
    }
    struct span said = span_from_seconds(text ? (double)written : json_number_value(seconds));
    *out = span_shorter(span_longer(said, SPAN_ZERO), LONGEST);
    return true;
}

// An endpoint that refuses says why.
static bool refuse_object(const json_t *object, struct error *error)
{
    const char *code = json_string_value(json_object_get(object, "error"));
    const char *words = json_string_value(json_object_get(object, "error_description"));
    char told[200];
    struct text text = TEXT_OVER(told);
    answer_append_words(&text, code == NULL ? "" : code);
    text_append(&text, code != NULL && words != NULL ? ": " : "");
    answer_append_words(&text, words == NULL ? "" : words);
    return error_set(error, "its JSON object has no \"access_token\"%s%s%s",
                     told[0] == '\0' ? "" : " (", told, told[0] == '\0' ? "" : ")");
}

static bool read_object(const char *bytes, size_t length, struct token_outcome *out,
                        struct error *error)
{
    json_t *object = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, NULL);
    const json_t *token = json_object_get(object, "access_token");
    const json_t *lifetime = json_object_get(object, "expires_in");
    bool good = json_is_object(object) || error_set(error, "it printed what is not JSON");
    good = good && (json_is_string(token) || refuse_object(object, error));
    good = good && take_token(json_string_value(token), json_string_length(token), out, error);
    good = good && (lifetime == NULL || take_lifetime(lifetime, &out->lifetime, error));
    json_decref(object);
    if (!good) {
        explicit_bzero(out->token, sizeof out->token);
    }
    return good;
}

bool answer_read(const char *bytes, size_t length, struct token_outcome *out, struct error *error)
{
    out->token[0] = '\0';
    out->lifetime = (struct span){-1};
    while (length > 0 && memchr(BLANKS, bytes[0], sizeof BLANKS - 1) != NULL) {
        bytes++;
        length--;
    }
    while (length > 0 && memchr(BLANKS, bytes[length - 1], sizeof BLANKS - 1) != NULL) {
        length--;
    }
    if (length == 0) {
        return error_set(error, "it printed nothing");
    }
    return bytes[0] == '{' ? read_object(bytes, length, out, error)
                           : take_token(bytes, length, out, error);
}
