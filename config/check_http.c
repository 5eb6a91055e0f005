#include "config/check_http.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "config/file.h"
#include "config/secret.h"

enum { PEM_MAXIMUM = 64 * 1024, TOKEN_MINIMUM = 16 };

// Where the key stands, or what would hold it.
static struct place place_of(const struct node *root, const char *key)
{
    const struct node *http = node_member(root, "http");
    return http == NULL ? root->at : node_place(http, key);
}

static void check_listen(struct reading *reading, const struct node *root)
{
    const struct http_settings *http = &reading->settings->http;
    for (size_t i = 1; i < http->listen_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (http->listen[i][0] != '\0' && strcmp(http->listen[i], http->listen[j]) == 0) {
                problem_error(reading->problems, place_of(root, "listen"),
                              "listen: %s is there twice", http->listen[i]);
            }
        }
    }
}

// Takes the text over when the word is in it; "" with the problem when not, or when there is none.
static const char *take_pem(struct reading *reading, struct place at, const char *key, char *text,
                            const char *word, const struct error *error)
{
    const char *taken = "";
    if (text == NULL) {
        problem_error(reading->problems, at, "%s: %s", key, error->message);
    } else if (strstr(text, word) == NULL) {
        problem_error(reading->problems, at, "%s: there is no '%s' in it", key, word);
    } else {
        taken = arena_copy_text(reading->arena, text);
    }
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
        free(text);
    }
    return taken;
}

static void read_certificate(struct reading *reading, const struct node *root)
{
    struct http_settings *http = &reading->settings->http;
    struct error error = {0};
    struct stat what;
    size_t length;
    char *certificate = file_read(http->certificate_file, PEM_MAXIMUM, &length, &what, &error);
    http->certificate = take_pem(reading, place_of(root, "certificate_file"), "certificate_file",
                                 certificate, "-----BEGIN CERTIFICATE-----", &error);
    char *key = secret_read_whole(http->key_file, reading->beside, PEM_MAXIMUM, &error);
    http->key =
        take_pem(reading, place_of(root, "key_file"), "key_file", key, "PRIVATE KEY-----", &error);
}

static void check_certificate(struct reading *reading, const struct node *root)
{
    struct http_settings *http = &reading->settings->http;
    bool certificate = http->certificate_file[0] != '\0', key = http->key_file[0] != '\0';
    http->certificate = http->key = "";
    if (certificate != key) {
        problem_error(reading->problems,
                      place_of(root, certificate ? "certificate_file" : "key_file"),
                      certificate ? "certificate_file: needs a key_file"
                                  : "key_file: needs a certificate_file");
    } else if (certificate && reading->secrets) {
        read_certificate(reading, root);
    }
}

// It stands in a header, and must not be guessed.
static bool token_is_good(const struct secret *token, struct error *error)
{
    for (size_t i = 0; i < token->length; i++) {
        if (!isgraph((unsigned char)token->bytes[i])) {
            return error_set(error, "the token must be one word of visible ASCII");
        }
    }
    return token->length >= TOKEN_MINIMUM ||
           error_set(error, "the token has %zu bytes, at least %d are needed: openssl rand -hex 32",
                     token->length, TOKEN_MINIMUM);
}

static void check_token(struct reading *reading, const struct node *root)
{
    struct http_settings *http = &reading->settings->http;
    struct place at = place_of(root, "token_file");
    struct secret token;
    struct error error = {0};
    http->token = "";
    if (http->token_file[0] != '\0' && http->certificate_file[0] == '\0') {
        problem_error(reading->problems, at,
                      "token_file: needs a certificate_file: a token never goes in the clear");
    } else if (http->token_file[0] != '\0' && reading->secrets) {
        if (secret_read(http->token_file, reading->beside, &token, &error) &&
            token_is_good(&token, &error)) {
            http->token = arena_copy_text(reading->arena, token.bytes);
        } else {
            problem_error(reading->problems, at, "token_file: %s", error.message);
        }
        explicit_bzero(&token, sizeof token);
    }
}

void http_settings_check(struct reading *reading, const struct node *root)
{
    check_listen(reading, root);
    check_certificate(reading, root);
    check_token(reading, root);
}
