#include "shell/peer_sources.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static struct peer_source *find(const struct peer_sources *sources, const char *name, bool srv)
{
    for (size_t i = 0; i < sources->count; i++) {
        if (sources->items[i].srv == srv && strcmp(sources->items[i].name, name) == 0) {
            return &sources->items[i];
        }
    }
    return NULL;
}

static void works(struct peer_source *source, struct walltime now, struct journal *journal)
{
    if (source->failing) {
        journal_peers_usable(journal, source->name);
    }
    source->failing = false;
    source->succeeded = now;
}

void peer_sources_take(struct peer_sources *sources, const struct settings *settings,
                       struct walltime now, struct journal *journal)
{
    struct peer_sources taken = {
        memory_checked(calloc(settings->list_count + 1, sizeof *taken.items)),
        settings->list_count};
    for (size_t i = 0; i < settings->list_count; i++) {
        const struct peer_list *list = &settings->lists[i];
        const struct peer_source *known = find(sources, list->name, list->srv);
        struct peer_source *source = &taken.items[i];
        *source = known != NULL ? *known : (struct peer_source){.srv = list->srv};
        source->name = memory_checked(strdup(list->name));
        source->servers = list->count;
        if (!list->srv && list->failure[0] == '\0') {
            works(source, now, journal);
        } else if (!list->srv) {
            source->failing = true; // said by whoever read it
        }
    }
    peer_sources_free(sources);
    *sources = taken;
}

void peer_sources_answered(struct peer_sources *sources, const char *name, struct walltime now,
                           struct journal *journal)
{
    struct peer_source *source = find(sources, name, true);
    if (source != NULL) {
        works(source, now, journal);
    }
}

void peer_sources_failed(struct peer_sources *sources, const char *name, const char *cause,
                         struct journal *journal)
{
    struct peer_source *source = find(sources, name, true);
    if (source != NULL && !source->failing) {
        source->failing = true;
        journal_peers_unusable(journal, name, cause, source->servers);
    }
}

void peer_sources_free(struct peer_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        free(sources->items[i].name);
    }
    free(sources->items);
    *sources = (struct peer_sources){0};
}
