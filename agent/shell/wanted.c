#include "shell/wanted.h"

#include <ctype.h>
#include <inttypes.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/probe_id.h"
#include "base/text.h"

enum { ID_BYTES = 6, ID_CHARACTERS = 10 };

void wanted_add(struct wanted *wanted, const struct window *window)
{
    for (size_t i = 0; i < wanted->count; i++) {
        struct window *there = &wanted->items[i];
        if (strcmp(there->id, window->id) == 0) {
            there->end = walltime_later(there->end, window->end);
            return;
        }
    }
    if (wanted->count == WINDOWS_MAXIMUM) {
        return;
    }
    if (wanted->count == wanted->room) {
        wanted->room = wanted->room == 0 ? 16 : 2 * wanted->room;
        size_t size = wanted->room * sizeof *wanted->items;
        wanted->items = memory_checked(realloc(wanted->items, size));
    }
    wanted->items[wanted->count++] = *window;
}

const struct window *wanted_find(const struct wanted *wanted, const char *id)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (strcmp(wanted->items[i].id, id) == 0) {
            return &wanted->items[i];
        }
    }
    return NULL;
}

void wanted_free(struct wanted *wanted)
{
    free(wanted->items);
    *wanted = (struct wanted){0};
}

void wanted_id(char prefix, const char *source, const char *server, struct walltime begin,
               char id[WINDOW_ID_SIZE])
{
    char begins[32], characters[16];
    struct text text = TEXT_OVER(begins);
    text_format(&text, "%" PRId64, walltime_microseconds(begin));
    struct sha256_ctx hash;
    uint8_t digest[ID_BYTES + 1];
    sha256_init(&hash);
    sha256_update(&hash, strlen(source) + 1, (const uint8_t *)source); // NULs keep them apart
    sha256_update(&hash, strlen(server) + 1, (const uint8_t *)server);
    sha256_update(&hash, strlen(begins), (const uint8_t *)begins);
    sha256_digest(&hash, sizeof digest, digest);
    base32_encode(digest, sizeof digest, characters);
    for (char *at = characters; *at != '\0'; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    text = text_over(id, WINDOW_ID_SIZE);
    text_format(&text, "%c-%.*s", prefix, ID_CHARACTERS, characters);
}

static const char *find_server(const struct settings *settings, const char *name)
{
    int peer = settings_find_peer(settings, name), listed = settings_find_listed(settings, name);
    return strcmp(name, settings->server) == 0 ? settings->server
           : peer >= 0                         ? settings->peers[peer].name
           : listed >= 0                       ? settings->mesh[listed].name
                                               : NULL;
}

const char *wanted_server(const struct settings *settings, const char *name)
{
    char label[SERVER_NAME_SIZE];
    struct text text = TEXT_OVER(label);
    text_append_bytes(&text, name, strcspn(name, "."));
    const char *server = text.truncated ? NULL : find_server(settings, label);
    if (server != NULL || text.truncated) {
        return server;
    }
    for (char *at = label; *at != '\0'; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    return find_server(settings, label);
}

struct servers {
    const char **names;
    size_t count;
    size_t room;
};

static void add_server(struct servers *servers, const char *name)
{
    for (size_t i = 0; i < servers->count; i++) {
        if (strcmp(servers->names[i], name) == 0) {
            return;
        }
    }
    if (servers->count < servers->room) {
        servers->names[servers->count++] = name;
    }
}

// Every word of the text that is the name of a server, or of a host that begins with it.
static void add_named(struct servers *servers, const struct settings *settings, const char *words)
{
    static const char OF_NAMES[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    while (*words != '\0') {
        char word[CALENDAR_TEXT_SIZE];
        struct text text = TEXT_OVER(word);
        size_t length = strspn(words, OF_NAMES);
        text_append_bytes(&text, words, length);
        const char *server = length == 0 ? NULL : wanted_server(settings, word);
        if (server != NULL) {
            add_server(servers, server);
        }
        words += length;
        words += strcspn(words, OF_NAMES);
    }
}

size_t wanted_servers(const struct settings *settings, const struct calendar_line *line,
                      const char **names, size_t room)
{
    struct servers servers = {names, 0, room};
    for (size_t i = 0; i < line->object_count; i++) {
        add_named(&servers, settings, line->objects[i]);
    }
    const char *const words[] = {line->location, line->categories, line->summary};
    for (size_t i = 0; line->object_count == 0 && servers.count == 0 && i < 3; i++) {
        add_named(&servers, settings, words[i]);
    }
    return servers.count;
}
