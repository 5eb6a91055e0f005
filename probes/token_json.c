#include <string.h>

#include "base/text.h"
#include "probes/json_values.h"
#include "probes/oauth.h"
#include "probes/token.h"

char *token_job_encode(const struct token_job *job)
{
    json_t *object = memory_checked(json_object());
    json_t *words = memory_checked(json_array());
    for (size_t i = 0; i < job->word_count; i++) {
        json_array_append_new(words, memory_checked(json_string(job->words[i])));
    }
    json_write_integer(object, "number", job->number);
    json_write_integer(object, "deadline", job->deadline.ns);
    json_write_object(object, "words", words);
    json_write_text(object, "home", job->home);
    json_write_text(object, "credentials", job->credentials);
    return json_line_finish(object);
}

static bool read_words(const json_t *object, struct token_job *out, struct error *error)
{
    const json_t *words;
    if (!json_read_array(object, "words", TOKEN_WORDS_MAXIMUM, &words, error)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(words); i++) {
        const char *word = json_string_value(json_array_get(words, i));
        if (word == NULL || !text_copy(out->words[i], TOKEN_WORD_SIZE, word)) {
            return error_set(error, "\"words\" %zu is not a word of a command", i);
        }
    }
    out->word_count = json_array_size(words);
    return out->words[0][0] == '/' || error_set(error, "\"words\" begins with no absolute path");
}

bool token_job_decode(const char *line, size_t length, struct token_job *out, struct error *error)
{
    *out = (struct token_job){0};
    json_t *object = json_read_line(line, length, error);
    if (object == NULL) {
        return false;
    }
    bool valid =
        json_read_integer(object, "number", 1, INT64_MAX, &out->number, error) &&
        json_read_integer(object, "deadline", 0, INT64_MAX, &out->deadline.ns, error) &&
        read_words(object, out, error) &&
        json_read_plain(object, "home", out->home, sizeof out->home, error) &&
        json_read_plain(object, "credentials", out->credentials, sizeof out->credentials, error);
    json_decref(object);
    return valid;
}

char *token_outcome_encode(const struct token_outcome *outcome)
{
    json_t *object = memory_checked(json_object());
    json_write_integer(object, "number", outcome->number);
    json_write_text(object, "token", outcome->token);
    json_write_integer(object, "lifetime", outcome->lifetime.ns);
    json_write_text(object, "cause", outcome->cause);
    return json_line_finish(object);
}

bool token_outcome_decode(const char *line, size_t length, struct token_outcome *out,
                          struct error *error)
{
    *out = (struct token_outcome){0};
    json_t *object = json_read_line(line, length, error);
    if (object == NULL) {
        return false;
    }
    bool valid = json_read_integer(object, "number", 1, INT64_MAX, &out->number, error) &&
                 json_read_text(object, "token", out->token, sizeof out->token, error) &&
                 json_read_span(object, "lifetime", &out->lifetime, error) &&
                 json_read_text(object, "cause", out->cause, sizeof out->cause, error);
    json_decref(object);
    return valid && (out->token[0] == '\0' || oauth_token_valid(out->token) ||
                     error_set(error, "\"token\" is not a bearer token"));
}
