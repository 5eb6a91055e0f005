// An HTTP request and the answer to it as plain values: what is answered can be tested without a
// socket, and only http.c knows the library that carries them.
//
// The texts of a request live as long as the call that gets it. A response owns its body or its
// stream, from malloc, until who sends it takes them over.
#ifndef MAILFLOW_SHELL_HTTP_MESSAGE_H
#define MAILFLOW_SHELL_HTTP_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/instant.h"
#include "base/tag_codec.h"
#include "base/text.h"

enum {
    HTTP_BODY_MAXIMUM = 64 * 1024,
    HTTP_ARGUMENTS_MAXIMUM = 16,
    HTTP_PIECE_SIZE = 16 * 1024, // of a streamed answer
};

// HEAD is a GET whose body stays at home.
enum http_method { HTTP_GET, HTTP_POST, HTTP_PATCH, HTTP_DELETE, HTTP_METHODS };

// "GET", or HTTP_METHODS for one that nothing here knows.
const char *http_method_name(enum http_method method);
enum http_method http_method_parse(const char *name);

struct http_argument {
    const char *name;
    const char *value;
};

struct http_request {
    enum http_method method;
    const char *path; // decoded, without the query
    const char *accept;
    bool gzip;             // it is understood
    const char *known;     // If-None-Match: the versions that the client has, "" for none
    const char *signature; // of Mailflow-Signature, "" without it
    const char *body;
    size_t body_length;
    struct http_argument arguments[HTTP_ARGUMENTS_MAXIMUM];
    size_t argument_count;
    bool may_write;    // it came over the control socket, or with the token
    bool token_wanted; // it came over HTTPS, where the token would let it write
    struct moment now;
};

// The value of the query's argument, "" without it.
const char *http_argument_value(const struct http_request *request, const char *name);

// An answer too large to be built whole. `next` fills an empty text of HTTP_PIECE_SIZE (an empty
// piece is no end) and returns false with the last one; `end` frees the state. Both run in the
// loop, which a stream whose pieces are dear or often empty must not hold: with a filler, that
// means nothing between pieces, they are made a few at a time.
struct http_stream {
    bool (*next)(void *state, struct text *piece);
    void (*end)(void *state);
    void *state;
    char filler; // '\0': none
};

struct http_response {
    int status;
    const char *content_type;
    const char *content_security_policy; // NULL: nothing may be loaded
    char allow[32];                      // "" = no such header
    char signature[TAG_SIGNATURE_SIZE];  // likewise
    const char *authenticate;            // with 401: what is wanted
    bool last;                           // nothing more is read on this connection
    char *body;                          // from malloc; NULL when it is streamed or lasting
    const void *lasting;                 // a body that outlives every response, or NULL
    size_t length;
    const char *version;  // ETag, quoted; NULL: it may not be kept, else only asked for anew
    const char *encoding; // of the body, NULL for none
    struct http_stream stream;
};

// "Not Found".
const char *http_status_title(int status);

void http_respond_text(struct http_response *response, int status, const char *body);
void http_respond_json(struct http_response *response, int status, json_t *body); // takes it over
void http_respond_stream(struct http_response *response, const char *content_type,
                         const struct http_stream *stream);

// RFC 9457 problem details; the format says what is wrong and what to do. http_problem makes the
// object for those that add members to it.
void http_respond_problem(struct http_response *response, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void http_respond_problem_object(struct http_response *response, json_t *problem);
json_t *http_problem(int status, const char *detail);

#endif
