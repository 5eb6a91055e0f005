#include "ctl/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>

#include "config/config.h"
#include "ctl/format.h"
#include "ctl/progress.h"

// Enough for the paths of 10,000 peers.
enum { ANSWER_BYTES_MAXIMUM = 16 * 1024 * 1024, TARGET_SIZE = 1024 };

struct client {
    CURL *curl;
    struct curl_slist *headers;
    const char *socket;
    const char *config;
    struct span timeout;
    char *body;
    size_t length;
    size_t room;
    bool too_long;
};

struct client *client_create(const char *socket, const char *config, struct span timeout)
{
    curl_global_init(CURL_GLOBAL_NOTHING);
    struct client *client = memory_checked(calloc(1, sizeof *client));
    client->curl = memory_checked(curl_easy_init());
    client->headers = memory_checked(curl_slist_append(NULL, "Content-Type: application/json"));
    client->socket = socket;
    client->config = config;
    client->timeout = timeout;
    return client;
}

void client_destroy(struct client *client)
{
    if (client != NULL) {
        curl_slist_free_all(client->headers);
        curl_easy_cleanup(client->curl);
        free(client->body);
        free(client);
        curl_global_cleanup();
    }
}

// In steps that double, so that a long answer is not copied once for each of its pieces.
static void make_room(struct client *client, size_t size)
{
    if (size > client->room) {
        client->room = size > 2 * client->room ? size : 2 * client->room;
        client->body = memory_checked(realloc(client->body, client->room));
    }
}

static size_t client_take_bytes(char *bytes, size_t size, size_t count, void *context)
{
    struct client *client = context;
    size_t more = size * count;
    client->too_long = more > ANSWER_BYTES_MAXIMUM - client->length;
    if (client->too_long) {
        return 0;
    }
    make_room(client, client->length + more + 1);
    memcpy(client->body + client->length, bytes, more);
    client->length += more;
    return more;
}

// Called about once a second while nothing comes.
static int client_wait(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    (void)down_total, (void)down, (void)up_total, (void)up;
    progress_show(context);
    return 0;
}

static void client_set_request(struct client *client, const char *method, const char *url,
                               const char *body)
{
    CURL *curl = client->curl;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, client->socket);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(client->timeout.ns / 1000000));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, client_take_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
    if (body != NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
}

static void describe_connect_failure(const struct client *client, struct text *out)
{
    long cause = 0;
    curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &cause);
    switch (cause) {
    case ENOENT:
        text_append(out, "no such file. Is mailflowd running? Start it, or name its socket with "
                         "--control. ");
        text_append(out, config_exists(client->config)
                             ? "Does it not start? mailflowctl check"
                             : "Nothing is set up yet? mailflowctl setup");
        break;
    case ECONNREFUSED:
        text_append(out, "connection refused. Nobody listens there any more: start mailflowd");
        break;
    case EACCES:
    case EPERM:
        text_append(out, "permission denied. Ask as root, or as a member of the socket's group");
        break;
    default:
        text_append(out, cause == 0 ? "cannot connect" : strerror((int)cause));
    }
}

static enum client_result client_fail(const struct client *client, CURLcode code,
                                      struct error *error)
{
    char why[256];
    struct text text = TEXT_OVER(why);
    if (client->too_long) {
        error_set(error, "the answer of %s is longer than %d MiB", client->socket,
                  ANSWER_BYTES_MAXIMUM / (1024 * 1024));
        return CLIENT_REFUSED;
    }
    if (strlen(client->socket) >= sizeof((struct sockaddr_un *)NULL)->sun_path) {
        text_append(&text, "a socket's path has at most 107 bytes");
    } else if (code == CURLE_COULDNT_CONNECT) {
        describe_connect_failure(client, &text);
    } else if (code == CURLE_OPERATION_TIMEDOUT) {
        text_append(&text, "no complete answer within ");
        span_append(client->timeout, &text);
        text_append(&text, ". mailflowd may be overloaded or stuck: look at its log, or allow it "
                           "more with --timeout");
    } else if (code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR ||
               code == CURLE_PARTIAL_FILE || code == CURLE_SEND_ERROR) {
        text_append(&text, "it hung up in the middle. Has mailflowd just been stopped?");
    } else {
        text_format(&text, "what answers there is not mailflowd (%s)", curl_easy_strerror(code));
    }
    error_set(error, "cannot reach the agent at %s: %s", client->socket, why);
    return CLIENT_UNREACHABLE;
}

static enum client_result client_refuse(const struct client *client, long status,
                                        const json_t *problem, struct error *error)
{
    char shown[400];
    struct text text = TEXT_OVER(shown);
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    const char *title = json_string_value(json_object_get(problem, "title"));
    if (detail == NULL && title == NULL) {
        error_set(error, "the agent at %s answered HTTP %ld without saying why", client->socket,
                  status);
    } else {
        format_text(detail != NULL ? detail : title, &text);
        error_set(error, "%s", shown);
    }
    return CLIENT_REFUSED;
}

static enum client_result client_judge(const struct client *client, json_t **answer,
                                       struct error *error)
{
    json_error_t where;
    long status = 0;
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    *answer = client->length == 0 ? NULL : json_loadb(client->body, client->length, 0, &where);
    if (*answer != NULL && !json_is_object(*answer)) {
        json_decref(*answer);
        *answer = NULL;
    }
    if (status < 200 || status > 299) {
        return client_refuse(client, status, *answer, error);
    }
    if (*answer == NULL) {
        error_set(error, "the answer of %s is not a JSON object: is that mailflowd's socket?",
                  client->socket);
        return CLIENT_REFUSED;
    }
    return CLIENT_DONE;
}

enum client_result client_ask(struct client *client, const char *method, const char *target,
                              const json_t *request, json_t **answer, struct error *error)
{
    char url[TARGET_SIZE];
    struct text text = TEXT_OVER(url);
    text_append(&text, "http://localhost/api/v1");
    text_append(&text, target);
    char *body = request == NULL ? NULL : memory_checked(json_dumps(request, JSON_COMPACT));
    client->length = 0;
    client->too_long = false;
    *answer = NULL;
    client_set_request(client, method, url, body);
    struct progress progress = progress_begin("for the agent");
    curl_easy_setopt(client->curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(client->curl, CURLOPT_XFERINFOFUNCTION, client_wait);
    curl_easy_setopt(client->curl, CURLOPT_XFERINFODATA, &progress);
    CURLcode code = curl_easy_perform(client->curl);
    progress_clear(&progress);
    free(body);
    return code == CURLE_OK ? client_judge(client, answer, error)
                            : client_fail(client, code, error);
}

void client_pause(struct span wait)
{
    struct timespec left = {.tv_sec = (time_t)(wait.ns / 1000000000),
                            .tv_nsec = (long)(wait.ns % 1000000000)};
    nanosleep(&left, NULL);
}

json_t *client_json_text(const char *from)
{
    char escaped[1024];
    struct text text = TEXT_OVER(escaped);
    json_t *json = json_string(from);
    if (json == NULL) {
        text_append_escaped(&text, from);
        json = json_string(escaped);
    }
    return memory_checked(json);
}
