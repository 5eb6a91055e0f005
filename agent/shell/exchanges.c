#include "shell/exchanges.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

static const char *const REJECTION_NAMES[EXCHANGE_REJECTIONS] = {
    "signature", "malformed", "unknown_peer", "misrouted", "stale", "replayed",
};

const char *exchange_rejection_name(enum exchange_rejection of)
{
    return REJECTION_NAMES[of];
}

static struct exchange_peer *find(struct exchanges *exchanges, const char *name)
{
    for (size_t i = 0; i < exchanges->count; i++) {
        if (strcmp(exchanges->peers[i].name, name) == 0) {
            return &exchanges->peers[i];
        }
    }
    return NULL;
}

// A job of a peer that is gone ends unseen: its outcome finds nobody.
static void count_again(struct exchanges *exchanges)
{
    exchanges->wanted = exchanges->suspects_running = 0;
    for (size_t i = 0; i < exchanges->count; i++) {
        exchanges->wanted += exchanges->peers[i].wanted;
        exchanges->suspects_running +=
            exchanges->peers[i].suspect && exchanges->peers[i].running != 0;
    }
}

void exchanges_configure(struct exchanges *exchanges, const struct settings *settings)
{
    struct exchange_peer *peers = memory_checked(calloc(settings->peer_count + 1, sizeof *peers));
    for (size_t i = 0; i < settings->peer_count; i++) {
        struct exchange_peer *known = find(exchanges, settings->peers[i].name);
        if (known != NULL) {
            peers[i] = *known;
            known->guard = (struct exchange_guard){0};
        } else {
            text_copy(peers[i].name, sizeof peers[i].name, settings->peers[i].name);
            peers[i].guard.floor = exchanges->started;
        }
        peers[i].wanted &= settings->peers[i].agent[0] != '\0';
    }
    for (size_t i = 0; i < exchanges->count; i++) {
        exchange_guard_free(&exchanges->peers[i].guard);
    }
    free(exchanges->peers);
    exchanges->peers = peers;
    exchanges->count = settings->peer_count;
    exchanges->next = 0;
    count_again(exchanges);
}

void exchanges_free(struct exchanges *exchanges)
{
    for (size_t i = 0; i < exchanges->count; i++) {
        exchange_guard_free(&exchanges->peers[i].guard);
    }
    free(exchanges->peers);
    *exchanges = (struct exchanges){0};
}

void exchanges_want(struct exchanges *exchanges, int peer)
{
    exchanges->wanted += !exchanges->peers[peer].wanted;
    exchanges->peers[peer].wanted = true;
}

int exchanges_next(struct exchanges *exchanges, unsigned running)
{
    if (exchanges->wanted == 0 || running >= FETCH_JOBS_MAXIMUM) {
        return -1;
    }
    for (size_t i = 0; i < exchanges->count; i++) {
        size_t place = (exchanges->next + i) % exchanges->count;
        const struct exchange_peer *peer = &exchanges->peers[place];
        bool held_back = peer->suspect && exchanges->suspects_running >= EXCHANGE_SUSPECTS_MAXIMUM;
        if (peer->wanted && peer->running == 0 && !held_back) {
            exchanges->next = place + 1;
            return (int)place;
        }
    }
    return -1;
}

void exchanges_begun(struct exchanges *exchanges, int index, int64_t number,
                     const struct probe_id *nonce, struct instant now)
{
    struct exchange_peer *peer = &exchanges->peers[index];
    peer->wanted = false;
    peer->running = number;
    peer->nonce = *nonce;
    peer->begun = now;
    exchanges->wanted--;
    exchanges->suspects_running += peer->suspect;
}

void exchanges_ended(struct exchanges *exchanges, int index, bool in_time)
{
    struct exchange_peer *peer = &exchanges->peers[index];
    exchanges->suspects_running -= peer->suspect;
    peer->running = 0;
    peer->suspect = !in_time;
}
