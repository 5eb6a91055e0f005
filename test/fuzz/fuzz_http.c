// A request over HTTP, as the library hands it over, and the messages between agents: whatever is
// asked, the answer is one that can be read, of a status that there is.
//
// An input is a byte of flags, a line with the path, one with the query, and the body. The flag for
// signing puts a peer's good signature over the body, without which no exchange is looked into.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "agent_fixture.h"
#include "fuzz.h"
#include "shell/exchange_message.h"
#include "shell/http_message.h"
#include "shell/routes.h"

enum flag {
    METHOD = 7, // bits
    MAY_WRITE = 8,
    TOKEN_WANTED = 16,
    HTML = 32,
    SIGNED = 64,
    REPLY = 128, // no request: the body is what a peer answers
};

static struct agent *agent;

static void leave(void)
{
    if (agent != NULL) {
        agent_fixture_destroy(agent);
    }
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count, (void)arguments;
    return atexit(leave); // with the agent go the files of its ledger
}

static char *take_line(char **at)
{
    char *line = *at, *end = strchr(line, '\n');
    *at = end == NULL ? line + strlen(line) : end + 1;
    if (end != NULL) {
        *end = '\0';
    }
    return line;
}

static void split_query(char *query, struct http_request *request)
{
    for (char *rest = query, *pair;
         request->argument_count < HTTP_ARGUMENTS_MAXIMUM && (pair = strsep(&rest, "&")) != NULL;) {
        char *value = strchr(pair, '=');
        if (value != NULL) {
            *value++ = '\0';
        }
        request->arguments[request->argument_count++] =
            (struct http_argument){pair, value == NULL ? "" : value};
    }
}

// Whatever was asked, no markup of the asker's is in a page.
static void check_page(const char *page)
{
    assert(strstr(page, "<fuzz") == NULL && strstr(page, "\"fuzz=") == NULL);
}

static void check_response(struct http_response *response)
{
    int status = response->status;
    bool is_json = response->content_type != NULL && strstr(response->content_type, "json") != NULL;
    bool is_page = response->content_type != NULL && strstr(response->content_type, "html") != NULL;
    assert(strcmp(http_status_title(status), "") != 0 && status >= 200 && status < 600);
    char *body = agent_fixture_take_body(response);
    if (is_json) {
        json_t *value = json_loads(body, JSON_DECODE_ANY, NULL);
        assert(value != NULL);
        json_decref(value);
    } else if (is_page) {
        check_page(body);
    }
    free(body);
}

static void ask(unsigned flags, char *text)
{
    char signature[TAG_SIGNATURE_SIZE];
    struct text signing = TEXT_OVER(signature);
    struct http_response response = {0};
    struct http_request request = {.method =
                                       (enum http_method)(flags & METHOD) % (HTTP_METHODS + 1),
                                   .path = take_line(&text),
                                   .accept = flags & HTML ? "text/html" : "*/*",
                                   .known = "",
                                   .signature = "",
                                   .may_write = flags & MAY_WRITE,
                                   .token_wanted = flags & TOKEN_WANTED,
                                   .now = MOMENT(3600)};
    split_query(take_line(&text), &request);
    request.body = text;
    request.body_length = strlen(text);
    if (flags & SIGNED) {
        exchange_message_sign(text, request.body_length, &agent_settings(agent)->mesh_keys.keys[0],
                              &signing);
        request.signature = signature;
    }
    routes_answer(agent, &request, &response);
    bool changed = request.method != HTTP_GET && response.status < 400;
    check_response(&response);
    if (changed) {
        agent_fixture_destroy(agent);
        agent = NULL;
    }
}

static void read_reply(const char *text)
{
    static struct exchange_message message, read;
    static char once[EXCHANGE_BODY_MAXIMUM];
    struct text out = TEXT_OVER(once);
    struct error error;
    if (exchange_message_read(text, strlen(text), true, &message, &error) &&
        exchange_message_write(&message, &out)) {
        assert(exchange_message_read(once, out.length, true, &read, &error));
        assert(strcmp(read.from, message.from) == 0 && strcmp(read.to, message.to) == 0 &&
               strcmp(read.exchange.row, message.exchange.row) == 0 &&
               strcmp(read.exchange.maintenance, message.exchange.maintenance) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    if (agent == NULL) {
        agent = agent_fixture_create(2);
    }
    char *text = fuzz_text(bytes + 1, size - 1);
    if (bytes[0] & REPLY) {
        read_reply(text);
    } else {
        ask(bytes[0], text);
    }
    free(text);
    return 0;
}
