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

bool peers_find_own_name(const json_t *paths, char *out, size_t size)
{
    const char *path = answer_text(json_array_get(paths, 0), "path");
    const char *peer = answer_text(json_array_get(paths, 0), "peer");
    const char *arrow = strstr(path, "->");
    struct text text = text_over(out, size);
    if (arrow == NULL) {
        return false;
    }
    if (strcmp(arrow + 2, peer) == 0) {
        text_append_bytes(&text, path, (size_t)(arrow - path));
    } else {
        text_append(&text, arrow + 2);
    }
    return !text.truncated;
}

bool peers_suggest(const json_t *paths, const char *name, struct error *error)
{
    size_t count;
    char own[64];
    const char **peers = collect_peers(paths, &count);
    if (peers_find_own_name(paths, own, sizeof own)) {
        peers[count++] = own;
    }
    const char *near = suggest_nearest(name, peers, count);
    struct text message = end_of(error);
    if (near == NULL || strcmp(near, name) == 0) {
        free(peers);
        return false;
    }
    text_append(&message, "; did you mean '");
    format_text(near, &message);
    text_append(&message, "'?");
    free(peers);
    return true;
}

bool peers_ask_and_suggest(struct client *client, const char *name, struct error *error)
{
    struct error unused;
    json_t *answer;
    bool suggested = false;
    if (client_ask(client, "GET", "/paths", NULL, &answer, &unused) == CLIENT_DONE) {
        const json_t *paths = answer_list(answer, "paths", &unused);
        suggested = paths != NULL && peers_suggest(paths, name, error);
    }
    json_decref(answer);
    return suggested;
}

bool peers_ask_known(struct client *client, const char *name)
{
    char own[64];
    struct error unused;
    json_t *answer;
    bool known = false;
    if (client_ask(client, "GET", "/paths", NULL, &answer, &unused) == CLIENT_DONE) {
        const json_t *paths = json_object_get(answer, "paths");
        known = peers_find_own_name(paths, own, sizeof own) && strcmp(own, name) == 0;
        for (size_t i = 0; !known && i < json_array_size(paths); i++) {
            known = strcmp(answer_text(json_array_get(paths, i), "peer"), name) == 0;
        }
    }
    json_decref(answer);
    return known;
}

void peers_list(const json_t *paths, struct error *error)
{
    size_t count;
    const char **peers = collect_peers(paths, &count);
    struct text message = end_of(error);
    for (size_t i = 0; i < count && i < PEERS_LISTED_MAXIMUM; i++) {
        text_append(&message, i == 0 ? "; the peers are " : ", ");
        format_text(peers[i], &message);
    }
    if (count > PEERS_LISTED_MAXIMUM) {
        text_format(&message, " and %zu more", count - PEERS_LISTED_MAXIMUM);
    }
    free(peers);
}
