#include "shell/exchanges.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const char *const REJECTION_NAMES[EXCHANGE_REJECTIONS] = {
    "signature", "malformed", "unknown_peer", "misrouted", "stale", "replayed",
};

const char *exchange_rejection_name(enum exchange_rejection of)
{
    return REJECTION_NAMES[of];
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

static int compare_names(const void *left, const void *right)
{
    const struct exchange_peer *const *a = left;
    const struct exchange_peer *const *b = right;
    return strcmp((*a)->name, (*b)->name);
}

// The peers by name, so that each of 10,000 is found at once; for the caller to free.
static struct exchange_peer **sort_by_name(struct exchanges *exchanges)
{
    size_t count = exchanges->count;
    struct exchange_peer **sorted =
        memory_checked(calloc(count + 1, sizeof(struct exchange_peer *)));
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &exchanges->peers[i];
    }
    qsort(sorted, count, sizeof(struct exchange_peer *), compare_names);
    return sorted;
}

// The peer of these settings; what is known of it is taken over.
static struct exchange_peer adopt(struct exchanges *exchanges, struct exchange_peer **sorted,
                                  const struct peer_settings *settings)
{
    struct exchange_peer peer = {.name = settings->name, .guard.floor = exchanges->started};
    const struct exchange_peer *key = &peer;
    struct exchange_peer **known =
        bsearch(&key, sorted, exchanges->count, sizeof(struct exchange_peer *), compare_names);
    if (known != NULL) {
        peer = **known;
        peer.name = settings->name;
        (*known)->guard = (struct exchange_guard){0};
    }
    peer.wanted &= settings->agent[0] != '\0';
    return peer;
}

void exchanges_configure(struct exchanges *exchanges, const struct settings *settings)
{
    struct exchange_peer *peers = memory_checked(calloc(settings->peer_count + 1, sizeof *peers));
    struct exchange_peer **sorted = sort_by_name(exchanges);
    for (size_t i = 0; i < settings->peer_count; i++) {
        peers[i] = adopt(exchanges, sorted, &settings->peers[i]);
    }
    free(sorted);
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

int exchanges_next(const struct exchanges *exchanges, unsigned running)
{
    if (exchanges->wanted == 0 || running >= FETCH_JOBS_MAXIMUM) {
        return -1;
    }
    for (size_t i = 0; i < exchanges->count; i++) {
        size_t place = (exchanges->next + i) % exchanges->count;
        const struct exchange_peer *peer = &exchanges->peers[place];
        bool held_back = peer->suspect && exchanges->suspects_running >= EXCHANGE_SUSPECTS_MAXIMUM;
        if (peer->wanted && peer->running == 0 && !held_back) {
            return (int)place;
        }
    }
    return -1;
}

void exchanges_begun(struct exchanges *exchanges, int index, int64_t number,
                     const struct probe_id *nonce, struct moment now)
{
    struct exchange_peer *peer = &exchanges->peers[index];
    peer->wanted = false;
    peer->running = number;
    peer->nonce = *nonce;
    peer->begun = now;
    exchanges->next = (size_t)index + 1;
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
