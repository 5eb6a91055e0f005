#include "ctl/peers.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ctl/format.h"
#include "base/answer.h"
#include "base/suggest.h"

enum { PEERS_LISTED_MAXIMUM = 8 };

// Every peer once, with room for one name more, for the caller to free. The two paths of a peer
// stand side by side.
static const char **collect_peers(const json_t *paths, size_t *count)
{
    size_t most = json_array_size(paths);
    const char **peers = memory_checked(calloc(most + 2, sizeof peers[0]));
    *count = 0;
    for (size_t i = 0; i < most; i++) {
        const char *peer = answer_text(json_array_get(paths, i), "peer");
        bool repeated = *count > 0 && strcmp(peers[*count - 1], peer) == 0;
        if (peer[0] != '\0' && !repeated) {
            peers[(*count)++] = peer;
        }
    }
    return peers;
}

static struct text end_of(struct error *error)
{
    size_t length = strlen(error->message);
    return text_over(error->message + length, sizeof error->message - length);
}

bool peers_ask_own_name(struct client *client, char out[SERVER_NAME_SIZE])
{
    struct error unused;
    json_t *answer = NULL;
    bool told = client_ask(client, "GET", "/version", NULL, &answer, &unused) == CLIENT_DONE &&
                server_name_valid(answer_text(answer, "server")) &&
                text_copy(out, SERVER_NAME_SIZE, answer_text(answer, "server"));
    json_decref(answer);
    return told;
}

bool peers_suggest(struct client *client, const json_t *paths, const char *name,
                   struct error *error)
{
    size_t count;
    char own[SERVER_NAME_SIZE];
    const char **names = collect_peers(paths, &count);
    if (peers_ask_own_name(client, own)) {
        names[count++] = own;
    }
    const char *near = suggest_nearest(name, names, count);
    bool suggests = near != NULL && strcmp(near, name) != 0;
    if (suggests) {
        struct text message = end_of(error);
        text_append(&message, "; did you mean '");
        format_text(near, &message);
        text_append(&message, "'?");
    }
    free(names);
    return suggests;
}

// The agent's paths, for the caller to give back; NULL when it does not say.
static json_t *ask_paths(struct client *client)
{
    struct error unused;
    json_t *answer = NULL;
    client_ask(client, "GET", "/paths", NULL, &answer, &unused);
    json_t *paths = json_incref(json_object_get(answer, "paths"));
    json_decref(answer);
    return paths;
}

void peers_ask_and_suggest(struct client *client, const char *name, struct error *error)
{
    json_t *paths = ask_paths(client);
    peers_suggest(client, paths, name, error);
    json_decref(paths);
}

bool peers_ask_known(struct client *client, const char *name)
{
    char own[SERVER_NAME_SIZE];
    json_t *paths = ask_paths(client);
    bool known = peers_ask_own_name(client, own) && strcmp(own, name) == 0;
    for (size_t i = 0; !known && i < json_array_size(paths); i++) {
        known = strcmp(answer_text(json_array_get(paths, i), "peer"), name) == 0;
    }
    json_decref(paths);
    return known;
}

void peers_list(const json_t *paths, struct error *error)
{
    size_t count;
    const char **peers = collect_peers(paths, &count);
    struct text message = end_of(error);
    for (size_t i = 0; i < count && i < PEERS_LISTED_MAXIMUM; i++) {
        text_append(&message, i > 0        ? ", "
                              : count == 1 ? "; the only peer is "
                                           : "; the peers are ");
        format_text(peers[i], &message);
    }
    if (count > PEERS_LISTED_MAXIMUM) {
        text_format(&message, " and %zu more", count - PEERS_LISTED_MAXIMUM);
    }
    free(peers);
}
